"""`insights export`: what came in goes out, and no cell of a trace is computed by a spreadsheet."""

import asyncio
import csv
import io
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from insights.demo import write
from shared.job_config import AttributeSchema, JobConfig
from tests.insights.command import insights
from tests.services.gateway_world import World, opened

BAD = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "-"]
KEPT = ("id", "trace_id", "parent_run_id", "name", "start_time", "end_time", "status", "error", "inputs", "outputs")


def exported(folder: Path, *arguments: str) -> str:
    found = insights("export", *arguments, "--data", folder)
    assert found.code == 0, found.err
    return found.out


def reported(folder: Path, attributes: list[dict[str, Any]], schemas: dict[str, Any]) -> str:
    """The id of a job in this folder, whose report has as many traces as attributes are given."""

    async def made() -> str:
        async with opened(folder) as world:
            config = JobConfig(
                attribute_schemas={name: AttributeSchema.model_validate(one) for name, one in schemas.items()}
            )
            return await _report(world, attributes, config)

    return asyncio.run(made()).rpartition("/")[2]


async def _report(world: World, attributes: list[dict[str, Any]], config: JobConfig) -> str:
    return await world.report(await world.project(), [[len(attributes) - 1], [1]], attributes, config)


def test_what_was_imported_is_exported_and_can_be_imported_again(tmp_path: Path) -> None:
    file, again = tmp_path / "traces.jsonl", tmp_path / "again.jsonl"
    write(file, 12, seed=3)
    rows = {}
    for data, source in (("one", file), ("two", again)):
        assert insights("import", source, "--project", "shop", "--data", tmp_path / data).code == 0
        again.write_text(exported(tmp_path / data, "--project", "shop"))
        rows[data] = [json.loads(line) for line in again.read_text().splitlines()]
    sent = {run["id"] for run in map(json.loads, file.read_text().splitlines())}
    assert sent <= {row["id"] for row in rows["one"]}
    shown = [[{name: row[name] for name in KEPT} for row in rows[data]] for data in ("one", "two")]
    assert shown[0] == shown[1]


def test_the_traces_of_a_report_go_out_with_what_it_knows(tmp_path: Path) -> None:
    job = reported(tmp_path, [{"done": True}, {"done": None}, {}], {"done": {"type": "boolean"}})
    rows = [json.loads(line) for line in exported(tmp_path, "--job", job).splitlines()]
    assert [(row["category"], row["subcategory"]) for row in rows] == [("Category 0", "Leaf 0")] * 2 + [
        ("Category 1", "Leaf 2")
    ]
    assert [row["attributes"].get("done") for row in rows] == [True, None, None]
    table = list(csv.DictReader(io.StringIO(exported(tmp_path, "--job", job, "--format", "csv"))))
    assert [row["attributes.done"] for row in table] == ["True", "", ""]
    assert [row["summary"] for row in table] == [f"Summary {number}." for number in range(3)]


@pytest.mark.parametrize("attribute", ["said", "=1+1"])
def test_no_cell_is_a_formula(tmp_path: Path, attribute: str) -> None:
    """Of an attribute, or of its name. Numbers stay numbers."""
    given = [{attribute: text} for text in BAD] + [{attribute: -2.5}]
    job = reported(tmp_path, given, {attribute: {"type": "string"}})
    lines = list(csv.reader(io.StringIO(exported(tmp_path, "--job", job, "--format", "csv"))))
    cells = [line[-1] for line in lines[1:]]
    assert sorted(cells[: len(BAD)]) == sorted(f"'{text}" for text in BAD)
    assert cells[-1] == "-2.5"
    assert lines[0][-1] == f"attributes.{attribute}"


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    for arguments, said in (
        ([], "--project NAME"),
        (["--project", "a", "--job", "b"], "--project NAME"),
        (["--project", "a"], "no project 'a'"),
        (["--job", str(uuid4())], "no job"),
    ):
        found = insights("export", *arguments, "--data", tmp_path)
        assert (found.code, said in found.err) == (2, True)
