"""The relay's figures for Prometheus: one object with its own registry."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_FSYNC_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Everything that ``/metrics`` shows.  No label ever names a recipient, an address or an alert.

    ``posts`` counts answers to POST by outcome (``accepted``, ``duplicate``, ``conflict``, ``held``, ``expired``,
    ``refused``, ``unavailable``); ``alerts`` accepted alerts by class; ``deliveries`` settled deliveries by kind and
    state; ``queue_depth`` and ``queue_oldest`` (seconds) what waits, by class; ``pending`` journalled records that
    Redis has not applied; ``worker_heartbeat`` seconds since a worker's last sign of life.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(namespace="chapar", registry=self.registry)
        self.posts = self._counter("posts", "Answers to posted alerts, by outcome.", "outcome")
        self.alerts = self._counter("alerts", "Accepted alerts, by priority class.", "priority")
        self.deliveries = self._counter("deliveries", "Settled deliveries, by kind and state.", "kind", "state")
        self.attempts = self._counter("attempts", "Hand-overs, by channel and outcome.", "channel", "outcome")
        self.redis_restarts = self._gauge("redis_restarts", "Unwanted deaths of the private server that were repaired.")
        self.queue_depth = self._gauge("queue_depth", "Deliveries that wait, by priority class.", "priority")
        self.queue_oldest = self._gauge("queue_oldest_seconds", "Age of the oldest that waits, by class.", "priority")
        self.held = self._gauge("held", "Alerts that wait for a person.")
        self.redis_up = self._gauge("redis_up", "1 when Redis answers.")
        self.pending = self._gauge("pending", "Journalled records that Redis has not applied yet.")
        self.worker_heartbeat = self._gauge("worker_heartbeat_seconds", "Age of its last sign of life.", "worker")
        self.channel_up = self._gauge("channel_up", "1 when the channel may send.", "channel")
        self.accept_seconds = self._histogram("accept_seconds", "From the last byte of a POST to its answer.", _SECONDS)
        self.fsync_seconds = self._histogram("journal_fsync_seconds", "One fdatasync of the journal.", _FSYNC_SECONDS)
        self._seen: dict[tuple[str, str], float] = {}

    def delivered_in_total(self, *, kind: str, state: str, total: float) -> None:
        """Bring the delivery counter to a total that the workers keep in Redis; a smaller total starts it anew."""
        before = self._seen.get((kind, state), 0.0)
        self.deliveries.labels(kind, state).inc(total - before if total >= before else total)
        self._seen[kind, state] = total

    def render(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"chapar_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"chapar_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"chapar_{name}", text, buckets=buckets, registry=self.registry)
