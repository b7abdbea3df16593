"""`insights keys`, what `insights up` asks for then, and that it is not open to others without a key."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from insights.demo import write
from tests.insights.command import insights
from tests.insights.test_serve import Up, running


def made(folder: Path, *options: str) -> str:
    """The key that the command prints, alone."""
    outcome = insights("keys", "create", *options, "--data", folder)
    assert outcome.code == 0, outcome.err
    assert re.fullmatch(r"insights_[A-Za-z0-9_-]{43}\n", outcome.out)
    return outcome.out.strip()


def test_a_key_is_shown_once_and_kept_nowhere(tmp_path: Path) -> None:
    text = made(tmp_path, "--name", "ci", "--role", "writer")
    listed = insights("keys", "list", "--data", tmp_path)
    assert text not in listed.out + listed.err
    assert "ci" in listed.out
    assert "never" in listed.out
    assert all(text.encode() not in path.read_bytes() for path in tmp_path.iterdir())


def test_only_the_first_key_closes_the_gateway_and_the_command_says_so(tmp_path: Path) -> None:
    first = insights("keys", "create", "--name", "a", "--role", "admin", "--data", tmp_path)
    second = insights("keys", "create", "--name", "b", "--role", "reader", "--data", tmp_path)
    assert ["It is the first" in one.err for one in (first, second)] == [True, False]


def test_a_key_is_revoked_by_its_id_or_by_a_name_that_is_its_own(tmp_path: Path) -> None:
    for name in ("twice", "twice", "once"):
        made(tmp_path, "--name", name, "--role", "reader", "--workspace", "shop")
    assert insights("keys", "revoke", "once", "--data", tmp_path).code == 0
    assert insights("keys", "revoke", "once", "--data", tmp_path).code == 2
    several = insights("keys", "revoke", "twice", "--data", tmp_path)
    [one, _] = re.findall(r"[0-9a-f-]{36}", several.err)
    assert several.code == 2
    assert insights("keys", "revoke", one, "--data", tmp_path).code == 0
    listed = insights("keys", "list", "--data", tmp_path).out
    assert listed.count("revoked 20") == 2
    assert listed.count("shop") == 3


@pytest.mark.parametrize(
    "options",
    [
        ["--name", "x", "--role", "owner"],
        ["--name", " ", "--role", "reader"],
        ["--name", "x" * 101, "--role", "reader"],
    ],
)
def test_what_is_no_key_is_refused(tmp_path: Path, options: list[str]) -> None:
    assert insights("keys", "create", *options, "--data", tmp_path).code == 2
    assert "There are no keys" in insights("keys", "list", "--data", tmp_path).out


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with running(tmp_path_factory.mktemp("up"), {"INSIGHTS_EMBEDDING": "none"}) as found:
        yield found


def test_a_key_counts_at_a_running_gateway_at_once_and_so_does_its_end(up: Up, tmp_path: Path) -> None:
    def status(text: str = "", name: str = "x") -> int:
        headers = {"x-api-key": text} if text else {}
        return httpx.post(f"{up.url}/sessions?upsert=true", json={"name": name}, headers=headers).status_code

    assert status() == 200
    writer = made(up.folder, "--name", "w", "--role", "writer")
    assert [status(), status(writer)] == [401, 200]
    assert insights("keys", "revoke", "w", "--data", up.folder).code == 0
    assert [status(), status(writer)] == [401, 401]

    file = tmp_path / "more.jsonl"
    write(file, 3, light=True)
    refused = insights("import", file, "--project", "p", "--data", up.folder)
    assert (refused.code, "INSIGHTS_API_KEY" in refused.err) == (2, True)
    again = made(up.folder, "--name", "w2", "--role", "writer")
    taken = insights("import", file, "--project", "p", "--data", up.folder, settings={"INSIGHTS_API_KEY": again})
    assert taken.code == 0, taken.err


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_without_a_key_nobody_else_is_served(tmp_path: Path, host: str) -> None:
    if host == "::" and not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    settings = {"INSIGHTS_HOST": host, "INSIGHTS_EMBEDDING": "none"}
    outcome = insights("up", "--port", "0", "--data", tmp_path, settings=settings)
    assert outcome.code == 2
    assert "insights keys create" in outcome.err
    assert "--insecure" in outcome.err


def test_with_a_key_or_insecure_everybody_is_served(tmp_path: Path) -> None:
    open_to_all = {"INSIGHTS_HOST": "0.0.0.0", "INSIGHTS_EMBEDDING": "none"}
    with running(tmp_path, open_to_all | {"INSIGHTS_INSECURE": "true"}) as up:
        url = up.url.replace("0.0.0.0", "127.0.0.1")
        elsewhere = httpx.get(f"{url}/sessions?name=x", headers={"Host": "insights.example"})
        assert elsewhere.status_code == 200
    made(tmp_path, "--name", "a", "--role", "reader")
    with running(tmp_path, open_to_all) as up:
        assert httpx.get(f"{up.url.replace('0.0.0.0', '127.0.0.1')}/sessions?name=x").status_code == 401


def test_a_wrong_secrets_key_stops_the_start_and_is_not_shown(tmp_path: Path) -> None:
    outcome = insights("up", "--data", tmp_path, settings={"INSIGHTS_SECRETS_KEY": "planted-4711"})
    assert outcome.code == 2
    assert "INSIGHTS_SECRETS_KEY" in outcome.err
    assert "planted" not in outcome.err


def test_secrets_are_rotated_beside_a_running_gateway(tmp_path: Path) -> None:
    with running(tmp_path, {"INSIGHTS_EMBEDDING": "none"}) as up:
        httpx.put(f"{up.url}/workspaces/current/secrets/MINE", json={"value": "sk-1"}).raise_for_status()
        before = (tmp_path / "secrets.key").read_text()
        outcome = insights("secrets", "rotate", "--data", tmp_path)
        assert (outcome.code, outcome.out.startswith("1 secrets")) == (0, True)
        assert (tmp_path / "secrets.key").read_text().splitlines()[1:] == before.splitlines()
        httpx.put(f"{up.url}/workspaces/current/secrets/OTHER", json={"value": "sk-2"}).raise_for_status()
    outcome = insights("secrets", "rotate", "--data", tmp_path)
    assert (outcome.code, outcome.out.startswith("2 secrets")) == (0, True), outcome.err
    (tmp_path / "secrets.key").write_text(insights("secrets", "key").out)
    lost = insights("secrets", "rotate", "--data", tmp_path)
    assert (lost.code, "MINE" in lost.err, "store them again" in lost.err) == (2, True, True)


def test_a_secret_is_rotated_with_keys_of_the_environment(tmp_path: Path) -> None:
    old, new = (insights("secrets", "key").out.strip() for _ in range(2))
    with running(tmp_path, {"INSIGHTS_EMBEDDING": "none", "INSIGHTS_SECRETS_KEY": old}) as up:
        httpx.put(f"{up.url}/workspaces/current/secrets/MINE", json={"value": "sk-1"}).raise_for_status()
    for keys, code in ((new, 2), (f"{new},{old}", 0), (new, 0)):
        outcome = insights("secrets", "rotate", "--data", tmp_path, settings={"INSIGHTS_SECRETS_KEY": keys})
        assert outcome.code == code, (keys, outcome)
    assert not (tmp_path / "secrets.key").exists()
