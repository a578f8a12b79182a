"""The public bodies of the demo country: what each answers, how fast, and what is the matter with it.

How a body behaves is drawn up for the demonstration and says nothing of the real one.
"""

from __future__ import annotations

from enum import Enum, auto

import msgspec

from esclusa.demo import hosts, regions, state
from esclusa.demo.hosts import Host
from esclusa.demo.lives import Draws
from esclusa.demo.soap import Service
from esclusa.demo.state import Answer

FIRST_PORT = 18_100
"""Where the ports begin that the demo's configuration takes when nobody tells it others."""


class Temper(Enum):
    """What is the matter with a body."""

    STEADY = auto()
    """Nothing: it answers, at its own pace."""
    DOWN = auto()
    """Nobody listens: connections are refused."""
    HUNG = auto()
    """It takes the question and never answers."""
    FLAPPING = auto()
    """Up for ten seconds, and for ten seconds it cuts whoever calls."""
    MOODY = auto()
    """The first call of every two fails with 503."""
    FAILING = auto()
    """Every call fails with 500."""
    GARBAGE = auto()
    """It says 200, and what it says is a page about works on the site."""


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """A public body that keeps files on people."""

    name: str
    """As its connector is called."""
    path: str = "/expedientes/{nif}"
    """Where it is asked; without `{nif}`, the subject is in the query, or in the JSON body of a POST, as `nif`."""
    answer: Answer | None = None
    """None: it never gets so far."""
    pace: tuple[float, float] = (0.02, 0.06)
    """The shortest and the longest that an answer takes, in seconds; near the shortest more often."""
    temper: Temper = Temper.STEADY
    places: int = 64
    """How many calls it works on at a time; the others wait, connected."""
    charset: str = "utf-8"
    soap: Service | None = None
    """It is a SOAP service, at its path, rather than one that answers with JSON."""
    host: Host | None = None
    """It is asked with a text over TCP, rather than over HTTP."""
    secret: tuple[str, str] | None = None
    """A header, in lower case, and the value without which it answers 401."""

    def delay(self, subject: str) -> float:
        """How long it takes about this subject, in seconds: always the same."""
        shortest, longest = self.pace
        fraction: float = Draws(subject).fraction(f"delay/{self.name}") ** 2
        return shortest + (longest - shortest) * fraction


BODIES = (
    # The state: quick ones, slow ones, and one of each kind of trouble.
    Body(name="dgt", path="/api/v2/titulares/{nif}/expedientes", answer=state.dgt, pace=(0.06, 0.25)),
    Body(name="padron", path="/inscripciones/{nif}", answer=state.padron, pace=(0.3, 0.9)),
    Body(
        name="catastro",
        path="/ovc/consulta",
        answer=state.catastro,
        pace=(0.12, 0.5),
        soap=Service(version="1.1", namespace="urn:catastro:ovc", operation="Consulta"),
    ),
    Body(
        name="extranjeria",
        answer=state.extranjeria,
        pace=(0.2, 0.6),
        host=Host(asks="AUTORIZACION ", said=hosts.permit, prefix=2),
    ),
    Body(name="policia", answer=state.policia, host=Host(asks="CONSULTA ", said=hosts.identity)),
    Body(
        name="registro-civil",
        path="/asientos/{nif}",
        answer=state.registro_civil,
        pace=(6.5, 7.9),
        charset="iso-8859-1",
        secret=("authorization", "Basic ZXNjbHVzYTpkZS1tdWVzdHJh"),
    ),
    Body(name="aeat", path="/consultas/renta", answer=state.aeat, pace=(0.8, 2.2)),
    Body(name="tgss", path="/vida-laboral/{nif}", answer=state.tgss, pace=(0.4, 1.2)),
    Body(
        name="inss",
        path="/servicios/prestaciones",
        answer=state.inss,
        pace=(0.5, 1.5),
        soap=Service(version="1.2", namespace="urn:seg-social:prestaciones", operation="ConsultaPrestaciones"),
    ),
    Body(name="dehu", path="/notificaciones/{nif}", answer=state.dehu, pace=(0.09, 0.3), temper=Temper.MOODY),
    Body(
        name="educacion",
        path="/servicios/titulos",
        answer=state.educacion,
        pace=(0.7, 1.8),
        soap=Service(
            version="1.1",
            namespace="urn:educacion:titulos",
            operation="ConsultaTitulos",
            item="titulacion",
            login=("esclusa", "de-muestra"),
        ),
    ),
    Body(
        name="uned",
        path="/students/{nif}/records",
        answer=state.uned,
        pace=(0.15, 0.4),
        secret=("x-clave-api", "esclusa-de-muestra"),
    ),
    Body(
        name="oepm",
        path="/servicios/marcas",
        answer=state.oepm,
        pace=(0.3, 0.8),
        soap=Service(version="1.2", namespace="urn:oepm:marcas", operation="BuscaMarcas"),
    ),
    Body(name="transportes", path="/ayudas/{nif}", answer=state.transportes, pace=(4.0, 6.0)),
    Body(name="registro-propiedad", path="/titularidades/{nif}", answer=state.registro_propiedad, pace=(4.5, 5.5), places=1),
    Body(name="sepe", path="/demandantes/{nif}", answer=state.sepe, pace=(7.0, 7.8), places=1),
    Body(name="justicia", temper=Temper.FAILING),
    Body(name="muface", temper=Temper.DOWN),
    Body(name="imserso", temper=Temper.HUNG),
    Body(name="marina-mercante", pace=(0.1, 0.2), temper=Temper.GARBAGE),
    # The river authorities.
    Body(
        name="ch-tajo",
        path="/concesiones/{nif}",
        answer=state.wells("28", "10", "19", "45"),
        pace=(1.5, 3.0),
    ),
    Body(
        name="ch-jucar",
        path="/concesiones/{nif}",
        answer=state.wells("46", "03", "12", "02", "16", "44"),
        pace=(0.3, 0.8),
        temper=Temper.FLAPPING,
    ),
    # The autonomous communities, each in its own words.
    Body(
        name="comunidad-madrid",
        path="/ciudadania/{nif}",
        answer=regions.community("comunidad-madrid", key="tarjeta", visits="citas", grants="ayudas"),
        pace=(0.25, 0.7),
    ),
    Body(
        name="generalitat-catalunya",
        path="/ciutadans/{nif}",
        answer=regions.community("generalitat-catalunya", key="targeta", visits="visites", grants="ajuts"),
        pace=(0.3, 1.0),
    ),
    Body(
        name="generalitat-valenciana",
        path="/ciutadania/{nif}",
        answer=regions.community("generalitat-valenciana", key="sip", visits="cites", grants="ajudes"),
        pace=(1.0, 2.5),
    ),
    Body(
        name="junta-andalucia",
        path="/ciudadania/{nif}",
        answer=regions.community("junta-andalucia", key="nuhsa", visits="citas", grants="ayudas"),
        pace=(2.0, 4.0),
    ),
    Body(
        name="xunta-galicia",
        path="/cidadania/{nif}",
        answer=regions.community("xunta-galicia", key="tarxeta", visits="citas", grants="axudas"),
        pace=(0.2, 0.8),
    ),
    Body(name="gobierno-vasco", path="/herritarrak/{nif}", answer=regions.basque, pace=(0.1, 0.4)),
    Body(
        name="gobierno-aragon",
        path="/ciudadania/{nif}",
        answer=regions.community("gobierno-aragon", key="tarjeta", visits="citas", grants="ayudas"),
        pace=(0.4, 1.4),
    ),
    # The town councils.
    Body(name="ayto-madrid", path="/recibos/{nif}", answer=regions.council("ayto-madrid"), pace=(0.1, 0.5)),
    Body(name="ayto-barcelona", path="/rebuts/{nif}", answer=regions.council("ayto-barcelona"), pace=(0.05, 0.2)),
    Body(name="ayto-valencia", path="/rebuts/{nif}", answer=regions.council("ayto-valencia"), pace=(0.3, 1.0)),
    Body(name="ayto-sevilla", path="/recibos/{nif}", answer=regions.council("ayto-sevilla"), pace=(3.0, 5.0)),
    Body(name="ayto-zaragoza", path="/recibos/{nif}", answer=regions.council("ayto-zaragoza"), pace=(0.2, 0.6)),
)
"""Every body, in the order of the demo's configuration; the nth one's port is `FIRST_PORT` + n unless told otherwise."""


def port_variable(body: str) -> str:
    """The environment variable by which the demo's configuration is told a body's port: `DEMO_PORT_CH_TAJO`."""
    return f"DEMO_PORT_{body.replace('-', '_').upper()}"
