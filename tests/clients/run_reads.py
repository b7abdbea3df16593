"""What LangSmith's client reads of runs, threads and projects, and its feedback; run with that client's own Python."""

import asyncio
import datetime
import unittest
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from langsmith import traceable
from langsmith.utils import LangSmithConflictError, LangSmithNotFoundError

from tests.clients.tracing import CLIENT, OLDEST, listed, traced

# Filter → names of the runs that it finds, in a project of one `agent`, its `model` and `look_up`, and one `failing`.
FILTERS = {
    'eq(name,"agent")': ["agent"],
    'neq(name, "agent")': ["failing", "look_up", "model"],
    'in(name, ["agent", "model"])': ["agent", "model"],
    'search(name, "look")': ["look_up"],
    'like(name, "%ai%")': ["failing"],
    'eq(run_type, "llm")': ["model"],
    'eq(status, "error")': ["failing"],
    "neq(error, null)": ["failing"],
    "eq(is_root, true)": ["agent", "failing"],
    'has(tags, "beta")': ["model"],
    'has(metadata, \'{"env": "prod"}\')': ["agent", "look_up", "model"],
    'and(eq(metadata_key, "env"), eq(metadata_value, "prod"))': ["agent", "look_up", "model"],
    'neq(metadata_key, "env")': ["failing"],
    'and(in(metadata_key, ["session_id","thread_id"]), eq(metadata_value, "t-1"))': ["agent", "look_up", "model"],
    'eq(thread_id, "t-1")': ["agent", "look_up", "model"],
    'and(eq(input_key, "question"), like(input_value, "%parcel%"))': ["agent", "look_up", "model"],
    'and(eq(output_key, "output"), eq(output_value, "done"))': ["agent"],
    'and(eq(feedback_key, "stars"), gt(feedback_score, 4))': ["agent"],
    'search("parcel")': ["agent", "look_up", "model"],
    'search("no such order")': ["failing"],
    "gt(total_tokens, 6)": ["model"],
    'lt(latency, "1h")': ["agent", "failing", "look_up", "model"],
    "gt(latency, 3600)": [],
    'gt(start_time, "2023-07-15T12:34:56Z")': ["agent", "failing", "look_up", "model"],
    'or(eq(name, "agent"), not(eq(is_root, true)))': ["agent", "look_up", "model"],
}


@traceable(run_type="llm", tags=["beta"])
def model(question: str) -> dict[str, Any]:
    return {"usage_metadata": {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}}


@traceable(run_type="tool")
def look_up(question: str) -> str:
    return "found"


@traceable(metadata={"env": "prod", "thread_id": "t-1"})
def agent(question: str) -> str:
    look_up(question)
    model(question)
    return "done"


@traceable
def failing(order: str) -> None:
    raise ValueError(f"no such order: {order}")


def names(runs: Any) -> list[str]:
    return sorted(run.name for run in runs)


class Reads(unittest.TestCase):
    project: str

    @classmethod
    def setUpClass(cls) -> None:
        with traced() as cls.project:
            agent("Where is my parcel?")
            try:
                failing("A-1")
            except ValueError:
                CLIENT.flush()
        [root] = listed(cls.project, is_root=True, error=False)
        CLIENT.create_feedback(root.id, "stars", score=5)

    def test_filters(self) -> None:
        for text, expected in FILTERS.items():
            with self.subTest(text):
                assert names(listed(self.project, filter=text)) == expected, names(listed(self.project, filter=text))

    def test_filters_of_the_trace(self) -> None:
        llm = 'eq(run_type, "llm")'
        assert names(listed(self.project, filter=llm, trace_filter='has(metadata, \'{"env": "prod"}\')')) == ["model"]
        assert names(listed(self.project, filter=llm, trace_filter='eq(name, "failing")')) == []
        assert names(listed(self.project, is_root=True, tree_filter=llm)) == ["agent"]

    def test_other_ways_to_choose(self) -> None:
        [root] = listed(self.project, is_root=True, error=False)
        assert names(listed(self.project, run_type="tool")) == ["look_up"]
        assert names(listed(self.project, error=True)) == ["failing"]
        assert names(listed(self.project, trace_id=root.id)) == ["agent", "look_up", "model"]
        assert names(listed(self.project, parent_run_id=root.id)) == ["look_up", "model"]
        assert names(CLIENT.list_runs(id=[root.id])) == ["agent"]
        assert names(listed(self.project, start_time=root.start_time + datetime.timedelta(days=1))) == []
        [chosen] = listed(self.project, is_root=True, error=False, select=["id", "inputs"])
        assert (chosen.inputs, chosen.outputs) == ({"question": "Where is my parcel?"}, None)
        assert [run.name for run in listed(self.project, is_root=True)] == ["failing", "agent"]  # newest first

    def test_stats(self) -> None:
        stats = CLIENT.get_run_stats(project_names=[self.project], is_root=True)
        assert (stats["run_count"], stats["error_rate"]) == (2, 0.5)
        assert CLIENT.read_project(project_name=self.project, include_stats=True).run_count in (2, 4)

    @unittest.skipUnless(hasattr(CLIENT, "list_threads"), "newer than this client")
    def test_threads(self) -> None:
        [thread] = CLIENT.list_threads(project_name=self.project)
        assert (thread["thread_id"], thread["count"], names(thread["runs"])) == ("t-1", 1, ["agent"])
        assert names(CLIENT.read_thread(thread_id="t-1", project_name=self.project)) == ["agent"]

    @unittest.skipUnless(hasattr(CLIENT, "runs"), "newer than this client")
    def test_reads_of_the_second_version(self) -> None:
        project_id = str(CLIENT.read_project(project_name=self.project).id)

        async def read() -> None:
            runs = CLIENT.runs.query(project_ids=[project_id], selects=["NAME", "STATUS"])
            assert names([run async for run in runs]) == ["agent", "failing", "look_up", "model"]
            chosen = CLIENT.runs.query(project_ids=[project_id], filter='eq(name, "model")', selects=["NAME"])
            assert names([run async for run in chosen]) == ["model"]
            threads = [thread.thread_id async for thread in CLIENT.threads.query(project_id=project_id)]
            assert threads == ["t-1"]

        asyncio.run(read())

    def test_what_is_not_there(self) -> None:
        self.assertRaises(LangSmithNotFoundError, CLIENT.read_run, uuid4())
        self.assertRaises(LangSmithNotFoundError, CLIENT.read_project, project_id=str(uuid4()))


class Projects(unittest.TestCase):
    def test_create_update_list_delete(self) -> None:
        name = f"crud {uuid4()} é"
        made = CLIENT.create_project(name, description="first", metadata={"n": name})
        assert made.name == name
        self.assertRaises(LangSmithConflictError, CLIENT.create_project, name)
        if not OLDEST:  # which forgets to say `upsert`
            again = CLIENT.create_project(name, upsert=True, description="second")
            assert (again.id, again.description) == (made.id, "second")
        ended = datetime.datetime.now(datetime.UTC)
        renamed = CLIENT.update_project(made.id, name=f"{name}!", end_time=ended)
        assert (renamed.name, renamed.end_time) == (f"{name}!", ended)
        assert [one.id for one in CLIENT.list_projects(name_contains=name)] == [made.id]
        assert [one.id for one in CLIENT.list_projects(metadata={"n": name})] == [made.id]
        assert CLIENT.has_project(f"{name}!")
        CLIENT.delete_project(project_name=f"{name}!")
        assert not CLIENT.has_project(f"{name}!")

    def test_all_are_listed(self) -> None:
        prefix = str(uuid4())
        for number in range(105):
            CLIENT.create_project(f"{prefix} {number}")
        assert len({one.id for one in CLIENT.list_projects(name_contains=prefix)}) == 105


class Feedback(unittest.TestCase):
    def setUp(self) -> None:
        with traced() as self.project:
            agent("Where is my parcel?")
        [self.run_] = listed(self.project, is_root=True)

    def only(self, **wanted: Any) -> Any:
        [found] = CLIENT.list_feedback(run_ids=[self.run_.id], **wanted)
        return found

    def test_with_its_run(self) -> None:
        made = CLIENT.create_feedback(
            self.run_.id, "stars", score=0.25, value={"why": "späť"}, comment="👍 \x00", correction={"a": [1]},
            source_info={"user": "u"}, feedback_config={"type": "continuous", "min": 0, "max": 1},
        )  # fmt: skip
        found = CLIENT.read_feedback(made.id)
        assert (found.id, found.run_id, found.key, found.score) == (made.id, self.run_.id, "stars", 0.25)
        assert (found.value, found.comment, found.correction) == ({"why": "späť"}, "👍 \x00", {"a": [1]})
        assert found.feedback_source.metadata["user"] == "u"
        assert self.only() == found

    def test_with_its_trace(self) -> None:
        """It goes with the runs, in the background."""
        for key, score in (("up", True), ("none", None), ("four", 4)):
            CLIENT.create_feedback(self.run_.id, key, trace_id=self.run_.trace_id, score=score, value="text")
        CLIENT.flush()
        found = {one.key: (one.score, one.value) for one in CLIENT.list_feedback(run_ids=[self.run_.id])}
        assert found == {"up": (True, "text"), "none": (None, "text"), "four": (4, "text")}
        [run] = listed(self.project, is_root=True)
        assert run.feedback_stats["four"]["avg"] == 4

    def test_list(self) -> None:
        for number in range(103):
            CLIENT.create_feedback(self.run_.id, f"k{number}", trace_id=self.run_.trace_id, score=number)
        CLIENT.create_feedback(self.run_.id, "judged", score=1, feedback_source_type="model", source_run_id=uuid4())
        CLIENT.flush()
        listing: Callable[..., Any] = CLIENT.list_feedback
        assert len({one.id for one in listing(run_ids=[self.run_.id])}) == 104
        assert self.only(feedback_key=["k7"]).score == 7
        assert self.only(feedback_source_type=["model"]).key == "judged"
        assert list(listing(run_ids=[uuid4()])) == []

    def test_update_and_delete(self) -> None:
        made = CLIENT.create_feedback(self.run_.id, "stars", score=1, comment="bad")
        CLIENT.update_feedback(made.id, score=5, comment="good")
        found = self.only()
        assert (found.score, found.comment) == (5, "good")
        [run] = listed(self.project, is_root=True)
        assert run.feedback_stats["stars"]["avg"] == 5
        CLIENT.delete_feedback(made.id)
        assert list(CLIENT.list_feedback(run_ids=[self.run_.id])) == []
        self.assertRaises(LangSmithNotFoundError, CLIENT.read_feedback, made.id)
        [run] = listed(self.project, is_root=True)
        assert not run.feedback_stats

    def test_of_a_project(self) -> None:
        project_id = CLIENT.read_project(project_name=self.project).id
        made = CLIENT.create_feedback(key="overall", score=1, project_id=project_id)
        assert CLIENT.read_feedback(made.id).run_id is None
