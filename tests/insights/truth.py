"""The figures of a report made again from the raw file, by code that shares nothing with the product."""

import gzip
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

KEYS = {
    "id", "name", "status", "created_at", "start_time", "end_time", "shape", "error", "clusters", "report",
    "runs", "coverage", "engine", "seed", "notes", "trust", "spending", "cost", "stats",
}  # fmt: skip
RUN_KEYS = {
    "run_id", "source_id", "trace_id", "thread_id", "cluster_id", "cluster_ids", "cluster_name", "summary",
    "attributes", "unknown", "quotes", "quotes_dropped", "unread", "confidence", "unusual", "effort", "facts",
}  # fmt: skip
FACTS = {
    "user_turns", "tool_calls", "tool_errors", "last_result_error", "repeated_calls", "handed_over", "refusal",
    "ends_in_question", "effort",
}  # fmt: skip
CLUSTER_KEYS = {"id", "parent_id", "level", "name", "description", "parent_name", "num_runs", "stats"}
COVERAGE_KEYS = {
    "requested", "matched", "unfinished", "sampled", "summarized", "failed_count", "failed", "left_out",
    "bad_line_count", "bad_lines",
}  # fmt: skip
TOKENS = (("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens"), ("total_tokens",))


@dataclass(frozen=True)
class Trace:
    """Latency in seconds, cost in dollars; what the file does not say is None."""

    id: str
    error: bool
    ended: bool
    latency: float | None
    prompt: int | None
    completion: int | None
    total: int | None
    cost: float | None
    feedback: Mapping[str, float]


def traces_of(path: Path) -> dict[str, Trace]:
    """Every trace of a file of LangSmith runs, nested or flat, whole or as posts and patches, by its root's id."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        runs = _merged(json.loads(line) for line in file)
    roots = [run for run in runs if not run.get("parent_run_id")]
    flat = [run for run in runs if run.get("parent_run_id")]
    return {
        root["id"]: _trace(root, [*_below(root), *(run for run in flat if run["trace_id"] == root["id"])])
        for root in roots
    }


def _merged(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """A patch over its post, which it says again only in part."""
    found: dict[str, dict[str, Any]] = {}
    for record in records:
        told = {key: value for key, value in record.items() if value not in (None, "", [], {})}
        found[record["id"]] = found.get(record["id"], {}) | told
    return list(found.values())


def _below(run: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for child in run.get("child_runs") or []:
        yield child
        yield from _below(child)


def _trace(root: dict[str, Any], spans: list[dict[str, Any]]) -> Trace:
    own = _tokens(root)
    calls = [_tokens(span) for span in spans if span.get("run_type") == "llm"]
    prompt, completion, total = (
        own[place] if own[place] is not None else _sum(call[place] for call in calls) for place in range(3)
    )
    return Trace(
        id=root["id"],
        error=bool(root.get("error")),
        ended=root.get("status") != "pending",
        latency=_latency(root),
        prompt=prompt,
        completion=completion,
        total=total,
        cost=root.get("total_cost"),
        feedback={key: stats["avg"] for key, stats in (root.get("feedback_stats") or {}).items()},
    )


def _latency(run: dict[str, Any]) -> float | None:
    if not run.get("start_time") or not run.get("end_time"):
        return None
    start, end = (datetime.fromisoformat(run[key]) for key in ("start_time", "end_time"))
    start, end = (time if time.tzinfo else time.replace(tzinfo=UTC) for time in (start, end))
    return (end - start).total_seconds()


def _tokens(run: dict[str, Any]) -> tuple[int | None, int | None, int | None]:
    """Of the run itself, of what its model returned (also as LangChain's generations), or of its metadata."""
    outputs = run.get("outputs") or {}
    told = outputs.get("usage_metadata") or _generated(outputs) or (run.get("extra") or {}).get("metadata") or {}
    told = run if any(run.get(name) is not None for names in TOKENS for name in names) else told
    prompt, completion, total = (
        next((told[name] for name in names if told.get(name) is not None), None) for names in TOKENS
    )
    if total is None and prompt is not None and completion is not None:
        total = prompt + completion
    return prompt, completion, total


def _generated(outputs: dict[str, Any]) -> dict[str, Any]:
    sums: dict[str, Any] = {}
    for generation in (one for row in outputs.get("generations") or [] for one in row):
        for key, value in ((generation["message"].get("kwargs") or {}).get("usage_metadata") or {}).items():
            if isinstance(value, int):
                sums[key] = sums.get(key, 0) + value
    return sums


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def check_report(document: dict[str, Any], traces: Mapping[str, Trace]) -> None:
    """That the report has its keys, leaves nothing out in silence, and states the figures of these traces."""
    check_shape(document)
    check_tree(document)
    check_figures(document, traces)


def check_shape(document: dict[str, Any]) -> None:
    assert set(document) == KEYS
    assert document["status"] == "success"
    assert all(set(row) == RUN_KEYS for row in document["runs"])
    assert all(set(cluster) == CLUSTER_KEYS for cluster in document["clusters"])
    coverage = document["coverage"]
    assert set(coverage) == COVERAGE_KEYS
    assert set(document["report"]) == {"title", "key_points", "highlighted_traces"}
    assert (document["engine"], document["seed"]) == ("local", 0)
    ends = document["stats"]["run_count"] + coverage["failed_count"] + sum(coverage["left_out"].values())
    assert ends == coverage["sampled"] <= coverage["matched"]
    assert len(document["runs"]) == coverage["summarized"] == document["stats"]["run_count"]


def check_tree(document: dict[str, Any]) -> None:
    """Each row in exactly one leaf, and in what is above it; each category as large as its rows and its children."""
    clusters = {cluster["id"]: cluster for cluster in document["clusters"]}
    assert len(clusters) == len(document["clusters"])
    rows = document["runs"]
    assert len({row["run_id"] for row in rows}) == len(rows)
    for row in rows:
        leaf = clusters[row["cluster_id"]]
        assert leaf["level"] == 0
        assert leaf["name"] == row["cluster_name"]
        assert row["cluster_ids"] == [one["id"] for one in _up(leaf, clusters)]
    for cluster in clusters.values():
        children = [one for one in clusters.values() if one["parent_id"] == cluster["id"]]
        assert cluster["num_runs"] == sum(cluster["id"] in row["cluster_ids"] for row in rows)
        assert not children or cluster["num_runs"] == sum(one["num_runs"] for one in children)
    assert sum(document["shape"].values()) == len(rows)


def _up(cluster: dict[str, Any], clusters: Mapping[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    while True:
        yield cluster
        if cluster["parent_id"] is None:
            return
        above = clusters[cluster["parent_id"]]
        assert cluster["parent_name"] == above["name"]
        cluster = above


def check_figures(document: dict[str, Any], traces: Mapping[str, Trace]) -> None:
    rows = document["runs"]
    _same(document["stats"], [traces[row["run_id"]] for row in rows], len(rows))
    check_aspects(document["stats"], rows, None)
    for cluster in document["clusters"]:
        inside = [row for row in rows if cluster["id"] in row["cluster_ids"]]
        _same(cluster["stats"], [traces[row["run_id"]] for row in inside], len(rows))
        check_aspects(cluster["stats"], inside, [row for row in rows if row not in inside])
        _check_examples(cluster["stats"], inside)


def _same(stats: Mapping[str, Any], members: list[Trace], whole: int) -> None:
    expected = _figures(members)
    for key, value in expected.items():
        close = value if value is None else pytest.approx(value, rel=1e-9, abs=1e-12)
        assert stats[key] == close, key
    assert stats.get("share", 1.0) == pytest.approx(len(members) / whole)
    feedback = {key: (one["n"], one["avg"]) for key, one in stats["feedback_stats"].items()}
    wanted = _feedback(members)
    assert feedback.keys() == wanted.keys()
    for key, (count, mean) in wanted.items():
        assert feedback[key] == (count, pytest.approx(mean))


def _figures(members: list[Trace]) -> dict[str, float | None]:
    latencies = [one.latency for one in members if one.latency is not None]
    costs = [one.cost for one in members if one.cost is not None]
    totals = [one.total for one in members if one.total is not None]
    return {
        "run_count": len(members),
        "error_rate": sum(one.error for one in members) / len(members) if members else None,
        "error_n": len(members),
        "latency_p50": _percentile(latencies, 50),
        "latency_p95": _percentile(latencies, 95),
        "latency_p99": _percentile(latencies, 99),
        "latency_n": len(latencies),
        "prompt_tokens": _sum(one.prompt for one in members),
        "completion_tokens": _sum(one.completion for one in members),
        "total_tokens": _sum(totals),
        "median_tokens": _percentile(totals, 50),
        "tokens_n": len(totals),
        "total_cost": math.fsum(costs) if costs else None,
        "cost_p50": _percentile(costs, 50),
        "cost_n": len(costs),
    }


def _percentile(values: list[Any], percent: int) -> float | None:
    """Linear between the two nearest ranks."""
    if not values:
        return None
    ranked = sorted(values)
    place = (len(ranked) - 1) * percent / 100
    below = math.floor(place)
    above = min(below + 1, len(ranked) - 1)
    return float(ranked[below] + (ranked[above] - ranked[below]) * (place - below))


def _feedback(members: list[Trace]) -> dict[str, tuple[int, float]]:
    found: dict[str, list[float]] = {}
    for one in members:
        for key, score in one.feedback.items():
            found.setdefault(key, []).append(score)
    return {key: (len(scores), math.fsum(scores) / len(scores)) for key, scores in found.items()}


def check_aspects(stats: Mapping[str, Any], inside: list[dict[str, Any]], outside: list[dict[str, Any]] | None) -> None:
    """Attributes and facts of these rows, and of the rest beside them; without a rest there is none."""
    assert set(stats["facts"]) == FACTS
    assert set(stats["attributes"]) == {name for row in inside for name in row["attributes"]}
    for of in ("attributes", "facts"):
        for name, found in stats[of].items():
            kind = found["type"]
            _same_aspect(found, kind, [_value(row, of, name) for row in inside])
            assert ("rest" in found) == (outside is not None), name
            if outside is not None:
                _same_aspect(found["rest"], kind, [_value(row, of, name) for row in outside])


def _value(row: Mapping[str, Any], of: str, name: str) -> Any:
    if name == "effort" and of == "facts":
        return row["effort"]
    return (row[of] or {}).get(name)


def _same_aspect(found: Mapping[str, Any], kind: str, values: list[Any]) -> None:
    known = [value for value in values if value is not None]
    assert (found["n"], found["unknown"]) == (len(known), len(values) - len(known))
    if kind == "boolean":
        assert found["share"] == (pytest.approx(known.count(True) / len(known)) if known else None)
    elif kind == "number":
        quartiles = [_percentile(known, percent) for percent in (25, 50, 75)]
        assert [found[name] for name in ("p25", "p50", "p75")] == [
            None if value is None else pytest.approx(value) for value in quartiles
        ]
        assert found["positive"] == (pytest.approx(sum(one > 0 for one in known) / len(known)) if known else None)
    elif found["values"] is not None:
        assert found["values"] == {value: known.count(value) for value in found["values"]}
        assert found["distinct"] == len(set(known))


def _check_examples(stats: Mapping[str, Any], inside: list[dict[str, Any]]) -> None:
    """The typical trace is the surest of its leaf, and each difference is one of the figures beside it."""
    if stats["typical"] is not None:
        rows = {row["run_id"]: row for row in inside}
        typical = rows[stats["typical"]["run_id"]]
        leaf = [row for row in inside if row["cluster_id"] == typical["cluster_id"]]
        assert typical["confidence"] == max(row["confidence"] for row in leaf)
    for one in stats["differences"]:
        figure = stats[one["of"]][one["name"]]
        assert min(figure["n"], figure["rest"]["n"]) >= 5
        key = {"median": "p50", "mean": "avg"}.get(one["kind"])
        if key:
            assert (figure[key], figure["rest"][key]) == (pytest.approx(one["here"]), pytest.approx(one["rest"]))
