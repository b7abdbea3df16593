"""LangSmith's own Python client, the newest and the oldest that has Insights, makes reports at a running `insights up`.

No key is given: a deployment with an engine of its own lets keyless users through.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.up import HERE, NEWEST, OLDEST, python_of, running
from tests.insights.command import clean_environment

ASKED = ("Refund my order {}", "Reset my password, account {}", "Where is parcel {}? 📦", "Kündige Vertrag {} \x00")
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("up")) as (url, _):
        yield url


def histories(count: int) -> list[list[dict[str, str]]]:
    return [
        [
            {"role": "user", "content": ASKED[number % len(ASKED)].format(number)},
            {"role": "assistant", "content": f"Done: {number}."},
        ]
        for number in range(count)
    ]


def run(client: str, url: str, name: str, told: Any, folder: Path) -> dict[str, Any]:
    file = folder / "histories.json"
    file.write_text(json.dumps(told))
    environment = clean_environment() | {"LANGSMITH_TRACING": "false"}
    command = [str(python_of(client)), str(HERE / "run_insights.py"), url, name, str(file)]
    found = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert found.returncode == 0, found.stderr[-4_000:]
    answer: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
    return answer


@pytest.mark.parametrize("count", [3, 230, 1_000])
def test_the_newest_client_gets_a_report_with_every_history_in_it(url: str, count: int, tmp_path: Path) -> None:
    sent = histories(count)
    found = run(NEWEST, url, f"With {count}", sent, tmp_path)
    assert (found["status"], found["name"]) == ("success", f"With {count}")
    assert sorted(found["runs"], key=repr) == sorted(sent, key=repr)
    leaves = [one for one in found["clusters"] if one["level"] == 0]
    assert all(len(set(one["loaded"])) == one["num_runs"] for one in found["clusters"])
    assert len({run_id for one in leaves for run_id in one["loaded"]}) == count
    link = httpx.get(found["link"].replace("http://localhost", url.removesuffix("/api")), follow_redirects=True)
    assert link.json()["id"] == found["id"]


def test_the_oldest_client_makes_a_report_and_waits_for_it(url: str, tmp_path: Path) -> None:
    found = run(OLDEST, url, "Old", histories(3), tmp_path)
    assert found["status"] == "success"


def test_a_name_that_is_taken_is_a_conflict_and_makes_no_job(url: str, tmp_path: Path) -> None:
    first = run(NEWEST, url, "Twice", histories(3), tmp_path)
    assert run(NEWEST, url, "Twice", histories(3), tmp_path) == {"conflict": True}
    [project] = httpx.get(f"{url}/sessions", params={"name": "Twice"}).json()
    jobs = httpx.get(f"{url}/sessions/{project['id']}/insights").json()["clustering_jobs"]
    assert [one["id"] for one in jobs] == [first["id"]]


def test_texts_instead_of_messages_are_taken(url: str, tmp_path: Path) -> None:
    """As the client's own tutorial sends them."""
    told = [f"I want to return the shoes, number {number}." for number in range(4)]
    found = run(NEWEST, url, "Texts", told, tmp_path)
    assert sorted(found["runs"]) == sorted(told)
