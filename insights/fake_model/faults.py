"""What goes wrong on demand, and for whom: decided by a hash of the data alone, whatever the order of requests.

A fault is written KIND:SHARE or KIND:SHARE:TIMES. SHARE of all items (what a request's data is) have it: TIMES it goes
wrong for such an item (1 if not given), then it goes well; `always` never does; `each` draws anew for every attempt.
An item has one fault at most. `[[fake-model KIND]]` or `[[fake-model KIND TIMES]]` in the data gives the item that one.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from shared.errors import UsageError

ANSWERS = ("half-json", "length", "schema", "empty", "refusal")  # an answer, but a bad one
STATUSES = ("429", "429-bare", "500", "503", "content-filter", "context-length", "wrong-key", "no-quota", "no-model")
BREAKS = ("hang", "cut")
KINDS = (*STATUSES, *BREAKS, *ANSWERS)

ALWAYS = 1 << 30
_MARKER = re.compile(r"\[\[fake-model (\S{1,20})(?: (\S{1,20}))?\]\]")


@dataclass(frozen=True, slots=True)
class Fault:
    """`times` 0 means: drawn anew for each attempt."""

    kind: str
    share: float
    times: int = 1


def fraction(*parts: object) -> float:
    """Evenly in [0, 1), the same for the same parts in every process."""
    text = "\0".join(map(str, parts)).encode(errors="surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[:8]) / 2**64


def parse(texts: Iterable[str]) -> tuple[Fault, ...]:
    """Of `429:0.05` and `500:0.05:2,refusal:0.01:always`. UsageError for anything else."""
    faults = tuple(_fault(part.strip()) for text in texts for part in text.split(",") if part.strip())
    if sum(fault.share for fault in faults) > 1 + 1e-9:
        raise UsageError("The shares of --fault are over 1 together: an item has one fault at most. Lower them.")
    return faults


def _fault(text: str) -> Fault:
    kind, _, rest = text.partition(":")
    share, _, times = rest.partition(":")
    if kind not in KINDS:
        raise UsageError(f"There is no fault {kind!r}: choose {', '.join(KINDS)}.")
    try:
        value, count = float(share), _times(times)
    except ValueError:
        value, count = -1.0, 0
    if not 0 <= value <= 1:
        raise UsageError(f"--fault {text!r} is not KIND:SHARE or KIND:SHARE:TIMES: write 429:0.05, or 500:0.01:always.")
    return Fault(kind, value, count)


def _times(text: str) -> int:
    if text in ("always", "each"):
        return ALWAYS if text == "always" else 0
    count = int(text or 1)
    if count < 1:
        raise ValueError(text)
    return count


def fault_of(faults: tuple[Fault, ...], key: str, attempt: int) -> str | None:
    """The kind of what goes wrong at this attempt (from 1) for the item whose data is `key`."""
    if (marked := _MARKER.search(key)) and marked[1] in KINDS:
        return marked[1] if attempt <= _marked_times(marked[2]) else None
    lasting = [fault for fault in faults if fault.times]
    place = fraction("fault", key)
    for fault, end in zip(lasting, accumulate(fault.share for fault in lasting), strict=True):
        if place < end:
            return fault.kind if attempt <= fault.times else None
    drawn = [fault for fault in faults if not fault.times]
    place = fraction("each", key, attempt)
    for fault, end in zip(drawn, accumulate(fault.share for fault in drawn), strict=True):
        if place < end:
            return fault.kind
    return None


def _marked_times(text: str | None) -> int:
    try:
        return _times(text or "")
    except ValueError:
        return 1
