"""How a stand-in behaves."""

from dataclasses import dataclass, field

from insights.fake_model.faults import Fault
from insights.fake_model.latency import Latency


@dataclass(frozen=True, slots=True)
class Options:
    """`models` empty: any. `refused` are parameters that are answered by 400. Seconds, and tokens of `context`."""

    key: str | None = field(default=None, repr=False)
    models: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    latency: Latency = field(default_factory=Latency)
    retry_after: float = 1.0
    context: int | None = None
    most_in_flight: int | None = None
    refused: frozenset[str] = frozenset()
    json_schema: bool = True
    json_mode: bool = True
    usage: bool = True
