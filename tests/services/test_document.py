"""The API's document is the gateway's: each route in it, as it is kept, and nothing answers outside of it."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation.modes import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.gateway.document import ROUTES
from shared.access import Role, new_key
from shared.models import DEFAULT_WORKSPACE
from tests.openapi import document, text
from tests.services.gateway_world import World, opened

KEPT = Path(__file__).parents[2] / "docs" / "openapi.json"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 20
WRONG_BY_CHANCE = ("filter", "trace_filter", "tree_filter", "cursor")
OURS = "http://localhost"


def operations() -> dict[str, APIOperation[Any, Any, Any, Any]]:
    """By their names."""
    schema = schemathesis.openapi.from_dict(document())
    found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    return {str(one.definition.raw["operationId"]): one for one in found}


OPERATIONS = operations()


def test_the_document_that_is_kept_is_the_gateways() -> None:
    assert KEPT.read_text() == text(), "write it again: make openapi"


def test_the_document_says_what_each_route_takes_and_gives() -> None:
    methods = ("get", "post", "put", "patch", "delete")
    documented = {(method, path) for path, one in document()["paths"].items() for method in one if method in methods}
    assert documented == set(ROUTES), "services/gateway/document.py has a line for each route"
    assert len(OPERATIONS) == len(documented), "each has a name of its own"


class _Loop:
    """One world for all examples: each would otherwise open a store of its own."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self._opened = opened(folder)
        self.world: World = self._runner.run(self._opened.__aenter__())
        key, secret = new_key(DEFAULT_WORKSPACE, "fuzz", Role.ADMIN, 1)  # or the first key that is made would end it
        self._runner.run(self.world.store.insert_api_key(key))
        self.world.client.headers["x-api-key"] = secret
        at = self._runner.run(self.world.project())
        job = self._runner.run(self.world.report(at, [[2, 1], [3]]))
        report = self._runner.run(self.world.client.get(job)).json()
        config = self._runner.run(self.world.client.post(f"{at}/insights/configs", json={"name": "c"})).json()
        run = str(UUID(int=1, version=4))
        said = {"run_id": run, "key": "liked", "score": True}
        feedback = self._runner.run(self.world.client.post("/feedback", json=said)).json()
        self.planted = {
            "feedback_id": feedback["id"],
            "project_id": at.rpartition("/")[2],
            "job_id": job.rpartition("/")[2],
            "cluster_id": report["clusters"][0]["id"],
            "config_id": config["id"],
            "run_id": run,
        }

    def send(self, method: str, url: str, headers: Any, body: Any) -> httpx.Response:
        return self._runner.run(self.world.client.request(method, url, headers=headers, content=body))

    def close(self) -> None:
        self._runner.run(self._opened.__aexit__(None, None, None))
        self._runner.close()


@pytest.fixture(scope="module")
def loop() -> Iterator[_Loop]:
    with tempfile.TemporaryDirectory() as folder:
        found = _Loop(Path(folder))
        yield found
        found.close()


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nothing_that_is_sent_is_answered_outside_of_the_document(loop: _Loop, name: str, data: st.DataObject) -> None:
    """What the document allows and what it does not; ids that exist, and others. What is deleted is never there."""
    operation = OPERATIONS[name]
    mode = data.draw(st.sampled_from(list(GenerationMode) if _may_be_wrong(operation) else [GenerationMode.POSITIVE]))
    case = data.draw(operation.as_strategy(generation_mode=mode))
    if operation.method != "delete" and data.draw(st.integers(0, 4)):
        _plant(case, loop.planted)
    asked = requests.Request(**case.as_transport_kwargs(base_url=OURS)).prepare()
    answer = loop.send(str(asked.method), str(asked.url), dict(asked.headers), asked.body)
    case.validate_response(answer, checks=CHECKS)


def _plant(case: Any, planted: dict[str, str]) -> None:
    """Names what is there, and leaves out what can only be wrong by chance: filters and cursors."""
    case.path_parameters = {key: planted.get(key, one) for key, one in (case.path_parameters or {}).items()}
    if isinstance(case.body, dict) and case.operation.path == "/feedback":
        case.body = {**case.body, "run_id": planted["run_id"]}
    if isinstance(case.body, dict) and case.operation.path.endswith(("/query", "/stats")):
        place = {"session": [planted["project_id"]], "project_ids": [planted["project_id"]]}
        case.body = {key: one for key, one in case.body.items() if key not in WRONG_BY_CHANCE} | place


def _may_be_wrong(operation: APIOperation[Any, Any, Any, Any]) -> bool:
    """What takes nothing at all can be asked in one way only."""
    return bool(operation.path_parameters or operation.query or operation.body)
