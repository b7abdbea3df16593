"""What a summary is made of: the context of the prompt, the facts and the corpus."""

from typing import Any

import pytest

from services.summarizer.corpus import survey
from services.summarizer.facts import load_facts
from shared.content import sentence_key
from shared.context import load
from shared.errors import ItemError, PromptError
from shared.models import Facts, Feedback, Item, Plan, StoredRun
from shared.prompts import DEFAULT, Prompt, parse
from shared.store.sqlite import SqliteStore
from tests.services.conftest import J, W, item, job, trace

HELLO = "Welcome to the support of the shop."
ALL_MESSAGES = parse("{{all_thread_messages}}")


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


async def contexts(store: SqliteStore, items: list[Item], prompt: Prompt) -> list[dict[str, Any]]:
    return [loaded.context() for loaded in await load(store, items, prompt)]


async def test_contexts_come_in_the_order_of_the_items_with_bodies_and_feedback(store: SqliteStore) -> None:
    b = trace("b", inputs={"q": 1}, outputs=[2], feedback={"liked": Feedback(n=2, avg=0.5)})
    await store.save_runs([trace("a", inputs="hello"), b])
    found = await contexts(store, [item("b"), item("a")], parse(DEFAULT))
    assert [context["run"]["inputs"] for context in found] == [{"q": 1}, "hello"]
    assert found[0]["run"]["outputs"] == [2]
    assert found[0]["run"]["feedback"] == {"liked": 0.5}
    assert found[1]["run"]["outputs"] is None
    assert "workspace_id" not in found[0]["run"]


async def test_an_item_whose_run_is_gone_has_an_empty_context(store: SqliteStore) -> None:
    [context] = await contexts(store, [item("gone")], parse(DEFAULT))
    assert context["run"] == {"inputs": None, "outputs": None, "error": None, "feedback": {}}
    assert await load(store, [], parse(DEFAULT)) == []


async def test_a_trace_whose_body_is_damaged_does_not_spoil_the_others(store: SqliteStore) -> None:
    damaged = StoredRun(trace("bad").run, {"inputs": b"no zstd"})
    await store.save_runs([damaged, trace("good", "Hello.")])
    items = [item("bad"), item("good")]
    bad, good = await load(store, items, parse(DEFAULT))
    with pytest.raises(ItemError, match="damaged"):
        bad.context()
    assert good.context()["run"]["inputs"]
    assert (await survey(store, job(), items)).documents == 1


async def test_a_thread_tells_each_message_once(store: SqliteStore) -> None:
    """Applications send the history with each turn: what a trace repeats of those before it is left out."""
    one, two, three = user("one"), {"role": "assistant", "content": "two"}, user("three")
    first = trace("a", inputs={"messages": [one]}, outputs={"messages": [two]}, start_time=1)
    await store.save_runs([first, trace("b", inputs={"messages": [one, two, three]}, start_time=2)])
    thread = item("t", run_ids=("a", "b"))
    [context] = await contexts(store, [thread], ALL_MESSAGES)
    assert context["all_thread_messages"] == [one, two, three]
    [short] = await contexts(store, [thread], parse(DEFAULT))
    assert "all_thread_messages" not in short


async def test_facts_of_a_thread_are_sums_and_an_error_in_one_trace_is_one(store: SqliteStore) -> None:
    a = trace(
        "a", start_time=0, end_time=2_000_000, total_tokens=5, total_cost=0.1, feedback={"liked": Feedback(n=1, avg=1)}
    )
    b = trace("b", start_time=0, end_time=500_000, total_tokens=7, total_cost=0.2, status="error")
    await store.save_runs([a, b])
    found = await load_facts(store, item("t", run_ids=("a", "b")))
    assert (found.error, found.latency, found.total_tokens) == (True, 2.5, 12)
    assert found.total_cost == pytest.approx(0.3)
    assert found.feedback == {"liked": 1}


async def test_tokens_are_rolled_up_from_model_calls_only_where_the_root_has_none(store: SqliteStore) -> None:
    """A root often repeats what its calls used: counted twice, costs would double."""
    calls = [
        trace(f"{root} {n}", trace_id=root, parent_run_id=root, run_type=kind, total_tokens=10, total_cost=1.0)
        for root in ("own", "none")
        for n, kind in enumerate(("llm", "llm", "tool"))
    ]
    await store.save_runs([trace("own", total_tokens=20, total_cost=2.0), trace("none"), *calls])
    own, none = await load_facts(store, item("own")), await load_facts(store, item("none"))
    assert (own.total_tokens, own.total_cost) == (20, 2.0)
    assert (none.total_tokens, none.total_cost) == (20, 2.0)
    both = await load_facts(store, item("t", run_ids=("own", "none")))
    assert (both.total_tokens, both.total_cost) == (40, 4.0)


async def test_a_thread_of_which_one_trace_is_unknown_has_no_sum(store: SqliteStore) -> None:
    """The part of a sum would look like the whole."""
    known = trace("a", start_time=0, end_time=2_000_000, total_tokens=7, total_cost=0.5)
    await store.save_runs([known, trace("b", start_time=3, end_time=None, status="success", total_cost=0.25)])
    facts = await load_facts(store, item("t", run_ids=("a", "b")))
    assert (facts.latency, facts.total_tokens, facts.total_cost) == (None, None, 0.75)


async def test_usage_of_a_call_inside_a_call_is_counted_once(store: SqliteStore) -> None:
    inner: dict[str, Any] = {"run_type": "llm", "trace_id": "a", "total_tokens": 5}
    outer = trace("x", parent_run_id="a", **inner)
    await store.save_runs([trace("a"), outer, trace("y", parent_run_id="x", **inner)])
    assert (await load_facts(store, item("a"))).total_tokens == 5


async def test_what_no_run_says_is_unknown_and_not_zero(store: SqliteStore) -> None:
    await store.save_runs([trace("a")])
    assert await load_facts(store, item("a")) == Facts(error=False)
    assert await load_facts(store, item("gone")) == Facts()


async def test_the_corpus_knows_the_sentences_that_most_traces_share(store: SqliteStore) -> None:
    await store.save_runs([trace(f"{n:02}", f"{HELLO} I want thing number {chr(97 + n)}.") for n in range(10)])
    plan = await survey(store, job(), [item(f"{n:02}") for n in range(10)])
    assert (plan.workspace_id, plan.job_id, plan.documents) == (W, J, 10)
    assert plan.common == {sentence_key(HELLO): 1.0}


async def test_a_sentence_counts_once_a_trace_however_often_it_is_said(store: SqliteStore) -> None:
    await store.save_runs([trace(f"{n}", f"{HELLO} " * 5 if n else "Other words.") for n in range(8)])
    plan = await survey(store, job(), [item(f"{n}") for n in range(8)])
    assert plan.common == {sentence_key(HELLO): 7 / 8}


async def test_a_prompt_that_names_what_no_trace_has_is_refused_with_the_nearest_name(store: SqliteStore) -> None:
    await store.save_runs([trace("a", inputs={"question": "why"})])
    with pytest.raises(PromptError, match=r"run\.inputs\.qestion is in no trace \(perhaps run\.inputs\.question\)"):
        await survey(store, job(config={"summary_prompt": "{{run.inputs.qestion}}"}), [item("a")])


async def test_a_path_that_one_trace_has_is_enough(store: SqliteStore) -> None:
    await store.save_runs([trace("a", inputs={"other": 1}), trace("b", inputs={"question": "why"})])
    prompt = {"summary_prompt": "{{run.inputs.question}}"}
    assert (await survey(store, job(config=prompt), [item("a"), item("b")])).documents == 2


async def test_a_plan_of_no_shared_sentence_is_empty(store: SqliteStore) -> None:
    await store.save_runs([trace("a", "One."), trace("b", "Two.")])
    found = await survey(store, job(), [item("a"), item("b")])
    assert found == Plan(workspace_id=W, job_id=J, documents=2, common={})


async def test_only_what_user_and_assistant_say_can_be_shared(store: SqliteStore) -> None:
    """A long system prompt would leave no room for what is asked, and is no part of a summary anyway."""
    said = [{"role": role, "content": f"Said by the {role}."} for role in ("system", "user", "assistant", "tool")]
    await store.save_runs([trace(f"{n}", inputs={"messages": said}) for n in range(8)])
    plan = await survey(store, job(), [item(f"{n}") for n in range(8)])
    assert plan.common == {sentence_key(f"Said by the {role}."): 1.0 for role in ("user", "assistant")}
