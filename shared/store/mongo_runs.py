"""Runs and their bodies in MongoDB.

A body lies under the run's key, its part and the version of the run that brought it, in chunks of at most CHUNK
bytes; the run says which version of each part is its own, and how many chunks it has. So whoever replaces a run writes
bodies beside the old ones, then the run, by compare-and-set, and then takes away what no run names any more: two
writers of one run never mix, and one that is cut off leaves at most bodies that nobody reads.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any
from uuid import uuid4

from pymongo import ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError

from shared.errors import RefusedError
from shared.models import BodyPart, Run, StoredRun
from shared.store.documents import dump_run, load_run, slices, trace_order, without_twins
from shared.store.mongo_calls import SLICE, TAKEN, MongoCalls, chunked, key_of, page, plain_errors
from shared.store.queries import indexed

_LOOKS = 20  # at bodies that are replaced just then

Found = list[tuple[Mapping[str, Any], dict[BodyPart, bytes]]]  # a run's document, and the bodies that were asked for


class MongoRuns(MongoCalls):
    @plain_errors
    async def save_runs(self, runs: Sequence[StoredRun]) -> None:
        open_ = {key_of(stored.run.workspace_id, stored.run.id): stored for stored in without_twins(runs)}
        while open_:
            lost = await self._write(open_, await self._documents(open_), whole=True)
            open_ = {key: open_[key] for key in lost}

    @plain_errors
    async def merge_runs(self, runs: Sequence[StoredRun]) -> set[str]:
        given = {key_of(stored.run.workspace_id, stored.run.id): stored for stored in runs}
        before = await self._documents(key for key, stored in given.items() if stored.version is not None)
        open_ = {key: stored for key, stored in given.items() if stored.version == before.get(key, {}).get("version")}
        lost = await self._write(open_, before, whole=False)
        return {given[key].run.id for key in (*lost, *(given.keys() - open_.keys()))}

    @plain_errors
    async def stored_runs(self, workspace_id: str, parts: Mapping[str, Collection[BodyPart]]) -> dict[str, StoredRun]:
        found = await self._with_bodies(workspace_id, parts)
        return {one["id"]: StoredRun(load_run(one["document"]), bodies, one["version"]) for one, bodies in found}

    @plain_errors
    async def runs(self, workspace_id: str, run_ids: Collection[str]) -> dict[str, Run]:
        keys = [key_of(workspace_id, run_id) for run_id in run_ids]
        found = await self._among("runs", "_id", keys)
        return {document["id"]: load_run(document["document"]) for document in found}

    @plain_errors
    async def trace_runs(self, workspace_id: str, trace_ids: Collection[str]) -> list[Run]:
        found = await self._among("runs", "trace_id", trace_ids, workspace_id=workspace_id)
        return sorted((load_run(document["document"]) for document in found), key=trace_order)

    @plain_errors
    async def root_runs(
        self,
        workspace_id: str,
        project_id: str,
        *,
        start: int | None = None,
        end: int | None = None,
        received_before: int | None = None,
        after: str | None = None,
        limit: int = 1_000,
    ) -> list[Run]:
        window = {"$gte": start, "$lt": end}
        given = {
            "workspace_id": workspace_id,
            "project_id": project_id,
            "root": True,
            "id": {"$gt": after or ""},
            "start_time": {name: bound for name, bound in window.items() if bound is not None},
            "received_at": {"$lt": received_before} if received_before is not None else {},
        }
        given = {name: value for name, value in given.items() if value != {}}
        found = await page(self._database.runs.find(given, {"document": 1}), limit)
        return [load_run(document["document"]) for document in found]

    @plain_errors
    async def bodies(
        self, workspace_id: str, run_ids: Collection[str], parts: Collection[BodyPart]
    ) -> dict[str, dict[BodyPart, bytes]]:
        found = await self._with_bodies(workspace_id, dict.fromkeys(run_ids, parts))
        return {one["id"]: bodies for one, bodies in found if bodies}

    async def _documents(self, keys: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        return {one["_id"]: one for one in await self._among("runs", "_id", list(keys))}

    async def _write(
        self, runs: Mapping[str, StoredRun], before: Mapping[str, Mapping[str, Any]], *, whole: bool
    ) -> set[str]:
        """Each run if it is as `before` has it, with all its bodies where it is `whole`; the keys of the others."""
        version = uuid4().hex
        chunks = [chunk for key, stored in runs.items() for chunk in _chunks(key, stored.bodies, version)]
        for some_chunks in slices(chunks, SLICE):
            await self._database.bodies.insert_many(some_chunks, ordered=False)
        writes = [_write_of(key, stored, before.get(key), version, whole) for key, stored in runs.items()]
        written = 0
        for some in slices(writes, SLICE):
            written += await self._compare_and_set(some)
        lost = set[str]()
        if written < len(runs):
            now = await self._documents(runs)
            lost = {key for key in runs if now.get(key, {}).get("version") != version}
        gone = [key for key in runs for key in _gone(key, runs[key], before.get(key), version, key in lost, whole)]
        for some_keys in slices(gone, SLICE):
            await self._database.bodies.delete_many({"_id": {"$in": some_keys}})
        return lost

    async def _compare_and_set(self, writes: Sequence[UpdateOne | ReplaceOne[Any]]) -> int:
        """How many were written."""
        try:
            done = (await self._database.runs.bulk_write(writes, ordered=False)).bulk_api_result
        except BulkWriteError as error:
            done = error.details or {}
            if any(one["code"] != TAKEN for one in done.get("writeErrors", [])):
                raise
        return int(done["nMatched"]) + int(done["nUpserted"])

    async def _with_bodies(self, workspace_id: str, parts: Mapping[str, Collection[BodyPart]]) -> Found:
        """What is stored of these runs. A body that has gone since its run was read was replaced: look again."""
        open_ = {key_of(workspace_id, run_id): names for run_id, names in parts.items()}
        found: Found = []
        for _ in range(_LOOKS):
            documents = await self._documents(open_)
            wanted = {
                (key, part): _keys(key, part, *one["parts"][part])
                for key, one in documents.items()
                for part in open_[key]
                if part in one["parts"]
            }
            chunks = {one["_id"]: one["body"] for one in await self._among("bodies", "_id", [*chain(*wanted.values())])}
            gone = {key for (key, _), keys in wanted.items() if not chunks.keys() >= set(keys)}
            for key in documents.keys() - gone:
                has = [part for part in open_[key] if (key, part) in wanted]
                found.append((documents[key], {part: b"".join(chunks[at] for at in wanted[key, part]) for part in has}))
            open_ = {key: open_[key] for key in gone}
            if not open_:
                return found
        raise RefusedError(f"Bodies of {len(open_)} runs are missing or change all the time: send these runs again.")


def _keys(key: str, part: BodyPart, version: str, count: int) -> list[str]:
    return [key_of(key, part, version, place) for place in range(count)]


def _chunks(key: str, bodies: Mapping[BodyPart, bytes], version: str) -> Iterator[dict[str, Any]]:
    for part, body in bodies.items():
        chunks = chunked(body)
        for at, chunk in zip(_keys(key, part, version, len(chunks)), chunks, strict=True):
            yield {"_id": at, "body": chunk}


def _gone(
    key: str, stored: StoredRun, before: Mapping[str, Any] | None, version: str, lost: bool, whole: bool
) -> list[str]:
    """The chunks that nobody names after a write: those that were replaced, or those that it brought and `lost`."""
    if lost:
        return [chunk["_id"] for chunk in _chunks(key, stored.bodies, version)]
    old = before["parts"].items() if before else ()
    return [at for part, place in old if whole or part in stored.bodies for at in _keys(key, part, *place)]


def _write_of(
    key: str, stored: StoredRun, before: Mapping[str, Any] | None, version: str, whole: bool
) -> UpdateOne | ReplaceOne[Any]:
    fields = {**_fields(stored.run), "version": version}
    parts = {part: [version, len(chunked(body))] for part, body in stored.bodies.items()}
    if before is None:
        return ReplaceOne({"_id": key, "version": None}, {"_id": key, **fields, "parts": parts}, upsert=True)
    given = {"_id": key, "version": before["version"]}
    if whole:
        return ReplaceOne(given, {"_id": key, **fields, "parts": parts})
    return UpdateOne(given, {"$set": {**fields, **{f"parts.{part}": place for part, place in parts.items()}}})


def _fields(run: Run) -> dict[str, Any]:
    return {
        "workspace_id": run.workspace_id,
        "id": run.id,
        "project_id": run.project_id,
        "trace_id": run.trace_id,
        "root": run.parent_run_id is None,
        "start_time": run.start_time,
        "received_at": run.received_at,
        "document": dump_run(run),
        **indexed(run),
    }
