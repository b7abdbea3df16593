"""What models took, as a table for a terminal: calls, tokens and dollars by stage."""

from collections.abc import Iterator

from shared.bill import Bill, Line
from shared.wording import money

HEADERS = ("Stage", "Model", "Calls", "Kept", "Tokens in", "out", "Dollars")
UNKNOWN = "unknown"


def spending_rows(bill: Bill) -> Iterator[tuple[str, ...]]:
    """A row for each line, and their sum; `~` marks tokens that are estimated, not reported by the endpoint."""
    for line in (*bill.lines, bill.total):
        yield _row(line)


def _row(line: Line) -> tuple[str, ...]:
    mark = "~" if line.estimated and (line.input or line.output) else ""
    return (
        line.stage,
        line.model,
        f"{line.calls:,}",
        f"{line.kept:,}",
        f"{mark}{line.input:,}",
        f"{mark}{line.output:,}",
        UNKNOWN if line.cost is None else money(line.cost),
    )


def cut_note(bill: Bill) -> str | None:
    """What the bill cannot know."""
    if not (cut := bill.total.cut):
        return None
    return f"{cut:,} {'call was' if cut == 1 else 'calls were'} cut off before the answer came: the cost is unknown."


def price_note(bill: Bill) -> str | None:
    """What to do where a price is unknown."""
    if not bill.unpriced:
        return None
    return (
        f"The price of {', '.join(bill.unpriced)} is not known, which does not mean nothing: name it in a file as "
        "shared/llm/prices.yaml is, and its path in INSIGHTS_PRICES."
    )
