"""The engine: one process's log on Kafka's brokers."""

from __future__ import annotations

from collections.abc import Iterator

from esclusa.engines.kafka.admin import Admin
from esclusa.engines.kafka.client import Voice, common
from esclusa.engines.kafka.installation import KafkaInstallation
from esclusa.engines.kafka.log import KafkaLog
from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.engines.kafka.upkeep import KafkaUpkeep
from esclusa.kernel.clock import Clock
from esclusa.kernel.instrument import Instrument


class KafkaEngine:
    """The ports `log`, `upkeep` and `installation` on Kafka's brokers; a `Part`. Make it inside a running event loop.

    Brokers that are away make what is asked for fail with `StorageUnavailable`, never the start.
    """

    def __init__(self, settings: KafkaSettings, clock: Clock, instrument: Instrument) -> None:
        voice = Voice(settings, instrument)
        self._admin = Admin(common(settings), voice)
        self.log = KafkaLog(settings, self._admin, clock, voice, instrument)
        self.upkeep = KafkaUpkeep(self.log, self._admin, clock, settings.replication)
        self.installation = KafkaInstallation(settings, self._admin, voice, clock)
        instrument.gauge("esclusa_log_waiting_bytes", "Bytes that wait to be acknowledged by the log.", (), self._waiting)

    def _waiting(self) -> Iterator[tuple[tuple[str, ...], float]]:
        yield (), self.log.appender.bytes

    async def start(self) -> None:
        """Begin to connect. `StorageError` for settings that can't be used, such as a certificate that isn't there."""
        self.log.appender.connect()

    async def drain(self) -> None:
        """Finish the appends at hand."""
        await self.log.appender.settled()

    async def stop(self) -> None:
        """Finish the appends at hand, leave the groups, close the connections."""
        await self.log.close()
        self._admin.close()

    def kill(self) -> None:
        """Die at once: what was not acknowledged may be lost, nothing more is committed. For tests."""
        self.log.kill()
        self._admin.close()
