"""What a job would send to a model, without sending it: its estimate, its budget's check, and a dry run."""

import json
import math
from functools import partial
from pathlib import Path

from rich.console import Console

from insights.drawn import Drawn, drawn, read
from insights.expected_calls import planned
from insights.expected_later import later
from insights.options import is_relative
from insights.page import Page
from insights.process import endpoint
from insights.source import Source
from insights.spending_text import HEADERS, price_note, spending_rows
from shared.config import Settings
from shared.context import load
from shared.errors import UsageError
from shared.estimate import THINKING, Call, Estimate, estimate
from shared.job_config import JobConfig
from shared.llm import Prices, Shape
from shared.models import FEW, Item, Job, JobState
from shared.store import Store
from shared.wording import money

MODEL = "model"
SHOWN = 3  # prompts of a dry run
KEPT = "What is made of kept summaries may be kept, too, and cost nothing: a budget is looked at call by call then."


async def estimate_file(
    source: Source, config: JobConfig, settings: Settings, folder: Path, base_url: str | None
) -> int:
    """Prints what the job would take by stage, whatever its engine. The exit code. Nothing is sent to `base_url`."""
    config = config.model_copy(update={"engine": MODEL})
    async with read(source, config, settings, folder) as (store, job):
        if await _is_there(store, job):
            print("The report of these options is there: `insights analyze` prints it again for nothing.")
            return 0
        prices, place = Prices.load(settings.prices), endpoint(settings, base_url).place
        found = await _estimated(store, await drawn(store, job), prices, place)
    print_estimate(found, job.config, Page(Console()))
    return 0


async def dry_run(source: Source, config: JobConfig, settings: Settings, folder: Path) -> int:
    """Prints the prompts of the first traces of the sample, and the schemas of their answers. The exit code."""
    async with read(source, config, settings, folder) as (store, job):
        sample = await drawn(store, job)
        first = await load(store, sample.items[:SHOWN], sample.frozen.prompt)
    page = Page(Console())
    shapes: dict[str, Shape] = {}
    for loaded in first:
        for call in planned(loaded, sample.frozen).calls(frozenset()):
            _print_call(page, loaded.item, call)
            shapes[call.request.shape.name] = call.request.shape
    for name, shape in shapes.items():
        page.heading(f"Schema of the answers: {name}")
        page.text(json.dumps(shape.schema, indent=2, ensure_ascii=False))
    page.heading("Nothing was sent.")
    if job.config.engine != MODEL:
        page.line("Nor will it be: the local engine asks no model. --engine model would send this.")
    return 0


async def refuse_over_budget(store: Store, job: Job, prices: Prices, place: str) -> None:
    """UsageError if the job would cost more than its budget, with the sample that would fit.

    `place`: see `estimate`.
    """
    budget = job.config.budget
    if job.config.engine != MODEL or budget is None:
        return
    found = await _estimated(store, await drawn(store, job), prices, place)
    if found.needed is None:
        raise UsageError(f"A budget needs prices. {price_note(found.bill)} Or leave out the budget.")
    if found.needed <= budget or found.kept:
        return
    unit = job.config.unit
    raise UsageError(
        f"A report of {found.items:,} {unit}s needs a budget of about {money(rounded_up(found.needed))}. That of "
        f"{money(budget)} {_pays(found, budget, unit)}: take a smaller sample or a larger budget. Nothing was sent."
    )


def print_estimate(found: Estimate, config: JobConfig, page: Page) -> None:
    """The table by stage, what it may come to, and what that means for the budget."""
    unit = config.unit
    page.heading(f"What a report of {found.items:,} {unit}s would take of models")
    page.table(HEADERS, spending_rows(found.bill), texts=2)
    if found.looked_at < found.items:
        page.line(f"From the prompts of {found.looked_at:,} {unit}s, evenly taken.", style="dim")
    if any(line.stage == THINKING for line in found.bill.lines):
        page.line("Thoughts: of a model that thinks before it answers; how many differs much.", style="dim")
    if note := price_note(found.bill):
        page.line(note)
    if found.worst is not None:
        page.line(f"At worst, if each answer is as long as it may be: {money(found.worst)}.")
    if found.needed is not None:
        page.line(f"A budget that does not end it early: {money(rounded_up(found.needed))}.")
        if found.kept:
            page.line(KEPT)
        elif config.budget is not None and found.needed > config.budget:
            page.line(f"The budget of {money(config.budget)} {_pays(found, config.budget, unit)}.")
    page.line("Nothing was sent.")


def rounded_up(dollars: float) -> float:
    """To a cent; below ten cents to two digits that count, as `money` shows them."""
    if dollars <= 0:
        return 0.0
    digits = 2 if dollars >= 0.1 else 1 - math.floor(math.log10(dollars))
    return float(math.ceil(dollars * 10.0**digits - 1e-9) / 10.0**digits)


def _pays(found: Estimate, budget: float, unit: str) -> str:
    fitting = found.fitting(budget)
    few = ", too few for categories" if fitting and fitting < FEW else ""
    return f"would pay for --sample {fitting}{few}" if fitting else f"would not pay for one {unit}"


def _print_call(page: Page, item: Item, call: Call) -> None:
    page.heading(f"{item.source_id or item.run_ids[-1]}: {call.stage.value}")
    page.line(f"to {call.request.model}, about {call.request.estimated_input():,} tokens", style="dim")
    for message in call.request.messages:
        page.line(f"[{message.role}]", style="dim")
        page.text(message.content)


async def _is_there(store: Store, job: Job) -> bool:
    """As `analyze` finds it: a relative window is another one each time."""
    known = await store.jobs(job.workspace_id, job.project_id)
    return not is_relative(job.config) and any(
        one.config == job.config and one.state is JobState.SUCCESS for one in known
    )


async def _estimated(store: Store, sample: Drawn, prices: Prices, place: str) -> Estimate:
    stages = partial(later, sample.frozen.job.config)
    return await estimate(store, sample.frozen, sample.items, planned, stages, prices, place)
