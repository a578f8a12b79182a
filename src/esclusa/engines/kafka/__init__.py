"""The engine `kafka`: the port `log` on Apache Kafka's brokers, for any number of processes. Needs the extra `kafka`."""

from esclusa.engines.kafka.settings import KafkaSettings

__all__ = ["KafkaSettings"]
