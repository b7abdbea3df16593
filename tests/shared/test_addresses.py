"""A job has us connect to public machines alone, whatever a name answers."""

from collections.abc import Sequence

import httpx2
import pytest

from shared.addresses import Guard, is_public, same_address
from shared.errors import UsageError
from shared.guarded import GuardedTransport

PUBLIC, PUBLIC_6 = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"
PRIVATE = [
    "127.0.0.1", "10.0.0.8", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "no address",
]  # fmt: skip


class Names:
    """A resolver whose every name has these addresses; those of the second time, if they are given."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not found:
            raise OSError("unknown")
        return list(found)


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_everybodys_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, PUBLIC_6, "1.1.1.1", "64:ff9b::101:101"])
def test_an_address_on_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("found", [["127.0.0.1"], [PUBLIC, "10.0.0.1"], ["::1"], ["169.254.169.254"]])
async def test_a_name_is_refused_for_any_of_its_addresses(found: list[str]) -> None:
    with pytest.raises(UsageError, match="INSIGHTS_PRIVATE_HOSTS"):
        await Guard(lookup=Names(found)).check("https://models.example/v1")
    await Guard(["Models.example"], Names(found)).check("https://models.EXAMPLE/v1")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:11434/v1", "http://[::1]/v1", "http://localhost/", "http://2130706433/"]
)
async def test_an_address_is_refused_in_whatever_form_it_is_written(url: str) -> None:
    """With the system's own resolver, which knows these without a network."""
    with pytest.raises(UsageError):
        await Guard().check(url)


async def test_a_name_without_an_address_is_told() -> None:
    with pytest.raises(UsageError, match="spelt"):
        await Guard(lookup=Names([])).check("https://nowhere.example/v1")


async def test_a_name_that_is_none_is_told() -> None:
    with pytest.raises(UsageError, match="spelt"):
        await Guard().check(f"https://{'x' * 300}/v1")


class Wire(httpx2.AsyncBaseTransport):
    """What would have been sent; the addresses `down` do not answer."""

    def __init__(self, *down: str) -> None:
        self.sent: list[httpx2.Request] = []
        self._down = down

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request)
        if request.url.host in self._down:
            raise httpx2.ConnectError("down")
        return httpx2.Response(200, text="answered")


async def get(names: Names, wire: Wire) -> str:
    transport = GuardedTransport(Guard(lookup=names), wire)
    async with httpx2.AsyncClient(transport=transport) as client:
        return (await client.get("https://models.example:8443/v1")).text


async def test_the_connection_goes_to_the_address_that_was_looked_at_under_its_own_name() -> None:
    names, wire = Names([PUBLIC]), Wire()
    assert await get(names, wire) == "answered"
    [sent] = wire.sent
    assert (sent.url.host, sent.url.port) == (PUBLIC, 8443)
    assert sent.headers["Host"] == "models.example:8443"
    assert sent.extensions["sni_hostname"] == "models.example"
    assert names.asked == [("models.example", 8443)]


async def test_a_name_that_answers_otherwise_the_second_time_gains_nothing() -> None:
    names, wire = Names([PUBLIC], ["127.0.0.1"]), Wire()
    await Guard(lookup=names).check("https://models.example/v1")
    with pytest.raises(UsageError):
        await get(names, wire)
    assert wire.sent == []


async def test_the_next_address_is_tried_where_one_is_down() -> None:
    wire = Wire(PUBLIC)
    assert await get(Names([PUBLIC, PUBLIC_6]), wire) == "answered"
    assert [sent.url.host for sent in wire.sent] == [PUBLIC, PUBLIC_6]
    with pytest.raises(httpx2.ConnectError):
        await get(Names([PUBLIC]), Wire(PUBLIC))
    with pytest.raises(httpx2.ConnectError):
        await get(Names([]), Wire())


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("https://api.example.com/v1", True),
        ("https://API.example.com:443/v1/", True),
        ("http://api.example.com/v1", False),
        ("https://api.example.com:8443/v1", False),
        ("https://api.example.com/v2", False),
        ("https://api.example.com.evil.example/v1", False),
        ("https://api.example.com/v1?x=1", False),
        ("https://api.example.com:port/v1", False),
        ("https://[api/v1", False),
    ],
)
def test_two_addresses_are_one_only_where_they_lead_to_one_place(other: str, same: bool) -> None:
    assert same_address("https://api.example.com/v1", other) is same
