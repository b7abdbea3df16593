"""Vectors by a model of the job's own: many a call, paid once, and no text that is refused spoils the others'."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from services.categorizer.handlers import categorize_job
from services.categorizer.vectors import with_vectors
from shared.asking import TEXTS, Asker, Purpose
from shared.config import Settings
from shared.errors import JobError
from shared.events import JobReady
from shared.features import Features
from shared.llm import Endpoint, Llm, Prices
from shared.models import ItemState, JobState, Stage
from shared.store.sqlite import SqliteStore
from tests.services.asking import asking
from tests.services.conftest import J, Published, W, item, job
from tests.services.test_categories import sample, talk

MODEL = "text-embedding-3-small"
PURPOSE = Purpose(W, J, Stage.VECTORS)
Refuses = Callable[[list[str]], bool]


class Embeddings:
    """An endpoint whose vectors tell a text's length; it counts its calls."""

    def __init__(self, refuses: Refuses = lambda texts: False) -> None:
        self._refuses = refuses
        self.calls = 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.calls += 1
        texts: list[str] = json.loads(request.content)["input"]
        if self._refuses(texts):
            return httpx2.Response(400, json={"error": {"message": "no", "code": "content_filter"}})
        data = [{"index": at, "embedding": [len(text), 1.0]} for at, text in enumerate(texts)]
        return httpx2.Response(200, json={"data": data, "usage": {"prompt_tokens": len(texts)}})

    def asker(self, store: SqliteStore) -> Asker:
        http = httpx2.AsyncClient(transport=httpx2.MockTransport(self))
        return Asker(store, Llm(Endpoint("http://model.test/v1"), http=http), Prices.load())


def said(*texts: str) -> Any:
    return sample([Features(request=text).pack() for text in texts])


def rows(found: Any) -> list[list[float] | None]:
    items = [Features.unpack(one) for one in found.features]
    assert {item.encoder for item in items} == {MODEL}
    return [None if item.request_vector is None else item.request_vector.round(2).tolist() for item in items]


async def test_many_texts_are_one_call_and_are_paid_once(store: SqliteStore) -> None:
    many, endpoint = said(*(f"request {n}" for n in range(TEXTS + 40))), Embeddings()
    first = await with_vectors(many, endpoint.asker(store), PURPOSE, MODEL)
    assert endpoint.calls == 2
    assert rows(first)[0] == pytest.approx([0.99, 0.11])
    again = await with_vectors(many, endpoint.asker(store), PURPOSE, MODEL)
    assert (endpoint.calls, again.features == first.features) == (2, True)
    assert [(one.stage, one.calls, one.kept) for one in await store.spending(W, J)] == [(Stage.VECTORS, 2, 0)]


@pytest.mark.parametrize("place", [0, 7, 19])
async def test_a_text_that_is_refused_goes_without_and_the_others_have_theirs(store: SqliteStore, place: int) -> None:
    texts = [f"request {n}" for n in range(20)]
    texts[place] = "refused"
    endpoint = Embeddings(lambda sent: "refused" in sent)
    found = rows(await with_vectors(said(*texts), endpoint.asker(store), PURPOSE, MODEL))
    assert [at for at, row in enumerate(found) if row is None] == [place]


async def test_an_endpoint_that_takes_fewer_at_once_gets_fewer(store: SqliteStore) -> None:
    endpoint = Embeddings(lambda sent: len(sent) > 30)
    found = rows(await with_vectors(said(*map(str, range(100))), endpoint.asker(store), PURPOSE, MODEL))
    assert len(found) == 100
    assert None not in found


async def test_a_model_that_makes_none_ends_the_job_after_few_calls_with_what_to_do(store: SqliteStore) -> None:
    endpoint = Embeddings(lambda sent: True)
    with pytest.raises(JobError, match=f"{MODEL} makes no vectors.*Choose another --embedding-model"):
        await with_vectors(said(*map(str, range(2_000))), endpoint.asker(store), PURPOSE, MODEL)
    assert endpoint.calls < 20


async def test_what_the_budget_does_not_pay_is_done_without(store: SqliteStore) -> None:
    endpoint, texts = Embeddings(), said("a", "b")
    assert await with_vectors(texts, endpoint.asker(store), Purpose(W, J, Stage.VECTORS, 0.0), MODEL) is texts
    assert endpoint.calls == 0


async def test_a_job_with_such_a_model_lies_by_its_vectors(
    store: SqliteStore, publish: Published, settings: Settings
) -> None:
    await store.insert_job(job(JobState.READY, {"engine": "model", "embedding_model": MODEL}))
    await store.insert_items([item(f"{n:02}", ItemState.DONE, features=one) for n, one in enumerate(talk(24))])
    async with asking(store) as world:
        await categorize_job(JobReady(workspace_id=W, job_id=J), store, publish, settings, "me", world.asker)
    report = await store.report(W, J, 1)
    assert report is not None
    assert report.trust["vectors"] == MODEL
    assert [one.calls for one in await store.spending(W, J) if one.stage is Stage.VECTORS] == [1]
