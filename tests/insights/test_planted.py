"""Secrets are planted in a real process and used there; none of them is found anywhere afterwards."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from insights.demo import generate
from tests.insights.command import insights
from tests.insights.test_serve import running, until
from tests.servers.fake_model import FakeModelServer

PROVIDER, ENVIRONMENT, HEADER, WRONG = (
    "sk-planted-provider",
    "sk-planted-environment",
    "planted-header",
    "sk-planted-wrong",
)
AT = "/workspaces/current/secrets"


@pytest.fixture
def model(tmp_path: Path) -> Iterator[FakeModelServer]:
    server = FakeModelServer(tmp_path, "--key", PROVIDER)
    server.start()
    yield server
    server.stop()


class Listener:
    """A client that keeps every answer, down to its headers."""

    def __init__(self, url: str, key: str) -> None:
        self.heard: list[str] = []
        self._client = httpx.Client(base_url=url, headers={"x-api-key": key}, timeout=30)

    def __call__(self, method: str, path: str, **options: Any) -> Any:
        answer = self._client.request(method, path, **options)
        self.heard.append(f"{answer.headers!r} {answer.text}")
        return answer.json()

    def close(self) -> None:
        self._client.close()


def test_no_secret_is_in_a_log_an_event_an_error_a_file_or_an_answer(tmp_path: Path, model: FakeModelServer) -> None:
    """A job whose endpoint refuses the key first, and then one that it answers."""
    folder = tmp_path / "data"
    settings = {
        "INSIGHTS_EMBEDDING": "none",
        "INSIGHTS_LOG_LEVEL": "DEBUG",
        "INSIGHTS_PRIVATE_HOSTS": "127.0.0.1",
        "OPENAI_API_KEY": ENVIRONMENT,
        "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
        "INSIGHTS_MODEL_HEADERS": f'{{"X-Key": "{HEADER}"}}',
    }
    admin = insights("keys", "create", "--name", "a", "--role", "admin", "--data", folder).out.strip()
    with running(folder, settings) as up:
        ask = Listener(up.url, admin)
        runs = [run | {"session_name": "shop"} for run in generate(12, light=True)]
        ask("POST", "/runs/batch", json={"post": runs})
        [project] = ask("GET", "/sessions?name=shop")
        at = f"/sessions/{project['id']}/insights"
        hosts = [{"host_pattern": f"127.0.0.1:{model.port}"}]
        body = {"engine": "model", "base_url": model.base_url, "summary_model": "s", "cluster_model": "c"}

        def ended(job: dict[str, Any]) -> dict[str, Any]:
            found: dict[str, Any] = until(
                lambda: found if (found := ask("GET", f"{at}/{job['id']}"))["status"] in ("success", "error") else None
            )
            return found

        ask("PUT", f"{AT}/MODELS", json={"value": WRONG, "configs": hosts})
        refused = ended(ask("POST", at, json=body))
        assert (refused["status"], "refused the key" in refused["error"]) == ("error", True)
        ask("PUT", f"{AT}/MODELS", json={"value": PROVIDER})
        answered = ended(ask("POST", at, json=body))
        assert answered["status"] == "success", answered["error"]

        ask("GET", f"{AT}?include_configs=true")
        ask("POST", AT, json=[{"key": "X", "value": f"{PROVIDER} {WRONG}"}])
        ask("POST", at, json=body | {"base_url": f"http://user:{PROVIDER}@models.example/v1"})
        ask("GET", f"/nowhere/{project['id']}")
        ask.close()
        up.process.send_signal(signal.SIGTERM)
        logged = "".join(up.process.communicate(timeout=60))

    sealing = (folder / "secrets.key").read_text().split()
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "secrets.key"}
    assert {"insights.db", "bus.db"} <= {path.name for path in files}
    for secret in (admin, PROVIDER, ENVIRONMENT, HEADER, WRONG, *sealing):
        assert secret not in logged
        assert not [path for path, content in files.items() if secret.encode() in content]
        assert not [said for said in ask.heard if secret in said]


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://user:planted-4711@127.0.0.1:1/db?serverSelectionTimeoutMS=10",
        "mongodb://user:planted-4711:x@127.0.0.1:1/db",
        "mongodb://user:planted-4711/x@127.0.0.1:1/db",
        "mongodb://user:planted-4711@x@127.0.0.1:1/db",
        "mongodb://user:planted-4711@127.0.0.1:port/db",
        "mongodb://user:planted-4711@127.0.0.1:1/db?authMechanism=NONE",
        "mongodb://user:planted-4711@127.0.0.1:1/db?password=planted-4711",
        "mongodb://user:planted-4711@[::1/db",
        "mongo://user:planted-4711@127.0.0.1/db",
    ],
)
def test_the_password_in_the_stores_url_is_in_no_error(tmp_path: Path, url: str) -> None:
    outcome = insights("store", "check", settings={"INSIGHTS_STORE": url})
    assert outcome.code != 0
    assert re.search(r"MongoDB|INSIGHTS_STORE|URL", outcome.err)
    assert "planted" not in outcome.out + outcome.err
