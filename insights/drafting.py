"""`insights config draft`: a job.yaml from what the user wants to know and a look at some traces."""

import asyncio
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from insights.drawn import read
from insights.model_endpoint import require_endpoint
from insights.process import endpoint
from insights.source import Source
from services.summarizer.sampling import draw
from shared import prompts
from shared.config import Settings
from shared.context import Loaded, load
from shared.cutting import cut
from shared.drafting.look import Look, look
from shared.drafting.model import Draft, by_model, request
from shared.drafting.rules import by_rules, prompt
from shared.errors import AnswerError, JobError, UsageError
from shared.estimate import evenly
from shared.frozen import prompt_of
from shared.job_config import JobConfig
from shared.llm import Endpoint, Llm, Prices, cost, most
from shared.models import Item
from shared.wording import money

CALLS = 2  # at most: a second one where the first answer cannot be used
LONGEST = 500  # characters of an answer
LOOKED_AT = 50  # traces
SHOWN, SHOWN_TOKENS = 3, 1_000  # traces that a model is shown, and of each at most


async def draft(
    source: Source,
    agent: str,
    learn: str,
    config: JobConfig,
    settings: Settings,
    folder: Path,
    base_url: str | None,
    key_variable: str | None,
) -> str:
    """The text of a job.yaml. One call to `config.summary_model` if the engine is `model`, else none.

    Raises UsageError for a file without traces and where the endpoint refuses, ModelAwayError where it is away.
    """
    if not agent or not learn or max(len(agent), len(learn)) > LONGEST:
        raise UsageError(f"--agent and --learn are one sentence each, of at most {LONGEST} characters.")
    require_endpoint(config, settings, base_url, key_variable)
    async with read(source, config, settings, folder) as (store, job):
        items = (await draw(store, job)).items
        if not items:
            raise UsageError(f"{source.name} has no finished trace to look at.")
        loaded = await load(store, evenly(items, LOOKED_AT), prompt_of(job))
    threads = 1.0 if config.unit == "thread" else _threaded(items)
    seen = await asyncio.to_thread(lambda: look((one.context() for one in loaded), threads))
    if config.engine == "local":
        how = "by rules, without a model (--engine model asks one)"
        return _text(by_rules(agent, learn, seen, len(items)), how, config)
    return await _asked(
        agent, learn, seen, loaded, len(items), config, settings, endpoint(settings, base_url, key_variable)
    )


async def _asked(
    agent: str,
    learn: str,
    seen: Look,
    loaded: Sequence[Loaded],
    traces: int,
    config: JobConfig,
    settings: Settings,
    where: Endpoint,
) -> str:
    shown = await asyncio.to_thread(lambda: [_shown(one, seen) for one in loaded[:SHOWN]])
    asked, prices = request(agent, learn, seen, shown, config.summary_model), Prices.load(settings.prices)
    _tell_price(cost(most(asked), prices.of(asked.model)), config)
    llm = Llm(where)
    try:
        answer = await llm.ask(asked)
    except JobError as error:  # the endpoint refuses the key, the model or the address
        raise UsageError(str(error)) from error
    except AnswerError as error:
        how = f"by rules, for {config.summary_model} gave no answer that can be used ({error})"
        return _text(by_rules(agent, learn, seen, traces), how, config)
    finally:
        await llm.close()
    dollars = cost(answer.usage, prices.of(config.summary_model))
    how = f"by {config.summary_model} in one call, for {'an unknown price' if dollars is None else money(dollars)}"
    return _text(by_model(Draft.model_validate(answer.value), learn, seen, traces), how, config)


def _tell_price(each: float | None, config: JobConfig) -> None:
    """Before anything is sent. UsageError where the budget may not pay it; that of the job that is drafted counts."""
    bound = "an unknown price" if each is None else f"{money(CALLS * each)} at most"
    if config.budget is not None and (each is None or CALLS * each > config.budget):
        raise UsageError(
            f"Asking {config.summary_model} for a draft costs {bound}, and the budget is {money(config.budget)}: raise "
            "it, or leave it or --engine model out. Nothing was sent."
        )
    print(f"Asking {config.summary_model} for a draft, for {bound}.", file=sys.stderr)


def _text(values: dict[str, Any], how: str, config: JobConfig) -> str:
    """With what was asked for in `config` over it. The file is read back: what is written is a valid job."""
    asked = config.model_dump(mode="json", exclude_defaults=True)
    body = yaml.dump(
        {"engine": config.engine} | values | asked, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
    )
    JobConfig.strict(yaml.safe_load(body), "The draft")
    return (
        f"# Drafted {' '.join(how.split())}. Read it and change it.\n"
        "# engine: model sends the traces to a language model, which follows the prompt and answers the attributes;\n"
        "# local sends nothing, reads what the prompt names, and knows of attributes what a trace plainly states.\n"
        f"{body}"
    )


def next_steps(file: str, draft: Path) -> str:
    """What to do with a draft that was written for a file of traces."""
    job = f"{shlex.quote(file)} --config {shlex.quote(str(draft))}"
    return (
        "Read it, change it, and go on:\n"
        f"  insights analyze {job} --dry-run   # what a model would be asked; asks nothing\n"
        f"  insights estimate {job}            # what it would cost\n"
        f"  insights analyze {job}             # the report"
    )


class _Dumper(yaml.SafeDumper):
    """Texts of several lines stand as they are read, since people change them."""


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    node: yaml.ScalarNode = dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)
    return node


_Dumper.add_representer(str, _text_node)


def _threaded(items: Sequence[Item]) -> float:
    """The share of traces that are one of several of a thread."""
    sizes = Counter(item.thread_id for item in items if item.thread_id)
    return sum(size for size in sizes.values() if size > 1) / len(items)


def _shown(loaded: Loaded, seen: Look) -> str:
    wanted = prompts.parse(prompt("", [path for path in seen.chosen() if path.startswith("run.")] or ["run.inputs"]))
    return cut(wanted.render(loaded.context()), SHOWN_TOKENS).content
