"""Whoever waits for a job hears why it does not go on."""

from collections.abc import Iterator

import pytest

from insights.patience import CHECKS, NOBODY, QUEUED, Patience
from shared.errors import UnavailableError
from shared.job_config import JobConfig
from shared.models import Job, JobState

JOB = Job(
    workspace_id="w", id="j", project_id="p", name="n", created_at=0, received_before=1, config=JobConfig()
)  # fmt: skip


class Works:
    """A process's check, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self) -> None:
        self.asked += 1


async def full() -> None:
    raise UnavailableError("The store takes no writes: is its disk full?")


def at(*seconds: float) -> "Iterator[float]":
    return iter(seconds)


async def test_a_full_disk_ends_the_wait_with_its_sentence() -> None:
    """At the first check that is due, and not before."""
    patience = Patience(full, alone=True, clock=at(0, CHECKS - 1, CHECKS).__next__)
    await patience.look(JOB)
    with pytest.raises(UnavailableError, match="disk full"):
        await patience.look(JOB)


async def test_store_and_bus_are_asked_every_few_seconds_not_at_every_look() -> None:
    check = Works()
    times = [round(0.1 * n, 1) for n in range(round(CHECKS * 10 * 2) + 1)]
    patience = Patience(check, alone=True, clock=at(0, *times).__next__)
    for _ in times:
        await patience.look(JOB)
    assert check.asked == 2


async def test_a_job_that_nobody_takes_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    patience = Patience(Works(), alone=False, clock=at(0, QUEUED - 1, QUEUED, QUEUED * 2).__next__)
    await patience.look(JOB)
    assert capsys.readouterr().err == ""
    await patience.look(JOB)
    await patience.look(JOB)
    assert capsys.readouterr().err == f"{NOBODY}\n"


@pytest.mark.parametrize(("alone", "state"), [(True, JobState.QUEUED), (False, JobState.RUNNING)])
async def test_a_job_that_somebody_has_taken_or_will_take_needs_no_word(
    alone: bool, state: JobState, capsys: pytest.CaptureFixture[str]
) -> None:
    patience = Patience(Works(), alone=alone, clock=at(0, QUEUED * 2).__next__)
    await patience.look(JOB.model_copy(update={"state": state}))
    assert capsys.readouterr().err == ""


async def test_a_model_that_is_away_is_told_once_for_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    troubles = iter(["it is away", "it is away", None, "away again"])
    times = [CHECKS * n for n in range(1, 5)]
    patience = Patience(Works(), alone=True, trouble=lambda: next(troubles), clock=at(0, *times).__next__)
    for _ in times:
        await patience.look(JOB)
    told = capsys.readouterr().err.splitlines()
    assert [line.rpartition(": ")[2] for line in told] == ["it is away", "away again"]
