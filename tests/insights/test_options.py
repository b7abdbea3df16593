"""Options and job.yaml become one configuration; what is wrong is named."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from insights.options import is_relative, job_config, prompt_text, sample_size, window
from shared.errors import UsageError

FULL = """
name: Weekly
sample: 200
filter: eq(status, "error")
start_time: 2026-01-01
end_time: 2026-02-01T12:00:00+02:00
summary_prompt: "{{run.inputs}}"
attribute_schemas:
  angry: {type: boolean, description: "Is the person angry?", filter_by: true}
partitions: {Refunds: About money}
hierarchy: [12, null]
seed: 7
"""


def file(folder: Path, text: str) -> Path:
    path = folder / "job.yaml"
    path.write_text(text)
    return path


def test_a_job_file_may_hold_every_option(tmp_path: Path) -> None:
    config = job_config(file(tmp_path, FULL), {"name": None})
    assert (config.name, config.sample, config.seed, config.hierarchy) == ("Weekly", 200, 7, (12, None))
    assert config.attribute_schemas["angry"].filter_by
    assert config.end_time == datetime(2026, 2, 1, 10, tzinfo=UTC)


def test_an_option_is_over_the_file_and_what_is_not_given_leaves_it(tmp_path: Path) -> None:
    config = job_config(file(tmp_path, FULL), {"name": "Today", "seed": None, "sample": "all"})
    assert (config.name, config.seed, config.sample) == ("Today", 7, "all")


@pytest.mark.parametrize("time", ["2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00Z", "'2026-01-01'"])
def test_a_time_in_a_job_file_without_a_zone_is_utc(tmp_path: Path, time: str) -> None:
    config = job_config(file(tmp_path, f"start_time: {time}"), {})
    assert config.start_time == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_window_of_the_options_replaces_that_of_the_file(tmp_path: Path) -> None:
    relative = file(tmp_path, "last_n_hours: 24")
    absolute = job_config(relative, window("2026-01-01", None))
    assert (absolute.last_n_hours, absolute.start_time) == (None, datetime(2026, 1, 1, tzinfo=UTC))
    until = job_config(relative, window(None, "2026-01-01"))
    assert (until.last_n_hours, until.end_time) == (None, datetime(2026, 1, 1, tzinfo=UTC))
    day = job_config(file(tmp_path, FULL), window("1d", None))
    assert (day.last_n_hours, day.start_time, day.end_time) == (24, None, None)


def test_an_empty_job_file_is_no_option_at_all(tmp_path: Path) -> None:
    assert job_config(file(tmp_path, ""), {}) == job_config(None, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sampel: 3", "unknown option sampel"),
        ("- a", "expected a mapping"),
        ("a: [", "is not YAML"),
        ("sample: many", "sample"),
        ("attribute_schemas: {x: {type: date}}", "attribute_schemas.x.type"),
        ("attribute_schemas: {x: {type: string, enums: [a]}}", "enums"),
        ("start_time: someday", "start_time"),
        ("last_n_hours: 3\nstart_time: 2026-01-01", "last_n_hours"),
    ],
)
def test_what_is_wrong_in_a_job_file_is_named_with_the_file(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        job_config(file(tmp_path, text), {})
    assert said in str(error.value)
    assert "job.yaml" in str(error.value)


def test_a_job_file_that_is_absent_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.yaml cannot be read"):
        job_config(tmp_path / "absent.yaml", {})
    path = tmp_path / "job.yaml"
    path.write_bytes(b"\xff\xfe\0")
    with pytest.raises(UsageError, match=r"job\.yaml is not YAML"):
        job_config(path, {})


@pytest.mark.parametrize(("text", "hours"), [("90m", 1.5), ("36h", 36), ("7d", 168), ("2w", 336), ("1.5d", 36)])
def test_since_takes_a_span_which_stays_relative(text: str, hours: float) -> None:
    config = job_config(None, window(text, None))
    assert config.last_n_hours == hours
    assert is_relative(config)


def test_a_time_keeps_its_zone_and_is_utc_without_one() -> None:
    found = window("2026-01-31T12:00", "2026-02-01T00:00+05:00")
    assert found["start_time"] == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert found["end_time"] == datetime(2026, 2, 1, tzinfo=timezone(timedelta(hours=5)))


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        ("7d", "2026-02-01", "--since '7d' ends now.*leave --until out"),
        ("7d", "1d", "--until '1d' is a span.*2026-01-31"),
        (None, "1h", "--until '1h' is a span.*2026-01-31"),
        ("2026-01-01", "1h", "--until '1h' is a span.*2026-01-31"),
        ("9999999d", "2026-02-01", "leave --until out"),
    ],
)
def test_a_window_that_is_another_one_each_time_is_refused(since: str | None, until: str, said: str) -> None:
    """A stopped job of it would never be taken up again. `--since 7d` alone is frozen in the job."""
    with pytest.raises(UsageError, match=said):
        window(since, until)


@pytest.mark.parametrize(
    "text", ["yesterday", "7x", "0d", "-1d", "d", ".", "²d", "2026-13-01", "1e9d", "9" * 400 + "d"]
)
def test_a_time_that_is_none_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match=r"--since .*36h, 7d"):
        window(text, "2026-01-01")
    with pytest.raises(UsageError, match=r"--until .*2026-01-31T12:00\.$"):
        window(None, text)


def test_a_prompt_is_text_or_the_file_that_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "prompt.mustache"
    path.write_text("Read {{run.outputs}}")
    assert prompt_text(str(path)) == "Read {{run.outputs}}"
    assert prompt_text("{{run.inputs}}") == "{{run.inputs}}"
    assert prompt_text(None) is None
    for wrong in ("absent", str(tmp_path), "a\0b"):
        with pytest.raises(UsageError, match="is no file that can be read"):
            prompt_text(wrong)


def test_a_sample_is_a_number_or_all() -> None:
    found: list[Any] = [sample_size(text) for text in (None, "all", "20")]
    assert [str(one) for one in found] == ["None", "all", "20"]
    for wrong in ("0", "-3", "many", "1.5", "", "²", "9" * 5_000):
        with pytest.raises(UsageError, match="at least 1, or all"):
            sample_size(wrong)
