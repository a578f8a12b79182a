"""SOAP: a question as an envelope by a WSDL, its answer as JSON (H10)."""

from esclusa.connectors.soap.settings import SoapSettings
from esclusa.connectors.soap.soap import SOAP

__all__ = ["SOAP", "SoapSettings"]
