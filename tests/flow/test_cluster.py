"""The system as it is deployed, each service a process of its own; and what a kill -9 leaves."""

import random
from pathlib import Path

import pytest

from tests.cluster import cluster, comparable, insights
from tests.kill import kill_services, killed_and_started_again
from tests.servers.fake_model import FakeModelServer
from tests.servers.mongo import new_database

TRACES = 200


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("traces") / "traces.jsonl"
    insights("demo", "--traces", str(TRACES), "--out", str(path), env={})
    return path


@pytest.fixture(scope="module")
def whole(traces: Path) -> Path:
    """The report of one process that nobody disturbed."""
    report = traces.with_name("whole.json")
    insights("analyze", str(traces), "--json", str(report), "--data", str(traces.parent / "data"), env={})
    return report


def test_an_analysis_that_was_killed_goes_on_to_the_same_report(traces: Path, whole: Path, tmp_path: Path) -> None:
    report = killed_and_started_again(traces, tmp_path, 2.0)
    assert comparable(report) == comparable(whole)


@pytest.mark.timeout(240)
def test_five_processes_of_which_some_are_killed_make_the_report_of_one(
    traces: Path, whole: Path, tmp_path: Path, kafka_servers: str, mongo_servers: str
) -> None:
    with cluster(tmp_path, kafka=kafka_servers, mongo=new_database(mongo_servers)) as five:
        report, killed = kill_services(five, traces, 4.0, random.Random(1), kills=1)
    assert killed == 1, "the job was over before the kill: take more traces"
    assert comparable(report) == comparable(whole)


@pytest.mark.timeout(300)
def test_five_processes_ask_a_model_no_more_than_one_does(
    tmp_path: Path, kafka_servers: str, mongo_servers: str
) -> None:
    traces, alone, together = (tmp_path / name for name in ("traces.jsonl", "alone.json", "together.json"))
    insights("demo", "--traces", "40", "--out", str(traces), env={})
    options = ["analyze", str(traces), "--engine", "model", "--attribute", "angry: boolean: is the user angry"]
    model = FakeModelServer(tmp_path)
    model.start()
    try:
        env = {"OPENAI_BASE_URL": f"{model.url}/a/prefix/v1", "INSIGHTS_MODEL_HEADERS": '{"X-Team": "a"}'}
        insights(*options, "--json", str(alone), "--data", str(tmp_path / "data"), env=env)
        calls = model.stats()["requests"]
        with cluster(tmp_path, kafka=kafka_servers, mongo=new_database(mongo_servers), more=env) as five:
            five.run(*options, "--json", str(together))
        assert comparable(together) == comparable(alone)
        assert model.stats()["requests"] == 2 * calls
    finally:
        model.stop()
