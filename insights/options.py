"""The command line's options as a job's configuration: `job.yaml` first, then what the options say."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from insights.option_values import yaml_of
from shared.errors import UsageError
from shared.job_config import JobConfig
from shared.summary_prompts import names

TIMES = ("start_time", "end_time")
LONGEST = 18  # digits: more than any file has traces, and what a store takes
EXAMPLES = "2026-01-31 or 2026-01-31T12:00"
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def job_config(file: Path | None, options: Mapping[str, Any]) -> JobConfig:
    """The configuration of `job.yaml` with every option that is not None over it. UsageError names what is wrong."""
    values = _from_file(file) if file else {}
    given = {name: value for name, value in options.items() if value is not None}
    if given.keys() & {"last_n_hours", *TIMES}:
        replaced = ("last_n_hours", *TIMES) if "last_n_hours" in given else ("last_n_hours",)
        values = {name: value for name, value in values.items() if name not in replaced}
    if file:
        JobConfig.strict(values, str(file))
    if "partitions" in given and isinstance(kept := values.get("partition_examples"), Mapping):
        kept = {name: texts for name, texts in kept.items() if name in given["partitions"]}
        values = values | {"partition_examples": kept}
    return JobConfig.strict(values | given, "The options")


def _from_file(file: Path) -> dict[str, Any]:
    values = yaml_of(file)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise UsageError(f"{file}: expected a mapping of options, found {type(values).__name__}.")
    named = {str(key): value for key, value in values.items()}
    return named | {key: _with_zone(named[key]) for key in TIMES if key in named}


def _with_zone(value: Any) -> Any:
    """In UTC where it names no zone. YAML makes a time or a date of some texts, and leaves others as they are."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def window(since: str | None, until: str | None) -> dict[str, Any]:
    """`--since 7d` is relative to now, and stands alone; a time is ISO-8601, in UTC where it names no zone.

    A window that mixes now with a time would be another one each time: a stopped job would never go on.
    """
    if until and _hours(until) is not None:
        raise UsageError(f"--until {until!r} is a span, which only --since takes: give a time such as {EXAMPLES}.")
    hours = _hours(since) if since else None
    if hours is None:
        return {"start_time": _time(since, "--since"), "end_time": _time(until, "--until")}
    if until:
        raise UsageError(
            f"--since {since!r} ends now, and goes with no --until: give --since a time such as {EXAMPLES}, "
            "or leave --until out."
        )
    return {"last_n_hours": hours}


def is_relative(config: JobConfig) -> bool:
    return config.last_n_hours is not None


def _hours(text: str) -> float | None:
    amount, unit = text[:-1], text[-1:]
    if unit not in UNITS or not amount.replace(".", "", 1).isdecimal() or float(amount) == 0:
        return None
    try:
        return timedelta(**{UNITS[unit]: float(amount)}) / timedelta(hours=1)
    except OverflowError:
        return None


def _time(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        spans = ", or 36h, 7d, 2w" if option == "--since" else ""
        raise UsageError(f"{option} {text!r}: expected a time such as {EXAMPLES}{spans}.") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def prompt_text(given: str | None) -> str | None:
    """A prompt, the name of one that we have, or the file of that name."""
    if given is None or "{{" in given or given in names():
        return given
    try:
        return Path(given).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        known = " or ".join(names())
        raise UsageError(
            f"--prompt {given!r} holds no {{{{variable}}}} and is no file that can be read: name one, or {known}."
        ) from error


def budget_of(given: str | None) -> float | None:
    """Dollars, with or without their sign."""
    if given is None:
        return None
    amount = given.strip().removeprefix("$")
    if not re.fullmatch(r"\d{1,9}(\.\d{0,6})?", amount, re.ASCII):
        raise UsageError(f"--budget {given!r}: expected dollars, such as 2.00.")
    return float(amount)


def sample_size(given: str | None) -> int | str | None:
    if given is None or given == "all":
        return given
    if not given.isdecimal() or len(given) > LONGEST or int(given) < 1:
        raise UsageError(f"--sample {given!r}: expected a number of at least 1, or all.")
    return int(given)
