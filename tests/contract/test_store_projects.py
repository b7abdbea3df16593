"""What every store promises of projects, asked of SQLite and of MongoDB's protocol alike."""

from typing import Any

import pytest

from shared.job_config import JobConfig
from shared.models import Attachment, Job, Project, Run, StoredAttachment, StoredRun
from shared.removing import remove_project
from shared.store import Store

W = "w"
CHUNKED = b"x" * 9_000_000  # more than one chunk


def project(project_id: str, **fields: Any) -> Project:
    return Project(**{"workspace_id": W, "id": project_id, "name": "n", "created_at": 1, **fields})


def job(job_id: str, project_id: str) -> Job:
    fixed = {"workspace_id": W, "name": "", "created_at": 1, "config": JobConfig(), "received_before": 1}
    return Job.model_validate({**fixed, "id": job_id, "project_id": project_id})


async def save(store: Store, run_id: str, project_id: str, body: bytes = b"1") -> None:
    run = Run(workspace_id=W, id=run_id, project_id=project_id, trace_id=run_id, received_at=1)
    await store.save_runs([StoredRun(run, {"inputs": body})])
    held = Attachment(workspace_id=W, run_id=run_id, name="a", mime_type="text/plain", size=len(body))
    await store.save_attachments([StoredAttachment(held, body)])


class ProjectContract:
    async def test_projects_are_listed_newest_first_and_of_one_workspace(self, store: Store) -> None:
        for one in (project("a"), project("b", created_at=2), project("c"), project("d", workspace_id="x")):
            await store.insert_project(one)
        assert [one.id for one in await store.projects(W)] == ["b", "c", "a"]

    async def test_an_update_sets_what_it_names_and_hard_values_come_back_equal(self, store: Store) -> None:
        await store.insert_project(project("a", description="old", source={"s": 1}))
        changes: dict[str, Any] = {"extra": {"half": "\ud800", "huge": 10**400}, "end_time": 7, "name": "new \x00"}
        await store.update_project(W, "a", **changes)
        await store.update_project("x", "a", name="theirs")
        assert await store.project(W, "a") == project("a", description="old", source={"s": 1}, **changes)
        with pytest.raises(TypeError, match="no_such_field"):
            await store.update_project(W, "a", no_such_field=1)

    async def test_a_project_goes_with_all_that_is_its_own_and_nothing_else(self, store: Store) -> None:
        """Also what lies in chunks, and not the runs whose ids begin alike."""
        for one in ("p", "q"):
            await store.insert_project(project(one))
            job = Job(
                workspace_id=W,
                id=f"job {one}",
                project_id=one,
                name="",
                created_at=1,
                config=JobConfig(),
                received_before=1,
            )
            await store.insert_job(job)
        await save(store, "r", "p", CHUNKED)
        await save(store, "r1", "q", CHUNKED)
        await save(store, "r/1", "q")
        await remove_project(store, W, "p")
        assert [one.id for one in await store.projects(W)] == ["q"]
        assert sorted(await store.runs(W, ["r", "r1", "r/1"])) == ["r/1", "r1"]
        assert await store.bodies(W, ["r", "r1", "r/1"], ["inputs"]) == {
            "r1": {"inputs": CHUNKED},
            "r/1": {"inputs": b"1"},
        }
        assert sorted(await store.attachments(W, ["r", "r1", "r/1"])) == ["r/1", "r1"]
        held = await store.attachment(W, "r1", "a")
        assert held is not None
        assert held.body == CHUNKED
        assert [one.id for one in await store.jobs(W, "p") + await store.jobs(W, "q")] == ["job q"]

    async def test_runs_are_deleted_some_at_a_time(self, store: Store) -> None:
        for number in range(3):
            await save(store, str(number), "p")
        assert [await store.delete_project_runs(W, "p", limit=2) for _ in range(3)] == [2, 1, 0]


class TestSqlite(ProjectContract):
    """On the default `url`."""


class TestMongo(ProjectContract):
    @pytest.fixture
    def url(self, mongo_url: str) -> str:
        return mongo_url

    async def test_no_chunk_is_left_behind(self, store: Store) -> None:
        await save(store, "r", "p", CHUNKED)
        await remove_project(store, W, "p")
        database = store._database  # type: ignore[attr-defined]
        left = [await database[name].count_documents({}) for name in ("bodies", "attachments", "attachment_chunks")]
        assert left == [0, 0, 0]
