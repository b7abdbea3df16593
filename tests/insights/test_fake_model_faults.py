"""What the stand-in does wrong on demand reaches OpenAI's client as the real thing would, for whom it is meant."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from insights.fake_model.app import FakeModel
from insights.fake_model.faults import ALWAYS, KINDS, Fault, fault_of, fraction, parse
from insights.fake_model.latency import Latency
from insights.fake_model.latency import parse as parse_latency
from insights.fake_model.options import Options
from insights.fake_model.serving import running
from shared.errors import UsageError
from tests.insights.test_fake_model import EXPECTED, MESSAGES, Summary, ask, client
from tests.servers.fake_model import FakeModelServer, endpoint

FORMAT = {"type": "json_schema", "json_schema": {"name": "summary", "schema": Summary.model_json_schema()}}


def trace(text: str) -> list[dict[str, str]]:
    return [MESSAGES[0], {"role": "user", "content": f"<trace>\nUser: {text}\n</trace>"}]


def faulty(kind: str, share: float = 1, times: int = ALWAYS) -> Options:
    return Options(faults=(Fault(kind, share, times),))


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("429", 429, "rate_limit_exceeded"),
        ("429-bare", 429, "rate_limit_exceeded"),
        ("500", 500, None),
        ("503", 503, None),
        ("content-filter", 400, "content_filter"),
        ("context-length", 400, "context_length_exceeded"),
        ("wrong-key", 401, "invalid_api_key"),
        ("no-quota", 429, "insufficient_quota"),
        ("no-model", 404, "model_not_found"),
    ],
)
async def test_a_status_comes_with_the_code_that_openai_gives(kind: str, status: int, code: str | None) -> None:
    async with endpoint(faulty(kind)) as server:
        with pytest.raises(openai.APIStatusError) as caught:
            await ask(server.base_url)

    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert ("retry-after" in caught.value.response.headers) == (kind == "429")
    assert server.stats()["by_fault"] == {kind: 1}


async def test_a_cut_connection_and_one_that_hangs() -> None:
    async with endpoint(faulty("cut")) as cut, endpoint(faulty("hang")) as hanging:
        with pytest.raises(openai.APIConnectionError) as caught:
            await ask(cut.base_url)
        with pytest.raises(openai.APITimeoutError):
            await ask(hanging.base_url, timeout=0.05)

    assert not isinstance(caught.value, openai.APITimeoutError)
    assert cut.stats()["by_status"] == {"cut": 1}
    assert hanging.stats()["cut_off"] == 1, "by the client"


async def test_bad_answers_come_as_completions() -> None:
    found: dict[str, Any] = {}
    for kind in ("half-json", "length", "schema", "empty", "refusal"):
        async with endpoint(faulty(kind)) as server:
            found[kind] = (await ask(server.base_url, response_format=FORMAT)).choices[0]

    whole = json.dumps(EXPECTED)
    assert found["half-json"].message.content == found["length"].message.content == whole[: len(whole) // 2]
    assert {kind: choice.finish_reason for kind, choice in found.items() if kind != "length"} == dict.fromkeys(
        ("half-json", "schema", "empty", "refusal"), "stop"
    )
    assert found["length"].finish_reason == "length"
    assert json.loads(found["schema"].message.content).keys() ^ EXPECTED.keys() == {"summary", "unexpected"}
    assert found["empty"].message.content == ""
    assert (found["refusal"].message.content, bool(found["refusal"].message.refusal)) == (None, True)


async def test_a_fault_ends_after_its_times_and_the_answer_is_that_of_a_run_without() -> None:
    async with endpoint(faulty("500", times=2)) as server:
        for _ in range(2):
            with pytest.raises(openai.InternalServerError):
                await ask(server.base_url, response_format=FORMAT)
        answer = await ask(server.base_url, response_format=FORMAT)

    assert json.loads(answer.choices[0].message.content) == EXPECTED
    assert server.stats()["repeated_after"] == {"fault": 2}


async def test_a_mended_request_is_the_same_item() -> None:
    """A client that asks again with the error appended has used up one of the item's faults."""
    async with endpoint(faulty("schema", times=1)) as server:
        await ask(server.base_url, response_format=FORMAT)
        mended = [*MESSAGES, {"role": "assistant", "content": "{}"}, {"role": "user", "content": "Summary is missing."}]
        answer = await ask(server.base_url, mended, response_format=FORMAT)

    assert json.loads(answer.choices[0].message.content) == EXPECTED


async def test_an_item_that_never_succeeds_fails_in_every_stage_and_is_the_same_in_the_log() -> None:
    lines: list[str] = []
    model = FakeModel(faulty("content-filter", share=0.5), lines.append)
    async with running(model) as url, httpx.AsyncClient() as http:
        for number in range(20):
            for name in ("summary", "attributes"):
                schema = {"name": name, "schema": {"type": "object", "properties": {name: {"type": "string"}}}}
                messages = [{"role": "system", "content": name}, *trace(f"I want lamp {number}.")[1:]]
                body: dict[str, Any] = {"model": "m", "messages": messages}
                body["response_format"] = {"type": "json_schema", "json_schema": schema}
                await http.post(f"{url}/chat/completions", json=body)

    found = [json.loads(line) for line in lines]
    failed = [
        {line["item"] for line in found if line["fault"] and line["stage"] == name}
        for name in ("summary", "attributes")
    ]
    assert failed[0] == failed[1]
    assert 3 < len(failed[0]) < 17
    assert len({line["item"] for line in found}) == 20
    assert {line["attempt"] for line in found} == {1}


@pytest.mark.parametrize(("marker", "failures"), [("503", 1), ("503 2", 2), ("503 always", 3)])
async def test_a_marker_in_the_trace_asks_for_a_fault_and_is_no_part_of_the_answer(marker: str, failures: int) -> None:
    messages = trace(f"I want a lamp. [[fake-model {marker}]]")
    statuses = []
    async with endpoint() as server, client(server.base_url) as api:
        for _ in range(3):
            body = {"model": "m", "messages": messages}
            answer = await api._client.post(f"{server.base_url}/chat/completions", json=body)
            statuses.append(answer.status_code)

    assert statuses == [503] * failures + [200] * (3 - failures)
    assert "fake-model" not in answer.json()["choices"][0]["message"]["content"] if failures < 3 else True


def test_who_fails_depends_on_the_data_alone_and_as_many_as_asked_for() -> None:
    faults = parse(["429:0.05,500:0.05:2", "refusal:0.1:always"])
    keys = [f"trace {number}" for number in range(4_000)]

    first = Counter(fault_of(faults, key, 1) for key in keys)
    third = Counter(fault_of(faults, key, 3) for key in reversed(keys))

    assert first["429"] / 4_000 == pytest.approx(0.05, abs=0.01)
    assert first["500"] / 4_000 == pytest.approx(0.05, abs=0.01)
    assert first["refusal"] / 4_000 == pytest.approx(0.1, abs=0.015)
    assert set(third) == {None, "refusal"}
    assert third["refusal"] == first["refusal"]


def test_a_fault_of_each_attempt_is_drawn_anew() -> None:
    faults = parse(["500:0.5:each"])

    drawn = [fault_of(faults, "a trace", attempt) for attempt in range(1, 201)]

    assert 70 < drawn.count("500") < 130
    assert drawn == [fault_of(faults, "a trace", attempt) for attempt in range(1, 201)]


@pytest.mark.parametrize("text", ["429", "429:x", "429:0.1:0", "429:0.1:often", "429:-1", "429:nan", "x:0.1"])
def test_a_fault_that_is_not_written_so_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"429:0\.05|choose 429"):
        parse([text])


def test_latencies_have_the_mean_that_is_asked_for() -> None:
    latency = parse_latency("lognormal:4,0.5")

    seconds = sorted(latency.seconds(fraction(number)) for number in range(5_000))

    assert sum(seconds) / len(seconds) == pytest.approx(4, rel=0.03)
    assert seconds[2_500] == pytest.approx(4 * 2.718281828 ** (-(0.5**2) / 2), rel=0.03)
    assert parse_latency("fixed:0.2").seconds(0.9) == 0.2
    assert parse_latency("none").seconds(0.9) == 0


async def test_a_client_that_goes_while_it_waits_is_counted_as_cut_off() -> None:
    """And its request, made again, as repeated after that: what a crash may cost."""
    model = FakeModel(Options(latency=Latency(60)))
    async with running(model) as url:
        with pytest.raises(openai.APITimeoutError):
            await ask(f"{url}/v1", timeout=0.05)
        async with httpx.AsyncClient() as http:
            while (await http.get(f"{url}/stats")).json()["in_flight"]:
                pass
        model.options = Options()
        await ask(f"{url}/v1")
        await ask(f"{url}/v1")

    figures = model.counters.figures()
    assert (figures["requests"], figures["distinct"], figures["cut_off"]) == (3, 1, 1)
    assert figures["repeated_after"] == {"cut off": 1, "200": 1}


async def test_each_request_is_a_line_that_tells_which_trace_it_was_about() -> None:
    lines: list[str] = []
    model = FakeModel(Options(faults=parse(["content-filter:0.5:always"])), lines.append)
    async with running(model) as url, httpx.AsyncClient() as http:
        for number in range(20):
            body = json.dumps({"model": "m", "messages": trace(f"Lamp {number} \ud800 is broken.")})
            assert (await http.post(f"{url}/chat/completions", content=body)).status_code in (200, 400)

    found = [json.loads(line) for line in lines]
    assert [line["opening"].split()[1] for line in found] == [str(number) for number in range(20)]
    assert {(line["fault"], line["status"]) for line in found} == {(None, 200), ("content-filter", 400)}
    assert len({line["hash"] for line in found}) == 20


async def test_faults_can_be_set_while_it_runs_and_its_figures_reset() -> None:
    async with endpoint() as server, httpx.AsyncClient(base_url=server.url) as http:
        assert (await http.post("/faults", content="503:1:always")).json() == {"faults": 1}
        with pytest.raises(openai.InternalServerError):
            await ask(server.base_url)
        assert (await http.post("/faults", content="x:1")).status_code == 400
        await http.post("/faults", content="")
        await ask(server.base_url)
        assert (await http.get("/stats")).json()["by_status"] == {"503": 1, "200": 1}
        assert (await http.post("/stats/reset")).json()["requests"] == 0


async def test_embeddings_fail_as_well() -> None:
    async with endpoint(faulty("429", times=1)) as server, client(server.base_url) as api:
        with pytest.raises(openai.RateLimitError):
            await api.embeddings.create(model="e", input=["a lamp"])
        assert len((await api.embeddings.create(model="e", input=["a lamp"])).data) == 1


def test_each_kind_of_fault_is_in_the_tests_above() -> None:
    text = Path(__file__).read_text()

    assert [kind for kind in KINDS if f'"{kind}"' not in text] == []


async def test_as_a_process_it_says_where_it_is_and_keeps_its_port(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    server = FakeModelServer(tmp_path, "--models", "gpt-5", "--log", str(log))
    try:
        server.start()
        await ask(server.base_url, model="gpt-5")
        assert server.stats()["by_model"]["gpt-5"]["calls"] == 1
        assert json.loads(log.read_text())["status"] == 200
        server.kill()
        with pytest.raises(openai.APIConnectionError):
            await ask(server.base_url, model="gpt-5")
        server.start()
        await ask(server.base_url, model="gpt-5")
    finally:
        server.kill()
