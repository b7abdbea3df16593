"""The printed report says all that counts in plain text, and no text of a trace can drive the terminal."""

import io
import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from insights.printable import printable
from insights.report_text import ReportView, print_report
from shared.bill import Bill
from shared.job_config import JobConfig
from shared.models import (
    Cluster,
    Facts,
    HighlightedTrace,
    Item,
    ItemState,
    Job,
    JobState,
    Project,
    Report,
    Spending,
    Stage,
)

EVIL = "a\x1b[31mred\x1b]0;title\x07\x00\u202egnp.\u2066x\u200b\ud800\x9b2J [bold]b[/bold] :smile:"
LONG = "Users ask where a parcel is that was sent abroad some weeks ago and has not come to them until today"
STATS = {"run_count": 100, "error_rate": 0.05, "error_n": 100, "latency_p50": 4.06, "cost_p50": 0.012}
CLUSTERS = (
    Cluster(id="b", level=1, name="Delivery", description=LONG, num_runs=38, stats={"error_rate": 0.0}),
    Cluster(id="n", level=1, name="None of these", description="", num_runs=42),
    Cluster(id="a", level=1, name="Refunds", description="Money back", num_runs=20, stats={**STATS, "error_rate": 0.2}),
    Cluster(id="a1", parent_id="a", level=0, name="Partial refunds", description="A part", num_runs=15),
    Cluster(id="a2", parent_id="a", level=0, name="Other refunds", description="The rest", num_runs=5),
)


class Terminal:
    """A console that writes into memory, as a file would be written or as a terminal."""

    def __init__(self, width: int = 80, encoding: str = "utf-8", *, terminal: bool = False) -> None:
        self._bytes = io.BytesIO()
        self._file = io.TextIOWrapper(self._bytes, encoding)
        self.console = Console(width=width, file=self._file, force_terminal=terminal, _environ={"TERM": "xterm"})

    @property
    def text(self) -> str:
        self._file.flush()
        return self._bytes.getvalue().decode(self._file.encoding)


def view(*, items: tuple[Item, ...] = (), source: dict[str, Any] | None = None, **changes: Any) -> ReportView:
    fields: dict[str, Any] = {"clusters": CLUSTERS, "stats": STATS} | changes
    report = Report(workspace_id="w", job_id="j", fence=1, **fields)
    return ReportView(job(), report, project(source), items)


def job(**changes: Any) -> Job:
    fields: dict[str, Any] = {
        "workspace_id": "w",
        "id": "j",
        "project_id": "p",
        "name": "traces.jsonl",
        "created_at": 1_760_000_000_000_000,
        "config": JobConfig(),
        "received_before": 0,
        "state": JobState.SUCCESS,
        "matched": 312,
        "sampled": 300,
    }
    return Job(**(fields | changes))


def project(source: dict[str, Any] | None = None) -> Project:
    return Project(workspace_id="w", id="p", name="shop", created_at=0, source=source or {})


def printed(what: ReportView, width: int = 80, encoding: str = "utf-8", *, verbose: bool = False) -> str:
    terminal = Terminal(width, encoding)
    print_report(what, terminal.console, verbose=verbose)
    return terminal.text


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_header_says_what_was_read_and_in_which_time() -> None:
    coverage = {"requested": None, "matched": 312, "sampled": 300, "summarized": 288}
    text = printed(view(coverage=coverage))
    assert "Project shop, made 2025-10-09 08:53 UTC without a model" in text
    assert "Traces: 312 found, 300 in the sample, 288 summarised\n" in text
    assert "Window" not in text
    assert "Traces: 300 asked for, 312 found" in printed(view(coverage=coverage | {"requested": 300}))
    asked = replace(view(), job=job(config=JobConfig(engine="model")))
    assert "with a model" in printed(asked)
    assert "Made before" not in printed(asked)


def test_a_report_that_was_there_before_says_that_nothing_was_paid_now() -> None:
    spending = [Spending(stage=Stage.SUMMARIES, model="m", calls=9, input=1, output=1)]
    again = replace(view(), bill=Bill.of(spending, lambda one: 0.5), made_before=True)
    assert "nothing was computed this time." in printed(again)
    asked = printed(replace(again, job=job(config=JobConfig(engine="model"))))
    assert "Made before of the same traces and options: nothing was asked or paid this time." in asked
    assert "What the models took when it was made" in asked


def test_traces_that_an_attribute_filtered_are_summarised_and_left_out_by_its_name() -> None:
    coverage = {"matched": 30, "sampled": 30, "summarized": 30, "left_out": {"left out by attribute refund": 12}}
    text = printed(view(coverage=coverage), 120)
    assert "30 in the sample, 30 summarised, 12 left out by attribute refund\n" in text
    assert "- Left out by attribute refund, which is not true of them: 12\n" in text


def test_times_of_the_window_are_in_utc() -> None:
    framed = ReportView(job(window_start=0, window_end=86_400_000_000), None, project())
    assert "Began: from 1970-01-01 00:00 UTC to 1970-01-02 00:00 UTC" in printed(framed)


def test_categories_come_by_size_with_their_figures_and_none_of_these_last() -> None:
    lines = [words(line) for line in printed(view()).splitlines()]
    rows = [line for line in lines if "%" in line]
    assert rows == [
        "Delivery ████ 38 % 38 0 % – –",
        "Refunds ██ 20 % 20 20 % 4.1 s $0.012",
        "Partial refunds ██ 15 % 15 – – –",
        "Other refunds █ 5 % 5 – – –",
        "None of these ████ 42 % 42 – – –",
        "Whole sample ██████████ 100 % 100 5 % 4.1 s $0.012",
    ]


def test_subcategories_stand_indented_under_their_category() -> None:
    lines = printed(view()).splitlines()
    row = next(line for line in lines if "Partial refunds" in line)
    assert row.startswith("  Partial")
    assert lines.index(row) > lines.index(next(line for line in lines if line.startswith("Refunds")))


@pytest.mark.parametrize("width", [40, 80, 120])
def test_nothing_is_cut_and_no_line_is_too_long(width: int) -> None:
    name = "A category with a name that is far longer than the column that it stands in"
    clusters = (Cluster(id="a", level=1, name=name, description=LONG, num_runs=100, stats=STATS),)
    failed = [{"run_id": "r" * 36, "reason": LONG}]
    coverage = {"failed_count": 1, "failed": failed}
    text = printed(view(clusters=clusters, coverage=coverage, key_points=(LONG,), notes=(LONG,)), width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    assert words(text).count(LONG) == 4
    assert all(word in text for word in name.split())
    assert all(line == line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("width", range(30, 50))
def test_a_percent_sign_stays_beside_its_number(width: int) -> None:
    points = ("Refunds fail most: 34 % of them, where 12 % of all others fail, and 100 % of none.",)
    text = printed(view(key_points=points), width)
    assert all(share in text for share in ("34 %", "12 %", "100 %"))
    assert words(text).count(points[0]) == 1


def test_a_file_gets_no_escape_codes_and_a_terminal_does() -> None:
    terminal = Terminal(terminal=True)
    print_report(view(), terminal.console)
    assert "\x1b[" in terminal.text
    assert "\x1b" not in printed(view())


def test_an_encoding_without_bars_gets_ascii() -> None:
    text = printed(view(clusters=(CLUSTERS[0].model_copy(update={"name": "Café"}),)), encoding="ascii")
    assert "####" in text
    assert "Caf?" in text
    assert "Delivery ## 38 %" not in text


def test_text_of_a_trace_cannot_drive_the_terminal() -> None:
    """In every place where text of a trace, a file or a client is printed."""
    bad = [{"run_id": EVIL, "line": 1, "reason": EVIL}]
    item = Item(workspace_id="w", job_id="j", id="i", run_ids=("r",), summary=EVIL, source_id=EVIL)
    evil: dict[str, Any] = {
        "clusters": (Cluster(id="a", level=1, name=EVIL, description=EVIL, num_runs=3, stats=_evil_stats()),),
        "stats": _evil_stats(),
        "title": EVIL,
        "key_points": (EVIL,),
        "notes": (EVIL,),
        "highlighted_traces": (
            HighlightedTrace(run_id=EVIL, rank=1, highlight_reason=EVIL, cluster_name=EVIL, summary=EVIL),
        ),
        "coverage": {"failed_count": 1, "failed": bad, "left_out": {EVIL: 1}},
    }
    source = {"bad_line_count": 1, "bad_lines": bad}
    items = (item.model_copy(update={"attributes": {EVIL: EVIL}}),)
    texts = [
        printed(view(source=source, **evil), 200, verbose=True),
        printed(view(items=items, **evil), 200),
    ]
    for text in texts:
        unsafe = {one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Cs")} - {"\n"}
        assert unsafe == set()
        assert "[bold]b[/bold] :smile:" in text


def _evil_stats() -> dict[str, Any]:
    trace = {"run_id": EVIL, "source_id": EVIL, "summary": EVIL}
    return {
        "attributes": {EVIL: {"type": "string", "n": 3, "unknown": 0, "values": {EVIL: 3}, "distinct": 1}},
        "differences": [difference(EVIL)],
        "typical": trace,
        "unusual": {"n": 1, "traces": [trace]},
    }


def difference(text: str, name: str = "x", effect: float = 1.0) -> dict[str, Any]:
    return {"of": "facts", "name": name, "value": None, "effect": effect, "text": text}


@given(st.text(st.characters(), max_size=40), st.sampled_from(["utf-8", "ascii", "latin-1"]))
def test_printable_text_is_one_line_that_its_encoding_holds(text: str, encoding: str) -> None:
    safe = printable(text, encoding)
    assert safe.encode(encoding).decode(encoding) == safe
    assert {one for one in safe if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp")} == set()
    assert printable(safe, encoding) == safe


def test_joined_emoji_stay_whole() -> None:
    assert printable("👩‍💻 नमस्ते") == "👩‍💻 नमस्ते"


def test_a_handful_of_traces_is_a_list_and_not_categories() -> None:
    item = Item(
        workspace_id="w",
        job_id="j",
        id="i",
        run_ids=("r1", "r2"),
        state=ItemState.DONE,
        summary="Asks for money back",
        attributes={"satisfied": None},
        facts=Facts(error=True, latency=2.0),
    )
    text = printed(view(items=(item,)))
    assert "- Asks for money back\n  r2, ended in an error, 2.0 s\n  satisfied: –\n" in text
    assert "Whole sample" not in text
    assert "Whole sample" in printed(view(items=(item,) * 8))


def test_key_points_highlights_and_notes_are_printed() -> None:
    one = HighlightedTrace(run_id="r1", rank=1, highlight_reason="Took 40 s", cluster_name="Refunds", summary="Asks")
    text = printed(view(key_points=("Refunds fail (#1).",), highlighted_traces=(one,), notes=("Not English.",)))
    assert "- Refunds fail (#1).\n" in text
    assert "#1 Took 40 s\n   r1, in: Refunds\n   Asks\n" in text
    assert "How far to trust it\n- Not English.\n" in text


def test_what_is_missing_is_counted_with_the_first_reasons() -> None:
    failed = [{"run_id": f"r{n}", "reason": "too long"} for n in range(9)]
    source = {"bad_line_count": 1, "bad_lines": [{"line": 4, "reason": "not JSON"}], "duplicates": 2}
    coverage = {"unfinished": 3, "failed_count": 12, "failed": failed, "left_out": {"no budget": 5}}
    text = printed(view(coverage=coverage, source=source))
    assert "- Runs that had not ended: 3\n- Failed: 12\n  - r0: too long\n" in text
    assert "  - r4: too long\n  - and 7 more\n- Left out: 5\n  - no budget\n" in text
    assert "- Bad lines in the file: 1\n  - line 4: not JSON\n" in text
    assert "- Repeated ids in the file, of which the last counts: 2\n" in text
    assert "  - r8: too long\n  - and 3 more\n" in printed(view(coverage=coverage), verbose=True)


def test_nothing_is_said_to_be_missing_where_nothing_is() -> None:
    assert "Not in this report" not in printed(view(coverage={"failed_count": 0, "failed": [], "left_out": {}}))


def test_many_subcategories_are_counted_and_shown_when_asked_for() -> None:
    leaves = tuple(
        Cluster(id=f"l{n:02}", parent_id="a", level=0, name=f"Leaf {n:02}", description="", num_runs=5)
        for n in range(20)
    )
    what = view(clusters=(CLUSTERS[2], *leaves))
    assert "    and 12 smaller subcategories with 60 traces\n" in printed(what)
    assert "Leaf 19" not in printed(what)
    assert "Leaf 19" in printed(what, verbose=True)


BOOLEAN = {"type": "boolean", "n": 90, "unknown": 10, "share": 0.8, "rest": {"n": 50, "unknown": 0, "share": 0.4}}
NUMBER = {"type": "number", "n": 9, "unknown": 0, "p25": 1, "p50": 2.5, "p75": 4, "avg": 2.6, "positive": 1.0}
STRING = {"type": "string", "n": 3, "unknown": 0, "values": {"login": 1, "billing": 2, "other": 0}, "distinct": 2}
NOBODY = {"type": "boolean", "n": 0, "unknown": 100, "share": None, "rest": {"n": 0, "unknown": 9, "share": None}}


def test_all_figures_of_attributes_and_facts_are_shown_when_asked_for() -> None:
    stats = {
        "attributes": {"ok": BOOLEAN, "topic": STRING, "odd": NOBODY, "refund": {**NUMBER, "rest": NUMBER}},
        "facts": {
            "tool_calls": {**NUMBER, "rest": NUMBER},
            "refusal": NOBODY,
            "tool_errors": {**NUMBER, "p25": 0, "p50": 0, "positive": 0.3, "rest": {**NUMBER, "positive": 0.1}},
            "effort": {**NUMBER, "p50": 0.7},
        },
    }
    what = view(clusters=(CLUSTERS[0].model_copy(update={"stats": stats}),))
    lines = [line.strip() for line in printed(what, 120, verbose=True).splitlines()]
    assert "ok: true in 80 % of 90, 10 unknown; rest true in 40 %" in lines
    assert "topic: billing 2, login 1 of 3" in lines
    assert "odd: unknown in all 100" in lines
    assert "refund: median 2.5 (half in 1 to 4) of 9; rest median 2.5 (half in 1 to 4)" in lines
    assert "Facts: tool calls 2.5 (rest 2.5), a tool failed 30 % (rest 10 %), effort 70 of 100" in lines
    assert "80 %" not in printed(what)


def test_each_attribute_that_was_asked_for_has_a_line_over_the_whole_sample() -> None:
    whole = {"ok": {**BOOLEAN, "rest": None}, "topic": STRING, "euros": NUMBER, "odd": NOBODY}
    text = printed(view(stats={**STATS, "attributes": whole}))
    assert (
        "Attributes\n- ok: true in 80 % of 90, 10 unknown\n- topic: billing 2, login 1 of 3\n"
        "- euros: median 2.5 (half in 1 to 4) of 9\n- odd: unknown in all 100\n"
    ) in text
    assert "Attributes" not in printed(view())


def test_in_what_a_category_differs_of_what_was_asked_for_is_never_cut() -> None:
    told = [difference(f"x{n} 34 %", f"x{n}") for n in range(9)] + [{**difference("ok 9 %", "ok"), "of": "attributes"}]
    text = words(printed(view(clusters=(CLUSTERS[0].model_copy(update={"stats": {"differences": told}}),))))
    assert "x3 34 %, ok 9 % " in text


def test_what_differs_from_the_rest_stands_below_its_category() -> None:
    told = [difference(f"x{n} 34 % (rest 12 %)", f"x{n}") for n in range(9)]
    clusters = (CLUSTERS[0].model_copy(update={"stats": {"differences": told}}),)
    text = words(printed(view(clusters=clusters)))
    assert (
        "Differs from the rest: x0 34 % (rest 12 %), x1 34 % (rest 12 %), x2 34 % (rest 12 %), x3 34 % (rest 12 %) "
        in text
    )
    assert "x4" not in text
    assert "x8" in printed(view(clusters=clusters), verbose=True)


def test_a_subcategory_does_not_say_again_what_its_category_says() -> None:
    top = [difference("errors 34 %", "errors"), difference("turns 9", "turns")]
    leaves = [
        [difference("errors 50 %", "errors"), difference("turns 1", "turns", -1.0), difference("calls 3", "calls")],
        [difference("errors 20 %", "errors")],
    ]
    clusters = (
        CLUSTERS[2].model_copy(update={"stats": {"differences": top}}),
        *(
            CLUSTERS[3].model_copy(update={"id": str(n), "stats": {"differences": found}})
            for n, found in enumerate(leaves)
        ),
    )
    lines = [words(line) for line in printed(view(clusters=clusters)).splitlines() if "Differs" in line]
    assert lines == ["Differs from the rest: errors 34 %, turns 9", "Differs from the rest: turns 1, calls 3"]


def test_a_category_of_one_subcategory_does_not_show_it() -> None:
    text = printed(view(clusters=(CLUSTERS[2], CLUSTERS[3])))
    assert "Refunds" in text
    assert "Partial" not in text


def test_a_category_names_its_typical_trace_by_the_id_that_its_reader_knows() -> None:
    def typical(**trace: str | None) -> str:
        return printed(view(clusters=(CLUSTERS[0].model_copy(update={"stats": {"typical": trace}}),)))

    assert "  Typical: ticket 4\n" in typical(run_id="r", source_id="ticket 4")
    assert "  Typical: r\n" in typical(run_id="r", source_id=None)
    assert "Typical" not in printed(view())


def test_traces_unlike_the_others_are_a_list_with_what_is_left_out() -> None:
    traces = [{"run_id": f"r{n}", "source_id": None, "summary": "said " * 80} for n in range(5)]
    text = printed(view(stats={**STATS, "unusual": {"n": 7, "traces": traces}}))
    assert "\nTraces unlike the others\n- said" in text
    assert "  r4\n- and 2 more\n" in text
    assert 30 < text.count("said") / 5 < 41
    assert printed(view(stats={**STATS, "unusual": {"n": 7, "traces": traces}}), verbose=True).count("said") == 400
    assert "unlike" not in printed(view(stats={**STATS, "unusual": {"n": 0, "traces": []}}))


def test_what_is_to_be_opened_first_is_not_shown_again_as_unlike_the_others() -> None:
    first = HighlightedTrace(run_id="r0", rank=1, highlight_reason="Unlike all others")
    traces = [{"run_id": f"r{n}", "source_id": f"ticket {n}", "summary": "said"} for n in range(2)]
    stats = {**STATS, "unusual": {"n": 2, "traces": traces}}
    assert "ticket 0" not in printed(view(stats=stats, highlighted_traces=(first,)))
    assert "ticket 1" in printed(view(stats=stats, highlighted_traces=(first,)))
    assert "unlike the" not in printed(
        view(stats={**STATS, "unusual": {"n": 1, "traces": traces[:1]}}, highlighted_traces=(first,))
    )


def test_of_a_job_that_failed_only_what_was_paid_is_printed() -> None:
    """Why it failed is the command's sentence."""
    failed = ReportView(job(state=JobState.ERROR, error="No traces match."), None, project({"duplicates": 2}))
    assert printed(failed) == ""
    paid = Bill.of([Spending(stage=Stage.SUMMARIES, model="m", calls=9)], lambda one: 0.5)
    assert printed(replace(failed, bill=paid)).startswith("\nWhat the models took\n")


def test_the_draft_of_a_job_that_failed_is_not_shown_as_its_report() -> None:
    draft = view(title="A draft")
    text = printed(ReportView(job(state=JobState.ERROR, error="Away."), draft.report, project()))
    assert "Refunds" not in text
    assert "A draft" not in text


def test_a_job_that_is_not_finished_says_so() -> None:
    assert "not finished: its state is running" in printed(ReportView(job(state=JobState.RUNNING), None, project()))


def test_what_models_took_is_said_by_stage_and_unknown_prices_are_no_zeros() -> None:
    spending = [
        Spending(stage=Stage.FINDINGS, model="house", calls=1, input=1_234, output=56, estimated=True),
        Spending(stage=Stage.SUMMARIES, model="gpt-5-mini", calls=296, kept=4, input=154_749, output=16_263, cut=2),
    ]
    bill = Bill.of(spending, lambda one: None if one.model == "house" else 0.0712)
    text = printed(replace(view(), bill=bill))
    table = [words(line) for line in text.splitlines()]
    assert "summaries gpt-5-mini 296 4 154,749 16,263 $0.071" in table
    assert "findings house 1 0 ~1,234 ~56 unknown" in table
    assert "together 297 4 ~155,983 ~16,319 unknown" in table
    assert "The price of house is not known" in words(text)
    assert "2 calls were cut off before the answer came: the cost is unknown." in words(text)
    assert "What the models took" not in printed(view())


def test_a_models_name_cannot_drive_the_terminal_or_break_the_table() -> None:
    bill = Bill.of([Spending(stage=Stage.SUMMARIES, model=EVIL * 9, calls=1)], lambda one: 0.0)
    text = printed(replace(view(), bill=bill), 40)
    assert "\x1b" not in text
    assert max(cell_len(line) for line in text.splitlines()) <= 40
