"""What an application traces with LangSmith's client is found again, equal; run with that client's own Python."""

import asyncio
import json
import tempfile
import unittest
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from langsmith import traceable
from langsmith._internal._serde import dumps_json
from langsmith.run_helpers import get_current_run_tree
from langsmith.schemas import Attachment

from tests.clients.tracing import CLIENT, MODE, OLDEST, SESSION, listed, traced, tree

MESSAGE = {"role": "assistant", "content": "Refunded."}
USAGE = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
PICTURE = bytes(range(256)) * 40


@traceable(run_type="llm", tags=["beta"])
def model(question: str) -> dict[str, Any]:
    return {"messages": [MESSAGE], "usage_metadata": USAGE}


@traceable(run_type="tool")
def look_up(question: str) -> list[str]:
    return [question.upper()]


@traceable(metadata={"env": "prod", "thread_id": "t-1"})
def agent(question: str) -> str:
    look_up(question)
    model(question)
    return "done"


@traceable
async def slow(number: int) -> int:
    await asyncio.sleep(0)
    return number * number


@traceable
async def fan_out(count: int) -> list[int]:
    return list(await asyncio.gather(*(slow(number) for number in range(count))))


@traceable
def counted(count: int) -> Iterator[int]:
    yield from range(count)


@traceable(reduce_fn=lambda pieces: {"text": "".join(pieces)})
async def streamed(words: list[str]) -> AsyncIterator[str]:
    for word in words:
        yield word


@traceable
def failing(question: str) -> None:
    raise ValueError(f"no such order: {question}")


@traceable
def echo(value: Any) -> Any:
    return {"echo": value}


@traceable(dangerously_allow_filesystem=True)
def read_files(question: str, picture: Attachment, file: Attachment) -> str:
    run = get_current_run_tree()
    assert run is not None
    run.attachments["nö te"] = ("text/plain", "Grüße".encode())
    return question


def attachments(run: Any) -> dict[str, tuple[str, bytes]]:
    """As the client read them; the oldest reads none with a list, and can't join an address to its API's elsewhere."""
    if not OLDEST:
        return {name: (one["mime_type"], one["reader"].read()) for name, one in run.attachments.items()}
    urls = SESSION.get(f"{CLIENT.api_url}/runs/{run.id}").json()["s3_urls"]
    return {
        name.removeprefix("attachment."): (one["mime_type"], SESSION.get(CLIENT.api_url + one["presigned_url"]).content)
        for name, one in urls.items()
    }


class Traces(unittest.TestCase):
    def test_a_tree(self) -> None:
        with traced() as project:
            agent("Where is my parcel? 📦")
        root = tree(project)
        assert (root.name, root.run_type, root.status) == ("agent", "chain", "success")
        assert (root.inputs, root.outputs) == ({"question": "Where is my parcel? 📦"}, {"output": "done"})
        assert root.extra["metadata"].items() >= {"env": "prod", "thread_id": "t-1"}.items()
        tool, llm = root.child_runs
        assert (tool.name, tool.run_type, tool.outputs) == ("look_up", "tool", {"output": ["WHERE IS MY PARCEL? 📦"]})
        assert (llm.name, llm.run_type, llm.tags) == ("model", "llm", ["beta"])
        assert llm.outputs == {"messages": [MESSAGE], "usage_metadata": USAGE}
        assert (llm.prompt_tokens, llm.completion_tokens, llm.total_tokens) == (3, 4, 7)
        assert {one.parent_run_id for one in (tool, llm)} == {one.trace_id for one in (root, tool, llm)} == {root.id}
        assert root.start_time <= tool.start_time <= tool.end_time <= llm.end_time <= root.end_time

    def test_coroutines_side_by_side(self) -> None:
        with traced() as project:
            asyncio.run(fan_out(12))
        root = tree(project)
        assert root.outputs == {"output": [number * number for number in range(12)]}
        assert sorted(run.inputs["number"] for run in root.child_runs) == list(range(12))
        assert all(run.outputs == {"output": run.inputs["number"] ** 2} for run in root.child_runs)

    def test_generators(self) -> None:
        async def drained() -> list[str]:
            return [word async for word in streamed(["Par", "cel"])]

        with traced() as project:
            assert list(counted(3)) == [0, 1, 2]
            assert asyncio.run(drained()) == ["Par", "cel"]
        found = {run.name: run for run in listed(project)}
        assert found["counted"].outputs == {"output": [0, 1, 2]}
        assert found["streamed"].outputs == {"text": "Parcel"}
        assert all(run.status == "success" and run.end_time for run in found.values())

    def test_an_error(self) -> None:
        with traced() as project, self.assertRaises(ValueError):
            failing("A-1")
        [run] = listed(project, error=True)
        assert run.status == "error"
        assert "ValueError('no such order: A-1')" in run.error
        assert "Traceback" in run.error

    def test_values(self) -> None:
        """Equal to the JSON that the client makes of them."""
        deep: Any = "deep"
        for _ in range(100):  # 200 levels: the old client stops at 254
            deep = {"a": [deep]}
        values = [
            "Grüße, 你好, 👩‍👩‍👧, \u202e, \x00, \x1b[31m", "\ud800 alone", "\u2028", "", " ", None, True, -0.0, 1e-320,
            float("nan"), [float("inf"), float("-inf")], 2**53 + 1, 2**63, -(2**64), 10**400, 0.1, deep,
            {"": 1, "a.b": 2, "$set": 3, "\x00": 4, "__proto__": 5}, [], {}, [[[]]], "a" * 100_000,
        ]  # fmt: skip
        with traced() as project:
            for number, value in enumerate(values):
                echo(value, langsmith_extra={"name": str(number)})
        found = {run.name: run for run in listed(project)}
        for number, value in enumerate(values):
            sent = json.loads(dumps_json({"value": value}))
            run = found[str(number)]
            assert repr(run.inputs) == repr(sent), (number, repr(run.inputs)[:200])
            assert repr(run.outputs) == repr({"echo": sent["value"]}), (number, repr(run.outputs)[:200])

    def test_fifteen_megabytes(self) -> None:
        text = "".join(f"{number:x} ü " for number in range(1_650_000))
        assert len(text.encode()) > 15_000_000
        with traced() as project:
            echo(text, langsmith_extra={"name": "large"})
        [run] = listed(project)
        assert run.inputs == {"value": text}
        assert run.outputs == {"echo": text}

    def test_many_runs(self) -> None:
        count, some = (20, 15) if MODE == "single" else (250, 150)
        with traced() as project:
            for number in range(count):
                look_up(str(number))
        assert sorted(int(run.inputs["question"]) for run in listed(project)) == list(range(count))
        assert len(listed(project, limit=some)) == some

    def test_runs_made_by_hand(self) -> None:
        """Begun with one call, ended with another."""
        ids = [uuid4() for _ in range(20)]
        with traced() as project:
            for run_id in ids:
                CLIENT.create_run("by hand", {"q": 1}, "retriever", id=run_id, project_name=project, tags=["x"])
            CLIENT.flush()
            for run_id in ids:
                assert CLIENT.read_run(run_id).status == "pending"
                CLIENT.update_run(run_id, outputs={"a": 2}, end_time=CLIENT.read_run(run_id).start_time)
        for run in listed(project):
            assert (run.status, run.inputs, run.outputs, run.tags) == ("success", {"q": 1}, {"a": 2}, ["x"])
            ids.remove(run.id)
        assert not ids

    @unittest.skipIf(MODE == "single", "without batches the client sends no attachments")
    def test_attachments(self) -> None:
        """Of arguments, from a file, and added on the way."""
        with tempfile.TemporaryDirectory() as folder, traced() as project:
            path = Path(folder) / "file.bin"
            path.write_bytes(PICTURE[::-1])
            read_files("What is in it?", Attachment("image/png", PICTURE), Attachment("application/pdf", path))
            CLIENT.flush()
        [run] = listed(project)
        assert run.inputs == {"question": "What is in it?"}
        for read in (run, CLIENT.read_run(run.id)) if not OLDEST else [run]:
            assert attachments(read) == {
                "picture": ("image/png", PICTURE),
                "file": ("application/pdf", PICTURE[::-1]),
                "nö te": ("text/plain", "Grüße".encode()),
            }

    @classmethod
    def tearDownClass(cls) -> None:
        """The runs went by the way that the mode is about, and none was refused."""
        ways = {(path.rpartition("/api")[2], encoding) for path, encoding, _ in SESSION.answers if "runs" in path}
        multipart = {encoding for path, encoding in ways if path == "/runs/multipart"}
        assert multipart == {"zstd": {"zstd"}, "plain": {""}, "single": set()}[MODE], ways
        assert MODE != "single" or ("/runs", "") in ways, ways
        assert all(status < 300 for *_, status in SESSION.answers), SESSION.answers
