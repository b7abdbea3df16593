"""Requests about anything, of our own: what a text looks like that is about something else."""

from functools import cache
from importlib.resources import files


@cache
def general_requests() -> tuple[str, ...]:
    text = files("shared").joinpath("general_requests.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())
