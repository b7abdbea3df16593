"""The sample traces: the same bytes for the same seed, whole as LangSmith's are, and with what they promise inside."""

import hashlib
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean, median
from typing import Any
from uuid import UUID

import pytest

from insights.demo import END, generate, write
from insights.demo_texts import Intent, draw_facts, texts
from insights.demo_texts import opening as first_words
from shared.errors import UsageError

Run = dict[str, Any]
MANY = 1_500
PRINT_HASH = """
import hashlib, json
from insights.demo import generate
print(hashlib.sha256("".join(json.dumps(run) for run in generate(40, 3)).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def sample() -> list[Run]:
    """The default number of traces, with their truth."""
    return list(generate(truth=True))


@pytest.fixture(scope="module")
def many() -> list[Run]:
    return list(generate(MANY, seed=7, truth=True))


def dumped(runs: Iterator[Run]) -> str:
    return "".join(json.dumps(run) for run in runs)


def messages(run: Run) -> list[dict[str, Any]]:
    return [*run["inputs"]["messages"], *(run["outputs"] or {"messages": []})["messages"]]


def opening(run: Run) -> str:
    content = run["inputs"]["messages"][1]["content"]
    assert isinstance(content, str)
    return content


def seconds(run: Run) -> float:
    return (datetime.fromisoformat(run["end_time"]) - datetime.fromisoformat(run["start_time"])).total_seconds()


def finished(runs: list[Run]) -> list[Run]:
    return [run for run in runs if run["end_time"]]


def with_failure(runs: list[Run], failure: str) -> list[Run]:
    return [run for run in runs if run["truth"]["failure"] == failure]


def score(run: Run) -> float:
    average = run["feedback_stats"]["user_score"]["avg"]
    assert isinstance(average, float)
    return average


def by_thread(runs: list[Run]) -> list[list[Run]]:
    threads: dict[str, list[Run]] = {}
    for run in runs:
        if thread_id := run["extra"]["metadata"].get("thread_id"):
            threads.setdefault(thread_id, []).append(run)
    return list(threads.values())


def share(runs: list[Run], holds: Callable[[Run], object]) -> float:
    return sum(bool(holds(run)) for run in runs) / len(runs)


def test_the_same_arguments_give_the_same_bytes_in_every_process() -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "TZ": "Asia/Tokyo"}
    other = subprocess.run(
        [sys.executable, "-c", PRINT_HASH], capture_output=True, text=True, check=True, env=environment
    )
    assert other.stdout.strip() == hashlib.sha256(dumped(generate(40, 3)).encode()).hexdigest()


def test_another_seed_gives_other_traces() -> None:
    first, second = ({run["id"] for run in generate(40, seed)} for seed in (0, 1))
    assert not first & second
    assert {opening(run) for run in generate(40, 0)} != {opening(run) for run in generate(40, 1)}


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 20, 61, 300])
def test_it_makes_as_many_traces_as_asked_for(count: int) -> None:
    assert len({run["id"] for run in generate(count)}) == count


def test_a_negative_number_is_refused_with_a_sentence() -> None:
    with pytest.raises(UsageError, match="give 0 or more"):
        generate(-1)


def test_an_end_without_a_time_zone_is_refused_with_a_sentence() -> None:
    with pytest.raises(UsageError, match="no time zone"):
        generate(1, end=datetime(2026, 1, 1))  # noqa: DTZ001


def test_every_line_of_the_file_is_one_root_run(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    write(path, 25, 4)
    assert [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] == list(generate(25, 4))


def test_a_file_that_cannot_be_written_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="folder that exists"):
        write(tmp_path / "missing" / "traces.jsonl", 1)


def test_the_truth_is_given_on_demand_alone(sample: list[Run]) -> None:
    assert list(generate()) == [{key: value for key, value in run.items() if key != "truth"} for run in sample]
    assert all(set(run["truth"]) == {"area", "intent", "failure", "mixed", "odd"} for run in sample)


def test_no_label_says_the_name_of_an_intent_or_area(many: list[Run]) -> None:
    """Tools have telling names, as in real traces; run names, tags and metadata have not."""
    known = {run["truth"][key] for run in many for key in ("area", "intent")} - {None}
    for root in many:
        labels = [(run["extra"], run["tags"]) for run in (root, *root["child_runs"])]
        written = json.dumps([root["name"], *labels])
        assert not [name for name in known if name in written]
        assert set(root["extra"]["metadata"]) <= {"env", "plan", "model", "version", "thread_id"}


def test_tags_and_metadata_are_the_same_over_all_intents(many: list[Run]) -> None:
    """No tag, plan, environment, model or version belongs to a few intents only."""
    seen: dict[str, set[str]] = {}
    for run in many:
        metadata = {key: value for key, value in run["extra"]["metadata"].items() if key != "thread_id"}
        for label in (*run["tags"], *metadata.values()):
            seen.setdefault(label, set()).add(run["truth"]["intent"])
    assert min(map(len, seen.values())) >= 14


def test_ids_are_uuids_and_unique(many: list[Run]) -> None:
    ids = [run["id"] for root in many for run in (root, *root["child_runs"])]
    assert len(set(ids)) == len(ids)
    assert all(UUID(run_id).version == 4 and str(UUID(run_id)) == run_id for run_id in ids)


def test_dotted_orders_name_trace_parent_and_start_and_sort_as_they_ran(many: list[Run]) -> None:
    for root in many:
        family = [root, *root["child_runs"]]
        orders = [run["dotted_order"] for run in family]
        assert orders == sorted(orders)
        for run in family:
            start = datetime.fromisoformat(run["start_time"]).strftime("%Y%m%dT%H%M%S%fZ")
            parent = "" if run is root else root["dotted_order"] + "."
            assert run["dotted_order"] == f"{parent}{start}{run['id']}"
            assert run["trace_id"] == root["id"]
            assert run["parent_run_id"] == (None if run is root else root["id"])


def test_runs_inside_lie_within_their_root_and_follow_each_other(many: list[Run]) -> None:
    for root in finished(many):
        times = [root["start_time"]]
        for run in root["child_runs"]:
            times += [run["start_time"], run["end_time"]]
        times.append(root["end_time"])
        assert times == sorted(times)


def test_traces_are_sorted_and_lie_in_the_14_days_before_the_end() -> None:
    end = datetime(2025, 3, 30, 13, 30, tzinfo=UTC)
    runs = list(generate(500, end=end))
    starts = [datetime.fromisoformat(run["start_time"]) for run in runs]
    assert starts == sorted(starts)
    assert starts[0] >= end - timedelta(days=14)
    assert max(datetime.fromisoformat(run["end_time"]) for run in finished(runs)) < end
    assert len({start.date() for start in starts}) >= 14


def test_days_are_busier_than_nights(many: list[Run]) -> None:
    hours = Counter(datetime.fromisoformat(run["start_time"]).hour for run in many)
    assert sum(hours[hour] for hour in range(9, 15)) > 6 * sum(hours[hour] for hour in range(6))


def test_every_tool_call_is_answered_and_is_a_run_inside(many: list[Run]) -> None:
    for root in many:
        calls = [call for message in messages(root) for call in message.get("tool_calls", ())]
        answers = [message["tool_call_id"] for message in messages(root) if message["role"] == "tool"]
        assert answers == [call["id"] for call in calls]
        if root["end_time"]:
            tools = [(run["name"], run["inputs"]) for run in root["child_runs"] if run["run_type"] == "tool"]
            assert tools == [(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in calls]


def test_every_trace_begins_with_the_same_system_prompt_and_finished_ones_end_with_an_answer(many: list[Run]) -> None:
    assert len({run["inputs"]["messages"][0]["content"] for run in many}) == 1
    assert {tuple(message["role"] for message in run["inputs"]["messages"]) for run in many} == {("system", "user")}
    last = [messages(run)[-1] for run in finished(many)]
    assert all(message["role"] == "assistant" and message["content"] for message in last)


def test_no_slot_is_left_unfilled(many: list[Run]) -> None:
    said = [message["content"] or "" for run in many for message in messages(run) if message["role"] != "tool"]
    assert not [text for text in said if "{" in text or "}" in text]


def test_the_totals_of_a_root_are_the_sums_of_its_model_runs(many: list[Run]) -> None:
    for root in finished(many):
        usages = [run["outputs"]["usage_metadata"] for run in root["child_runs"] if run["run_type"] == "llm"]
        assert root["prompt_tokens"] == sum(usage["input_tokens"] for usage in usages) > 0
        assert root["completion_tokens"] == sum(usage["output_tokens"] for usage in usages) > 0
        assert root["total_tokens"] == root["prompt_tokens"] + root["completion_tokens"]
        assert root["total_cost"] == pytest.approx(sum(usage["total_cost"] for usage in usages), abs=1e-7)


@pytest.mark.parametrize("runs", ["sample", "many"])
def test_intents_are_unequal_and_have_their_shares(runs: str, request: pytest.FixtureRequest) -> None:
    found: list[Run] = request.getfixturevalue(runs)
    intents = Counter(run["truth"]["intent"] for run in found if run["truth"]["intent"])
    total = sum(intents.values())
    assert len(intents) == 16
    assert intents["track_order"] / total == pytest.approx(0.25, abs=0.005)
    assert min(intents.values()) / total == pytest.approx(0.02, abs=0.005)
    assert len({run["truth"]["area"] for run in found} - {None}) == 5


@pytest.mark.parametrize("runs", ["sample", "many"])
def test_odd_mixed_threaded_and_unfinished_traces_have_their_shares(runs: str, request: pytest.FixtureRequest) -> None:
    found: list[Run] = request.getfixturevalue(runs)
    assert share(found, lambda run: run["truth"]["odd"]) == pytest.approx(0.05, abs=0.003)
    assert share(found, lambda run: run["truth"]["mixed"]) == pytest.approx(0.08, abs=0.003)
    assert share(found, lambda run: "thread_id" in run["extra"]["metadata"]) == pytest.approx(0.2, abs=0.003)
    assert 0.01 <= share(found, lambda run: run["end_time"] is None) <= 0.02


def test_odd_traces_are_of_every_kind(sample: list[Run]) -> None:
    kinds = {run["truth"]["odd"] for run in sample} - {None}
    assert kinds == {"language", "empty", "gibberish", "injection", "poem", "paste"}
    assert max(len(opening(run)) for run in sample if run["truth"]["odd"] == "paste") > 3_000
    assert any(not opening(run).strip() for run in sample if run["truth"]["odd"] == "empty")


def test_a_thread_has_two_to_four_traces_of_one_customer_and_mostly_one_intent(many: list[Run]) -> None:
    threads = by_thread(many)
    assert {len(runs) for runs in threads} == {2, 3, 4}
    assert all(len({run["start_time"] for run in runs}) == len(runs) for runs in threads)
    assert all(len({run["extra"]["metadata"]["plan"] for run in runs}) == 1 for runs in threads)
    same = [len({run["truth"]["intent"] for run in runs}) == 1 for runs in threads]
    assert mean(same) > 0.8


def test_no_thread_has_another_size_whatever_the_number_of_traces() -> None:
    sizes = {len(runs) for seed in range(10, 100, 3) for runs in by_thread(list(generate(seed, seed, light=True)))}
    assert sizes == {2, 3, 4}


def test_unfinished_traces_have_no_outputs_and_stand_as_pending(many: list[Run]) -> None:
    open_runs = [run for run in many if run["end_time"] is None]
    assert all(run["outputs"] is None and run["status"] == "pending" for run in open_runs)
    assert not [run for run in open_runs if "feedback_stats" in run or "total_tokens" in run]
    assert all(run["child_runs"][-1]["end_time"] is None for run in open_runs)


@pytest.mark.parametrize("intent", texts().intents, ids=lambda intent: intent.name)
def test_every_intent_has_at_least_200_different_openings(intent: Intent) -> None:
    rng = random.Random(2)
    assert len({first_words(rng, intent, draw_facts(rng, texts().slots)) for _ in range(400)}) >= 200
    assert len(intent.openings) >= 8


def test_openings_of_the_default_set_hardly_repeat(sample: list[Run]) -> None:
    assert len({opening(run) for run in sample}) > 0.95 * len(sample)


def test_conversations_have_one_to_six_turns_of_the_customer(many: list[Run]) -> None:
    turns = Counter(sum(message["role"] == "user" for message in messages(run)) for run in finished(many))
    assert set(turns) == {1, 2, 3, 4, 5, 6}
    assert turns[1] < len(many) / 2


@pytest.mark.parametrize("runs", ["sample", "many"])
def test_the_refund_tool_times_out_in_a_third_of_one_intent(runs: str, request: pytest.FixtureRequest) -> None:
    found: list[Run] = request.getfixturevalue(runs)
    late = with_failure(found, "timeout")
    assert {run["truth"]["intent"] for run in late} == {"refund_return"}
    refunds = [run for run in found if run["truth"]["intent"] == "refund_return"]
    assert len(late) / len(refunds) == pytest.approx(0.35, abs=0.03)
    for run in late:
        errors = [child for child in run["child_runs"] if child["error"]]
        assert {child["name"] for child in errors} == {"issue_refund"}
        assert all(seconds(child) >= 30 for child in errors)
    assert 0.2 < share(late, lambda run: run["error"]) < 0.8


def test_no_tool_fails_outside_the_planted_failure(many: list[Run]) -> None:
    others = [run for run in many if run["truth"]["failure"] != "timeout"]
    assert not [run for run in others if run["error"] or any(child["error"] for child in run["child_runs"])]


def test_the_loop_is_long_slow_and_dear_and_has_no_error(many: list[Run]) -> None:
    loops, usual = with_failure(many, "loop"), [run for run in finished(many) if not run["truth"]["failure"]]
    assert {run["truth"]["intent"] for run in loops} == {"verification_code"}
    codes = [run for run in many if run["truth"]["intent"] == "verification_code"]
    assert len(loops) / len(codes) == pytest.approx(0.5, abs=0.03)
    assert median(map(seconds, loops)) > 4 * median(map(seconds, usual))
    assert median(run["total_cost"] for run in loops) > 4 * median(run["total_cost"] for run in usual)
    for run in loops:
        asked = [m for m in messages(run) if m["role"] == "assistant" and "confirm" in (m["content"] or "")]
        assert len(asked) >= 5


def test_the_agent_gives_up_in_one_area_and_customers_dislike_it(many: list[Run]) -> None:
    given_up = with_failure(many, "gives_up")
    assert {run["truth"]["area"] for run in given_up} == {"Membership and billing"}
    area = [run for run in many if run["truth"]["area"] == "Membership and billing"]
    assert len(given_up) / len(area) == pytest.approx(0.4, abs=0.03)
    rated = [run for run in given_up if "feedback_stats" in run]
    assert mean(map(score, rated)) < 0.25


def test_feedback_is_on_two_of_five_traces_and_differs_by_area(many: list[Run]) -> None:
    rated = [run for run in many if "feedback_stats" in run]
    assert len(rated) / len(many) == pytest.approx(0.4, abs=0.05)
    by_area: dict[str, list[float]] = {}
    for run in rated:
        by_area.setdefault(run["truth"]["area"], []).append(score(run))
    assert mean(by_area["Orders and delivery"]) > mean(by_area["Technical trouble"]) + 0.15


def test_technical_trouble_takes_longer_per_model_call(many: list[Run]) -> None:
    def per_call(area: str) -> float:
        runs = [run for run in many if run["truth"]["area"] == area and not run["truth"]["failure"]]
        return median(seconds(c) for run in finished(runs) for c in run["child_runs"] if c["run_type"] == "llm")

    assert per_call("Technical trouble") > 1.4 * per_call("Orders and delivery")


def test_light_traces_are_short_and_have_no_runs_inside_but_the_same_figures() -> None:
    runs = list(generate(400, light=True, truth=True))
    assert not [run for run in runs if run["child_runs"]]
    assert max(sum(message["role"] == "user" for message in messages(run)) for run in runs) == 2
    assert all(run["total_tokens"] > 0 and run["total_cost"] > 0 for run in finished(runs))
    truths = [
        Counter(run["truth"]["intent"] for run in generate(400, light=light, truth=True)) for light in (False, True)
    ]
    assert truths[0] == truths[1]


def test_the_end_is_fixed_unless_it_is_given() -> None:
    assert list(generate(5)) == list(generate(5, end=END))
    assert {run["start_time"] for run in generate(5)}.isdisjoint(
        run["start_time"] for run in generate(5, end=END + timedelta(days=30))
    )
