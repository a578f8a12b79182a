"""Taking a question back (H8)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

from esclusa.hub.stored import Cancelled, encode
from esclusa.hub.topics import CANCELS
from esclusa.kernel.errors import StorageError, Unavailable

if TYPE_CHECKING:
    from esclusa.hub.admission import Admission
    from esclusa.hub.results import Results
    from esclusa.kernel.instrument import Instrument
    from esclusa.ports.log import Log
    from esclusa.ports.records import Records

PATIENCE = 3.0
"""Seconds that the pools have to be told; they are told once the request is gone."""


class Canceller:
    """Cancels requests."""

    def __init__(self, results: Results, records: Records, log: Log, admission: Admission, instrument: Instrument) -> None:
        self._results = results
        self._records = records
        self._log = log
        self._admission = admission
        self._instrument = instrument

    async def cancel(self, id: UUID, caller: str) -> None:
        """Delete the rows, leave a tombstone that beats any later write, then tell the pools."""
        look = await self._results.look(id.bytes, caller, bodies=False)
        expires = look.view.request.times.expires
        try:
            await self._records.forget(id.bytes, expires)
        except StorageError as error:
            raise Unavailable("The request could not be cancelled", retry_after=1) from error
        self._admission.closed(id.bytes, complete=False)
        self._instrument.info("request cancelled", request=str(id))
        # It is gone by now; pools that do not hear of it only make calls in vain.
        told = self._log.append(CANCELS, b"", encode(Cancelled(id.bytes, expires)))
        told.add_done_callback(self._told)
        await asyncio.wait({told}, timeout=PATIENCE)

    def _told(self, future: asyncio.Future[int]) -> None:
        error = "cancelled" if future.cancelled() else future.exception()
        if error is not None:
            self._instrument.warn("a request is cancelled, and the pools could not be told", error=str(error))
