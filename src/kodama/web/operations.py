"""Health, readiness and metrics (Prometheus text format 0.0.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from kodama.http.message import Answer
from kodama.metrics import Histogram, Metrics
from kodama.store.interface import Store
from kodama.web.answers import code_answer, json_answer
from kodama.wire.admin import Numbers, Spread
from kodama.wire.answers import HEALTHY, READY

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Operations(Collector):
    """What an operator asks a node. ``waiting`` and ``connections`` are counted when asked."""

    def __init__(
        self, metrics: Metrics, store: Store, *, waiting: Callable[[], dict[str, int]],
        connections: Callable[[], int], present: Callable[[], tuple[int, int]],
        bus: Callable[[], Mapping[str, int]] = dict, blind: Callable[[], bool] = lambda: False,
        memory: Callable[[], int] = lambda: 0, worker: int = 0,
    ) -> None:  # fmt: skip
        self._metrics = metrics
        self._store = store
        self._waiting = waiting
        self._connections = connections
        self._present = present
        self._bus = bus
        self._blind = blind
        self._memory = memory
        self._worker = worker
        self.draining = False
        self._registry = CollectorRegistry()
        self._registry.register(self)  # which collects once

    def told(self, name: str) -> Answer:
        """Return what a probe that asks for ``name`` is told."""
        return {"healthz": self.health, "readyz": self.readiness, "metrics": self.metrics}[name]()

    def health(self) -> Answer:
        """``GET /healthz``: the process is up."""
        return json_answer(200, HEALTHY)

    def readiness(self) -> Answer:
        """``GET /readyz``: the store answers and the node is not draining."""
        trouble = self._trouble()
        if trouble:
            return code_answer("overloaded", trouble)
        return json_answer(200, READY)

    def metrics(self) -> Answer:
        """``GET /metrics``."""
        return Answer(200, generate_latest(self._registry), (("Content-Type", METRICS_TYPE),))

    def numbers(self, *, time: str) -> Numbers:
        """Return what the owner's console draws."""
        metrics = self._metrics
        here, guests = self._present()
        return Numbers(
            time=time, waiting=self._waiting(), connections=self._connections(), here=here, guests=guests,
            memory=self._memory(), deliveries=metrics.deliveries, published=metrics.published,
            refused=sum(metrics.refused.values()), gaps=metrics.gaps, slow_readers=metrics.slow_readers,
            publish_seconds=_spread(metrics.publish_seconds),
            delivery_seconds=_spread(metrics.delivery_seconds),
            loop_lag_seconds=_spread(metrics.loop_lag), cursor_lag=_spread(metrics.cursor_lag),
        )  # fmt: skip

    def collect(self) -> Iterator[Metric]:
        """Prometheus: the numbers as they are now."""
        metrics = self._metrics
        yield GaugeMetricFamily("kodama_ready", "Whether /readyz says so.", value=float(not self._trouble()))
        yield GaugeMetricFamily(
            "kodama_worker", "The worker that answers; 0 is a single process.", value=self._worker
        )
        waiting = GaugeMetricFamily(
            "kodama_waiting_clients", "Requests that wait for news.", labels=["transport"]
        )
        for transport, count in self._waiting().items():
            waiting.add_metric([transport], count)
        yield waiting
        yield GaugeMetricFamily("kodama_connections", "Open connections.", value=self._connections())
        yield GaugeMetricFamily("kodama_memory_bytes", "The process in memory.", value=self._memory())
        yield CounterMetricFamily(
            "kodama_deliveries", "Answers and pieces of streams with news.", value=metrics.deliveries
        )
        yield from self._ephemeral()
        yield CounterMetricFamily("kodama_published", "Events appended.", value=metrics.published)
        yield CounterMetricFamily(
            "kodama_slow_readers", "Streams moved back to the log.", value=metrics.slow_readers
        )
        yield CounterMetricFamily("kodama_gaps", "Gaps told to readers.", value=metrics.gaps)
        yield CounterMetricFamily(
            "kodama_store_reads", "Reads that asked the store.", value=getattr(self._store, "reads", 0)
        )
        refused = CounterMetricFamily("kodama_refused", "Requests refused, by code.", labels=["code"])
        for code, count in sorted(metrics.refused.items()):
            refused.add_metric([code], count)
        yield refused
        pushed = CounterMetricFamily("kodama_push", "Calls by Web Push, by outcome.", labels=["outcome"])
        for outcome, count in sorted(metrics.pushed.items()):
            pushed.add_metric([outcome], count)
        yield pushed
        limited = CounterMetricFamily(
            "kodama_limited", "Limits that were met, by what was done and the step.", labels=["what", "step"]
        )
        for (what, step), count in sorted(metrics.limited.items()):
            limited.add_metric([what, step], count)
        yield limited
        yield CounterMetricFamily(
            "kodama_caught_up", "Rooms read anew because other nodes were ahead.", value=metrics.caught_up
        )
        bus = CounterMetricFamily("kodama_bus_frames", "What became of frames on the bus.", labels=["what"])
        for what, count in self._bus().items():
            bus.add_metric([what], count)
        yield bus
        yield _family("kodama_publish_seconds", "From receipt to durable.", metrics.publish_seconds)
        yield _family("kodama_delivery_seconds", "From commit to the last reader.", metrics.delivery_seconds)
        yield _family("kodama_commit_size", "Appends per commit.", metrics.commit_size)
        yield _family("kodama_loop_lag_seconds", "How late the event loop is.", metrics.loop_lag)
        yield _family("kodama_cursor_lag", "Events a reader is behind after an answer.", metrics.cursor_lag)

    def _trouble(self) -> str:
        """Return why nobody should be sent here; empty if there is no reason."""
        if self.draining:
            return "The server is draining."
        if self._blind():
            return "The store has not answered for some seconds."
        return "" if self._store.healthy() else "The store cannot write."

    def _ephemeral(self) -> Iterator[Metric]:
        present = GaugeMetricFamily("kodama_present", "Who is here, once per room.", labels=["kind"])
        for kind, count in zip(("named", "guests"), self._present(), strict=True):
            present.add_metric([kind], count)
        yield present
        metrics = self._metrics
        yield CounterMetricFamily(
            "kodama_ephemeral_events", "Presence and typing told.", value=metrics.ephemeral
        )
        yield CounterMetricFamily(
            "kodama_ephemeral_deliveries", "Answers with presence and typing.", value=metrics.whispered
        )


def _spread(histogram: Histogram) -> Spread:
    return Spread(list(histogram.bounds), list(histogram.counts))


def _family(name: str, help_text: str, histogram: Histogram) -> HistogramMetricFamily:
    buckets: list[tuple[str, float]] = []
    count = 0
    for bound, number in zip((*histogram.bounds, "+Inf"), histogram.counts, strict=True):
        count += number
        buckets.append((str(bound), count))
    return HistogramMetricFamily(name, help_text, buckets=buckets, sum_value=histogram.total)
