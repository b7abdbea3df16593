"""How a job asks a model: what was answered before costs nothing, and what is asked stays within the budget.

Every stage of a job goes this way. Kept answers belong to a workspace, and their keys are
hashes of all that an answer depends on: no answer outlives a changed prompt, model or schema.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import numpy as np

from shared.budget import Admit, Budgets
from shared.clients import Clients
from shared.errors import JobError, ModelAwayError
from shared.features import Array
from shared.llm import Llm, Prices, Request, Usage, estimate_tokens, likely
from shared.models import JobState, Spending, Stage
from shared.purpose import Purpose
from shared.store import Store
from shared.store.documents import slices

__all__ = ["Asker", "Purpose", "key_of", "request_key"]

T = TypeVar("T")
VERSION = 2  # of what the code makes of an answer: raised, it asks everything anew
TEXTS = 256  # whose vectors are asked for and kept at once
REMEMBERED = 100  # jobs that have failed, or wait
AWAY = "start the job again when it answers. What was answered so far is kept, and costs nothing then."
JSON, BYTES = b"j", b"b"  # what a kept answer is


class Asker:
    """`llm` and `prices` of the process; may be shared by all jobs. `clients`: of jobs with endpoints of their own.

    patience: seconds that a job waits for an endpoint that does not answer, or has too many calls; then it ends.
    """

    def __init__(
        self,
        store: Store,
        llm: Llm,
        prices: Prices,
        clients: Clients | None = None,
        *,
        patience: float = 3_600.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._store, self._patience, self._clock = store, patience, clock
        self._clients = clients or Clients(store, llm)
        self._budgets = Budgets(store, prices)
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._failed: dict[tuple[str, str], str] = {}
        self._away: dict[tuple[str, str], float] = {}  # since when no call of the job was answered

    @property
    def trouble(self) -> str | None:
        """Why the endpoint does not answer at present."""
        return self._clients.trouble

    @property
    def place(self) -> str:
        """Of the endpoint, to which kept answers belong: see `placed_key`."""
        return self._clients.place(None)

    async def answer(self, purpose: Purpose, request: Request) -> dict[str, Any]:
        """The answer of the request's shape: the kept one of the same request, or a new one, which is kept.

        Raises BudgetError, and what `Llm.ask` raises.
        """
        key = request_key(request)
        async with self.alone(purpose, [key]):
            known = await self.kept(purpose, [key], request.model)
            if key not in known:
                known[key] = await self.ask(purpose, request)
                await self.keep(purpose, known)
        value: dict[str, Any] = known[key]
        return value

    async def ask(self, purpose: Purpose, request: Request) -> dict[str, Any]:
        """A new answer, which the caller keeps under keys of its own; the bill is written in any case.

        Raises BudgetError, JobError also of a job that has ended, and what `Llm.ask` raises.
        """
        async with self._bill(purpose, request.model, likely(request)) as call, self._client(purpose) as llm:
            self.check(purpose)  # the key may have been refused while this one waited for its client
            return (await llm.ask(request, call.paid.append, call.admit)).value

    async def embed(self, purpose: Purpose, texts: Sequence[str], model: str) -> Array:
        """float32 (n, dimensions), unit rows in the order of `texts`; each text is paid once a workspace."""
        wanted = {key_of("vector", model, text): text for text in texts}
        async with self.alone(purpose, wanted):
            known = await self.kept(purpose, list(wanted), model)
            for part in slices([key for key in wanted if key not in known], TEXTS):
                made = await self._embed(purpose, {key: wanted[key] for key in part}, model)
                await self.keep(purpose, made)
                known |= made
        return _stacked([known[key_of("vector", model, text)] for text in texts], model)

    @asynccontextmanager
    async def alone(self, purpose: Purpose, keys: Sequence[str] | Mapping[str, Any]) -> AsyncIterator[None]:
        """No one else in this process who waits for one of these keys: who comes second finds it kept."""
        async with AsyncExitStack() as held:
            for key in sorted(set(keys)):  # in one order, so that no two wait for each other
                lock = self._locks.setdefault((purpose.shelf, key), asyncio.Lock())
                await held.enter_async_context(lock)
            yield

    async def kept(self, purpose: Purpose, keys: Sequence[str], model: str) -> dict[str, Any]:
        """The kept answers by key; each that another job has paid is counted in the bill as one that cost nothing."""
        place = self._clients.place(purpose.base_url)
        placed = {placed_key(key, place): key for key in keys}
        bodies = await self._store.answers(purpose.shelf, list(placed))
        found = {placed[key]: _unpacked(body) for key, body in bodies.items()}
        if others := sum(payer != purpose.job_id for payer, _ in found.values()):
            spending = Spending(stage=purpose.stage, model=model, kept=others)
            await self._store.add_spending(purpose.workspace_id, purpose.job_id, spending)
        return {key: value for key, (_, value) in found.items()}

    async def keep(
        self, purpose: Purpose, answers: Mapping[str, Any], of_others: Mapping[Stage, Mapping[str, Any]] | None = None
    ) -> None:
        """`answers`: JSON values, or bytes, by `key_of` what they depend on; with other stages' in one write."""
        place = self._clients.place(purpose.base_url)
        by_stage = {purpose.stage: answers, **(of_others or {})}
        packed = {
            stage: {placed_key(key, place): _packed(purpose.job_id, value) for key, value in some.items()}
            for stage, some in by_stage.items()
        }
        await self._store.keep_answers(purpose.shelf, packed)

    async def money(self, workspace_id: str, job_id: str) -> float | None:
        """Dollars that the job has cost; None where a price is unknown."""
        return await self._budgets.spent(workspace_id, job_id)

    def cost(self, spending: Spending) -> float | None:
        """Dollars; None where the model's price is unknown."""
        return self._budgets.cost(spending)

    async def _embed(self, purpose: Purpose, texts: Mapping[str, str], model: str) -> dict[str, bytes]:
        read = Usage(input=sum(map(estimate_tokens, texts.values())))
        async with self._bill(purpose, model, read) as call, self._client(purpose) as llm:
            self.check(purpose)
            vectors, _ = await llm.embed(list(texts.values()), model, call.paid.append)
        return {key: row.astype("<f4").tobytes() for key, row in zip(texts, vectors, strict=True)}

    def _client(self, purpose: Purpose) -> AbstractAsyncContextManager[Llm]:
        return self._clients.of(purpose.workspace_id, purpose.base_url)

    @asynccontextmanager
    async def _bill(self, purpose: Purpose, model: str, expected: Usage) -> AsyncIterator["_Call"]:
        """Room in the budget for a call, whose usages the caller appends; they are written whatever ends it."""
        await self._check_job(purpose)
        async with self._budgets.room(purpose, model, expected) as room:
            paid: list[Usage] = []

            async def admit() -> None:
                await self._enter(purpose, model, paid)
                await room()

            try:
                yield _Call(paid, admit)
            except JobError as error:
                self._note(purpose, str(error))
                raise
            except ModelAwayError as error:
                self._lose_patience(purpose, str(error))
                raise
            finally:
                await self._enter(purpose, model, paid)

    async def _check_job(self, purpose: Purpose) -> None:
        """JobError of a job that has ended: its items may still be on their way, here or in another process."""
        job = await self._store.job(purpose.workspace_id, purpose.job_id)
        if job is not None and job.state in (JobState.ERROR, JobState.SUCCESS):
            raise JobError(job.error or "The job has ended: nothing more is asked for it.")
        self.check(purpose)

    def check(self, purpose: Purpose) -> None:
        """JobError where this process has seen what ends the job: work for its other items is in vain."""
        if error := self._failed.get((purpose.workspace_id, purpose.job_id)):
            raise JobError(error)

    def _note(self, purpose: Purpose, error: str) -> None:
        """The job will end; until the store says so, too, nothing more is asked for it here."""
        _remember(self._failed, (purpose.workspace_id, purpose.job_id), error)

    def _lose_patience(self, purpose: Purpose, why: str) -> None:
        """JobError where none of the job's calls was answered for too long."""
        job, now = (purpose.workspace_id, purpose.job_id), self._clock()
        if job not in self._away:
            _remember(self._away, job, now)
        if now - self._away[job] >= self._patience:
            error = f"{why} So it was for {self._patience / 60:,.0f} minutes: {AWAY}"
            self._note(purpose, error)
            raise JobError(error) from None

    async def _enter(self, purpose: Purpose, model: str, paid: list[Usage]) -> None:
        """Onto the bill, and out of the list."""
        if not paid:
            return
        usage = Usage.total(paid)
        calls = len(paid) - usage.cut
        paid.clear()
        if calls:
            self._away.pop((purpose.workspace_id, purpose.job_id), None)
        spending = Spending(
            stage=purpose.stage,
            model=model,
            calls=calls,
            input=usage.input,
            cached=usage.cached,
            output=usage.output,
            estimated=usage.estimated,
            cut=usage.cut,
        )
        await self._store.add_spending(purpose.workspace_id, purpose.job_id, spending)


@dataclass(frozen=True, slots=True)
class _Call:
    """`paid`: of its attempts. `admit`: before each that follows one that was paid."""

    paid: list[Usage]
    admit: Admit


def _remember(known: dict[tuple[str, str], T], job: tuple[str, str], value: T) -> None:
    known[job] = value
    if len(known) > REMEMBERED:
        known.pop(next(iter(known)))


def request_key(request: Request) -> str:
    """Of everything that is sent."""
    messages = [[message.role, message.content] for message in request.messages]
    shape = [request.shape.name, request.shape.schema]
    return key_of("request", request.model, messages, shape, request.max_output_tokens, request.effort, request.seed)


def key_of(*parts: Any) -> str:
    """Hash of JSON values that an answer depends on."""
    text = json.dumps([VERSION, *parts], ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


def placed_key(key: str, place: str) -> str:
    """The key under which the store has it: two endpoints may call different models by one name."""
    return key_of(place, key) if place else key


def _packed(payer: str, value: Any) -> bytes:
    """Who has paid on the first line; then JSON in ASCII, since a model may write half a character, and integers of any
    size."""
    body = BYTES + value if isinstance(value, bytes) else JSON + json.dumps(value, separators=(",", ":")).encode()
    return json.dumps(payer).encode() + b"\n" + body


def _unpacked(body: bytes) -> tuple[str, Any]:
    payer, _, rest = body.partition(b"\n")
    return json.loads(payer), rest[1:] if rest[:1] == BYTES else json.loads(rest[1:])


def _stacked(rows: Sequence[bytes], model: str) -> Array:
    if len({len(row) for row in rows}) > 1:
        raise JobError(
            f"Vectors of {model} that were kept have another length than today's: forget them by "
            "`insights cache clear`, and start again."
        )
    return np.array([np.frombuffer(row, "<f4") for row in rows], np.float32).reshape(len(rows), -1 if rows else 0)
