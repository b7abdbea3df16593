"""What models took: every stage in its order, and never a price that nobody knows."""

from shared.bill import NO_BILL, Bill
from shared.models import Spending, Stage

PAID = Spending(stage=Stage.FINDINGS, model="m", calls=2, input=10, output=5)
KEPT = Spending(stage=Stage.SUMMARIES, model="m", kept=7)


def test_stages_come_in_their_order_and_are_added_up() -> None:
    bill = Bill.of([PAID, KEPT], lambda one: float(one.calls))
    assert [line.stage for line in bill.lines] == ["summaries", "findings"]
    assert (bill.total.calls, bill.total.kept, bill.total.input, bill.cost) == (2, 7, 10, 2.0)
    assert (bill.note(Stage.FINDINGS), bill.note(Stage.SUMMARIES)) == ("2 calls, $2.00", "")


def test_a_sum_with_an_unknown_part_is_unknown() -> None:
    bill = Bill.of([PAID, KEPT], lambda one: None if one.calls else 0.0)
    assert (bill.cost, bill.document()["cost"], bill.unpriced) == (None, None, ["m"])
    assert bill.note(Stage.FINDINGS) == "2 calls"


def test_nothing_that_was_asked_costs_nothing() -> None:
    assert NO_BILL.document() == {"spending": [], "cost": 0}
