"""What every part of the store in MongoDB does with its collections, and what becomes of pymongo's errors."""

import functools
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote

from bson.errors import BSONError
from pymongo import ASCENDING, ReplaceOne
from pymongo.errors import ConnectionFailure, DuplicateKeyError, PyMongoError

from shared.errors import RefusedError, UnavailableError
from shared.store.documents import slices

SLICE = 1_000  # documents of one call
TAKEN = 11_000  # the code of a key that exists
CHUNK = 8_000_000  # bytes: a document holds at most 16 MB

P = ParamSpec("P")
T = TypeVar("T")
Method = Callable[P, Coroutine[Any, Any, T]]


def plain_errors(method: Method[P, T]) -> Method[P, T]:
    """What pymongo raises, as an error of ours with a sentence: away (waited for) or refused (tried a few times)."""

    @functools.wraps(method)
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await method(*args, **kwargs)
        except ConnectionFailure as error:
            what = str(error).partition(", Timeout:")[0]
            raise UnavailableError(f"MongoDB does not answer: start it, or check the store's URL ({what}).") from error
        except (PyMongoError, BSONError) as error:
            where = method.__name__
            raise RefusedError(f"MongoDB refused {where}: check its log and its user's rights ({error}).") from error

    return call


def by(*fields: str) -> list[tuple[str, int]]:
    return [(field, ASCENDING) for field in fields]


async def page(cursor: Any, limit: int, *fields: str) -> list[dict[str, Any]]:
    """At most `limit` documents, sorted by `fields`, or by id. MongoDB reads a limit of 0 as none."""
    if limit < 1:
        return []
    found: list[dict[str, Any]] = await cursor.sort(by(*(fields or ("id",)))).limit(limit).to_list(None)
    return found


def key_of(*parts: str | int) -> str:
    return "/".join(quote(str(part), safe="", errors="surrogatepass") for part in parts)


def chunked(body: bytes) -> list[bytes]:
    """At least one."""
    return [body[at : at + CHUNK] for at in range(0, len(body), CHUNK)] or [b""]


class MongoCalls:
    _database: Any

    async def _insert(self, collection: str, document: dict[str, Any]) -> bool:
        """False where its key exists."""
        try:
            await self._database[collection].insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    async def _replace(self, collection: str, documents: Iterable[dict[str, Any]]) -> None:
        for part in slices(documents, SLICE):
            writes = [ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in part]
            await self._database[collection].bulk_write(writes, ordered=False)

    async def _move(self, collection: str, key: str, origin: list[str], columns: dict[str, Any], **fields: int) -> bool:
        given = {"_id": key, "state": {"$in": origin}, **fields}
        return bool((await self._database[collection].update_one(given, {"$set": columns})).matched_count)

    async def _among(
        self, collection: str, field: str, values: Collection[str], **given: str
    ) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        for part in slices(values, SLICE):
            found += await self._database[collection].find({**given, field: {"$in": part}}).to_list(None)
        return found
