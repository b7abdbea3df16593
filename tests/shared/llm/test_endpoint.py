"""An endpoint is checked before anything is sent, and shows no secret."""

import pytest
from pydantic import SecretStr

from shared.errors import UsageError
from shared.llm import Endpoint


def test_it_shows_neither_key_nor_header_nor_what_is_secret_in_its_url() -> None:
    endpoint = Endpoint("https://u:pass-word@host/v1?sig=signature", SecretStr("sk-secret"), {"x-key": "header-value"})

    shown = f"{endpoint} {endpoint!r} {endpoint.name}"

    for secret in ("pass-word", "signature", "sk-secret", "header-value"):
        assert secret not in shown
    assert "x-key" in shown
    assert "host/v1" in shown


def test_it_is_openais_unless_it_says_otherwise() -> None:
    assert Endpoint().url == "https://api.openai.com/v1"


def test_its_place_is_one_however_it_is_written_and_holds_no_secret() -> None:
    ways = ["http://Host/v1", "http://host/v1/", "HTTP://host:80/v1", "http://u:p@host/v1?api-version=1"]
    assert {Endpoint(url).place for url in ways} == {"http://host/v1"}
    others = ["https://host/v1", "http://host:81/v1", "http://host/v2", "http://other/v1"]
    assert len({Endpoint(url).place for url in [*others, *ways]}) == 5
    assert Endpoint().place == Endpoint("https://api.openai.com/v1/").place == ""


@pytest.mark.parametrize(
    "url", ["localhost:11434/v1", "ftp://host/v1", "http://", "http://host:port/v1", "http://ho st/v1", "http://[::1"]
)
def test_what_is_no_base_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match=r"write it as in http://localhost:11434/v1"):
        Endpoint(url)


@pytest.mark.parametrize("key", ["sk-\u00e9secret", "sk secret", "sk-\x00secret"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(UsageError) as caught:
        Endpoint(key=SecretStr(key))
    assert "secret" not in str(caught.value)


def test_what_was_copied_around_a_key_is_left_out() -> None:
    assert Endpoint(key=SecretStr(" sk-secret\n")).secret == "sk-secret"
    assert Endpoint(key=SecretStr("  ")).secret == ""


@pytest.mark.parametrize("headers", [{"x-key": "a\nb"}, {"x key": "a"}, {"x-key": "caf\u00e9"}])
def test_a_header_that_cannot_be_sent_is_refused_without_its_value(headers: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"x.key"):
        Endpoint(headers=headers)


def test_a_key_too_short_to_be_a_secret_does_not_riddle_what_the_endpoint_says() -> None:
    assert Endpoint(key=SecretStr("x")).redact("max exceeded") == "max exceeded"
