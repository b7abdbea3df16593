"""docker-compose.yml says what works: each service's command and environment, here as a process on the test servers."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from insights.process import ROUTERS
from shared.config import PREFIX, Settings
from tests.conftest import have, running
from tests.deploy.compose import ROOT, Service, compose, host_variables, ours
from tests.insights.command import clean_environment
from tests.servers.kafka import IMAGE as KAFKA_IMAGE
from tests.servers.kafka import KafkaServer
from tests.servers.mongo import IMAGE as MONGO_IMAGE
from tests.servers.mongo import new_database
from tests.servers.process import Process, free_port

COMMAND = "import sys; sys.argv[0] = 'insights'; from insights.main import main; main()"  # of this checkout
PORT = str(Settings().port)
DONE_SECONDS = 120


def test_docker_compose_accepts_the_file() -> None:
    command = shutil.which("docker-compose")
    if command is None:
        pytest.skip("docker-compose is not installed (Debian's package of that name)")
    read = subprocess.run([command, "config"], cwd=ROOT, env=clean_environment(), capture_output=True, text=True)
    assert read.returncode == 0, read.stderr
    assert set(ours()) < set(compose()["services"])


def test_every_variable_and_port_in_it_is_a_setting() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {"OPENAI_API_KEY", "OPENAI_BASE_URL"}
    for service in ours().values():
        assert set(service.environment) <= known, service.name
    assert host_variables() <= known
    assert {inner for _, _, inner in published()} == {PORT}


def test_only_the_gateway_is_published_and_that_on_this_machine_alone() -> None:
    assert [(name, host) for name, host, _ in published()] == [("gateway", "127.0.0.1")]


def published() -> list[tuple[str, str, str]]:
    """Service, address and inner port of each that can be reached from outside."""
    ports = [(name, one) for name, service in compose()["services"].items() for one in service.get("ports", [])]
    return [(name, one.partition(":")[0], one.rpartition(":")[2]) for name, one in ports]


def test_every_service_of_the_system_runs_once_beside_two_that_prepare_it() -> None:
    serving = {tuple(one.command) for one in ours().values() if one.command[0] == "serve"}
    assert serving == {("serve", name) for name in ROUTERS}
    assert {tuple(one.command) for one in ours().values()} - serving == {("topics", "create"), ("store", "init")}


def test_what_runs_for_ever_has_a_health_check_and_no_container_of_ours_may_write_to_its_image() -> None:
    for name, service in compose()["services"].items():
        once = name in ("topics", "indexes")
        assert once or service["healthcheck"]["test"][0] == "CMD", name
        assert name not in ours() or (service["read_only"] and service["cap_drop"] == ["ALL"]), name


def test_the_tests_servers_are_those_of_the_file() -> None:
    """Where an engine answers, the tests start the same images."""
    images = [compose()["services"][name]["image"] for name in ("kafka", "mongo")]
    assert images == [KAFKA_IMAGE, MONGO_IMAGE]


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[str]:
    """The broker with the file's own properties, at an address of this machine."""
    environment = compose()["services"]["kafka"]["environment"]
    port, controller = free_port(), free_port()
    places = {"kafka:9092": f"127.0.0.1:{port}", "0.0.0.0:9092": f"127.0.0.1:{port}", ":9093": f":{controller}"}
    places["/var/lib/kafka/data"] = str(tmp_path / "kafka")
    lines = [f"{key.removeprefix('KAFKA_').lower().replace('_', '.')}={value}" for key, value in environment.items()]
    for server in have(lambda: running(KafkaServer(port, tmp_path, rewritten("\n".join(lines), places)))):
        yield server.servers


def rewritten(text: str, places: Mapping[str, str]) -> str:
    for old, new in places.items():
        text = text.replace(old, new)
    return text


class Container:
    """A service as a process: its command and environment, at addresses of this machine."""

    def __init__(self, service: Service, places: Mapping[str, str], folder: Path) -> None:
        self.service, self.port = service, free_port()
        given = {key: rewritten(value, places) for key, value in service.environment.items()}
        self.environment = clean_environment() | given | {"INSIGHTS_PORT": str(self.port)}
        settings = [f"{key}={value}" for key, value in self.environment.items()]
        command = ["env", "-i", *settings, sys.executable, "-c", COMMAND, *service.command]
        self.process = Process(command, folder / f"{service.name}.log")

    def run(self) -> None:
        """To its end, which must be a good one."""
        command = [sys.executable, "-c", COMMAND, *self.service.command]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        self.process.start(self.is_healthy)

    def is_healthy(self) -> bool:
        _, _, *arguments = self.service.health
        check = [rewritten(one, {f":{PORT}/": f":{self.port}/"}) for one in arguments]
        return subprocess.run([sys.executable, *check], capture_output=True).returncode == 0


@pytest.mark.timeout(300)
def test_the_services_as_the_file_starts_them_make_a_report(kafka: str, mongo_servers: str, tmp_path: Path) -> None:
    address, _, database = new_database(mongo_servers).rpartition("/")
    cache = tmp_path / "cache"
    places = {"kafka:9092": kafka, "mongodb://mongo:27017/insights": f"{address}/{database}"}
    places |= {"/var/lib/insights": str(tmp_path / "data"), "/var/cache/insights": str(cache)}
    containers = {name: Container(service, places, tmp_path) for name, service in ours().items()}
    for name in ("topics", "indexes"):
        containers.pop(name).run()
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(Container.start, containers.values()))
        with httpx.Client(base_url=f"http://127.0.0.1:{containers['gateway'].port}/api", timeout=60) as client:
            assert client.get("/sessions", headers={"host": "pages.example"}).status_code == 403, "no key was made yet"
            assert report(client)["status"] == "success"
    finally:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda one: one.process.stop(), containers.values()))


def report(client: httpx.Client) -> dict[str, Any]:
    """The job that has ended, on 30 traces."""
    runs: Sequence[dict[str, Any]] = [
        {
            "id": f"00000000-0000-4000-8000-{number:012}",
            "session_name": "shop",
            "name": "agent",
            "start_time": "2026-01-01T00:00:00Z",
            "end_time": "2026-01-01T00:00:02Z",
            "inputs": {"messages": [{"role": "user", "content": ("Refund order", "Reset password of")[number % 2]}]},
            "outputs": {"answer": f"Done: {number}."},
        }
        for number in range(30)
    ]
    assert client.post("/runs/batch", content=json.dumps({"post": runs})).status_code == 202
    [project] = client.get("/sessions", params={"name": "shop"}).json()
    at = f"/sessions/{project['id']}/insights"
    job = client.post(at, json={}).json()["id"]
    deadline = time.monotonic() + DONE_SECONDS
    with client.stream("GET", f"{at}/{job}/events") as events:
        for line in events.iter_lines():
            assert time.monotonic() < deadline, "the report takes too long"
            if line == "event: end":
                break
    found: dict[str, Any] = client.get(f"{at}/{job}").json()
    return found
