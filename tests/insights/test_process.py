"""How a process is put together from its settings."""

import pytest

from insights.process import endpoint
from shared.config import Settings
from shared.errors import UsageError


def test_key_url_and_headers_of_the_endpoint_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "very-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/prefix/v1")
    monkeypatch.setenv("INSIGHTS_MODEL_HEADERS", '{"X-Key": "also-secret"}')
    found = endpoint(Settings.load(model_timeout=7.0))
    assert (found.url, found.secret, found.timeout) == ("http://127.0.0.1:1/prefix/v1", "very-secret", 7.0)
    assert found.headers == {"X-Key": "also-secret"}
    assert "secret" not in repr(found)


def test_the_environments_key_goes_to_no_other_address_unless_a_variable_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "very-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://models.example/v1")
    monkeypatch.setenv("INSIGHTS_MODEL_HEADERS", '{"X-Key": "also-secret"}')
    monkeypatch.setenv("MY_KEY", "mine")
    settings = Settings.load()
    for base_url, variable, secret, headers in (
        ("https://MODELS.example/v1/", None, "very-secret", {"X-Key": "also-secret"}),
        ("http://models.example/v1", None, "", {}),
        ("http://localhost:11434/v1", None, "", {}),
        ("http://localhost:11434/v1", "MY_KEY", "mine", {}),
        ("http://localhost:11434/v1", "OPENAI_API_KEY", "very-secret", {}),
        (None, "MY_KEY", "mine", {"X-Key": "also-secret"}),
    ):
        found = endpoint(settings, base_url, variable)
        assert (found.secret, found.headers) == (secret, headers), (base_url, variable)
    with pytest.raises(UsageError, match="NO_KEY is not set"):
        endpoint(settings, "http://localhost:11434/v1", "NO_KEY")


def test_a_header_that_cannot_be_sent_is_named_and_its_value_is_not_shown() -> None:
    settings = Settings.load(model_headers={"X-Key": "very\nsecret"})
    with pytest.raises(UsageError, match="The header 'X-Key'") as caught:
        endpoint(settings)
    assert "secret" not in str(caught.value)
