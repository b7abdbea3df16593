"""Settings are read once, and a wrong one stops the start with a sentence that names it."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.config import OpenAISettings, Settings, mask
from shared.errors import UsageError


def refusal() -> str:
    with pytest.raises(UsageError) as caught:
        Settings.load()
    return str(caught.value)


def test_nothing_needs_to_be_set() -> None:
    settings = Settings.load()

    assert (settings.bus, settings.store, settings.data) == ("local", None, None)
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSIGHTS_BUS", "kafka://one:9092,two:9092")
    monkeypatch.setenv("INSIGHTS_STORE", "mongodb://mongo:27017/insights?replicaSet=rs0")
    monkeypatch.setenv("INSIGHTS_DATA", "here")
    monkeypatch.setenv("INSIGHTS_LOG_LEVEL", "debug")

    settings = Settings.load()

    assert settings.bus == "kafka://one:9092,two:9092"
    assert settings.store == "mongodb://mongo:27017/insights?replicaSet=rs0"
    assert settings.data == Path("here")
    assert settings.log_level == "DEBUG"


def test_an_option_wins_over_the_environment_unless_it_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSIGHTS_PORT", "1000")
    monkeypatch.setenv("INSIGHTS_HOST", "::1")

    settings = Settings.load(port=2000, host=None)

    assert (settings.port, settings.host) == (2000, "::1")


@pytest.mark.parametrize(("slots", "in_flight", "expected"), [(None, None, 400), ("7", None, 14), ("7", "9", 9)])
def test_items_in_flight_are_twice_the_slots_unless_set(
    monkeypatch: pytest.MonkeyPatch, slots: str | None, in_flight: str | None, expected: int
) -> None:
    for name, value in (("INSIGHTS_SLOTS", slots), ("INSIGHTS_IN_FLIGHT", in_flight)):
        if value is not None:
            monkeypatch.setenv(name, value)

    assert Settings.load().in_flight == expected


def test_settings_do_not_change() -> None:
    settings = Settings.load()

    with pytest.raises(ValidationError, match="frozen"):
        setattr(settings, "slots", 1)  # noqa: B010  a type checker refuses the plain assignment


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("INSIGHTS_BUS", "rabbit://host", "kafka://host:port"),
        ("INSIGHTS_BUS", "kafka://host", "kafka://host:port"),
        ("INSIGHTS_STORE", "mongodb://host:27017", "mongodb://host:port/database"),
        ("INSIGHTS_STORE", "insights.db", "sqlite:///"),
        ("INSIGHTS_SLOTS", "many", "integer"),
        ("INSIGHTS_SLOTS", "0", "greater than or equal to 1"),
        ("INSIGHTS_PORT", "70000", "less than or equal to 65535"),
        ("INSIGHTS_SESSION_TIMEOUT", "0.015", "steps of 0.01"),
        ("INSIGHTS_LEASE_SECONDS", "inf", "finite"),
        ("INSIGHTS_LOG_LEVEL", "loud", "'INFO'"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_what_is_expected(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(variable, value)

    message = refusal()

    assert message.startswith(f"{variable} is ")
    assert value.lower() in message.lower()
    assert expected in message


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSIGHTS_PORT", "x")
    monkeypatch.setenv("INSIGHTS_SLOTS", "x")

    message = refusal()

    assert "INSIGHTS_PORT" in message
    assert "INSIGHTS_SLOTS" in message


def test_a_misspelt_setting_is_refused_with_the_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSIGHTS_STOER", "sqlite:///x.db")

    assert refusal() == "INSIGHTS_STOER is not a setting: did you mean INSIGHTS_STORE?"


def test_a_setting_like_no_other_is_refused_with_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSIGHTS_XYZZY_PLUGH", "1")

    assert "known are INSIGHTS_BUS, INSIGHTS_STORE" in refusal()


def test_variables_of_the_tests_are_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSIGHTS_TEST_ANYTHING", "1")

    assert Settings.load().bus == "local"


@pytest.mark.parametrize(
    "value", ["mongodb://me:s3cr@t@host", "mongodb:me:s3cr@t@host", "mongodb://host?password=s3cr@t"]
)
def test_no_password_is_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("INSIGHTS_STORE", value)

    message = refusal()

    assert "s3cr" not in message
    assert "host" in message


def test_what_holds_no_secret_is_not_masked() -> None:
    assert mask("mongodb://host:27017/insights") == "mongodb://host:27017/insights"
    assert mask("mongodb://me:pw@host:27017/insights?a=b") == "mongodb://***@host:27017/insights?***"


def test_openais_own_variables_are_read_without_showing_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:11434/v1")
    monkeypatch.setenv("OPENAI_ORG_ID", "not ours")

    settings = OpenAISettings()

    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "sk-secret"
    assert settings.base_url == "http://localhost:11434/v1"
    assert "sk-secret" not in repr(settings)


def test_a_key_in_the_environment_changes_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Settings.load()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert Settings.load() == before


def test_headers_of_the_endpoint_are_read_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSIGHTS_MODEL_HEADERS", '{"X-Key": "very-secret", "X-Team": ""}')
    settings = Settings.load()
    assert {name: value.get_secret_value() for name, value in settings.model_headers.items()} == {
        "X-Key": "very-secret",
        "X-Team": "",
    }
    assert "very-secret" not in f"{settings!r} {settings} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    "value", ["X-Key: very-secret", '["very-secret"]', '{"X-Key": ["very-secret"]}', '"very-secret"']
)
def test_headers_that_are_no_mapping_are_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("INSIGHTS_MODEL_HEADERS", value)
    assert refusal() == (
        'INSIGHTS_MODEL_HEADERS is wrong (its value is not shown): expected JSON such as {"X-Team": "a", "X-Key": "b"}.'
    )
