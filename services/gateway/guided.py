"""Guided jobs: a configuration out of a few answers in plain words and a look at some of the project's traces."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request

from services.gateway.access import StoreDep, Writer
from services.gateway.answer import Answer
from services.gateway.bodies import read_json
from services.gateway.engine import choose_engine
from services.gateway.job_body import asked, job_config, user_context
from services.gateway.projects import find_project
from shared import prompts
from shared.clients import Clients
from shared.context import Loaded, load
from shared.cutting import cut
from shared.drafting.look import Look, look
from shared.drafting.model import Draft, by_model
from shared.drafting.model import request as drafting_request
from shared.drafting.rules import ANSWER, by_rules, prompt
from shared.errors import AnswerError, ItemError, JobError, ModelAwayError
from shared.estimate import evenly
from shared.listing import line
from shared.llm import Llm
from shared.models import Item, Project, Run
from shared.prompts import DEFAULT
from shared.store import Store
from shared.summary_prompts import template

LISTED = 1_000  # root runs of which some are looked at
LOOKED_AT = 50
SHOWN, SHOWN_TOKENS = 3, 1_000  # traces that a model is shown, and of each at most
LONGEST = 500  # characters of an answer, as far as it is read
LEARN, STRUCTURE = ("learn", "find out", "want to know"), ("structure",)
THEIRS = "How are people using it, and what are they asking about?"

routes = APIRouter()


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at a project found. `traces`: how many were listed, at most LISTED."""

    look: Look
    loaded: Sequence[Loaded]
    traces: int


@routes.post("/sessions/{project_id}/insights/configs/generate", response_model=None)
async def generate_config(project_id: UUID, request: Request, caller: Writer, store: StoreDep) -> Answer:
    """A draft for the answers in `user_context`. Nothing is saved; `how` says whether a model wrote it."""
    project = await find_project(store, caller.workspace_id, project_id)
    values = asked(await read_json(request))
    context = user_context(values)
    if not context:
        raise HTTPException(422, "user_context: say what you want to learn, as {question: answer}.")
    seen = await see(store, project)
    chosen = await choose_engine(store, caller.workspace_id, values)
    clients: Clients | None = request.app.state.clients
    if chosen.engine == "model" and clients is not None:
        config = job_config({**values, "base_url": values.get("base_url", chosen.base_url)}, LISTED)
        asking = clients.of(caller.workspace_id, config.base_url)
        found, how = await _by_model(asking, context, seen, config.summary_model)
    else:
        found, how = drafted(context, seen), f"Drafted by rules. {chosen.why}"
    named = ("name", "summary_prompt", "attribute_schemas", "sample", "unit")
    return Answer({**{name: found[name] for name in named if name in found}, "how": how})


async def see(store: Store, project: Project) -> Seen:
    """A bounded look, whatever the project's size: bodies of LOOKED_AT of its first LISTED traces."""
    runs = await ended_runs(store, project)
    loaded = await load(store, evenly([_item(run) for run in runs], LOOKED_AT), prompts.parse(template(DEFAULT)))
    whole, contexts = await asyncio.to_thread(_contexts, loaded)
    return Seen(await asyncio.to_thread(look, contexts, threaded(runs)), whole, len(runs))


async def ended_runs(store: Store, project: Project) -> list[Run]:
    """Of the first LISTED root runs those that have ended."""
    runs = await store.root_runs(project.workspace_id, project.id, limit=LISTED)
    return [run for run in runs if run.status != "pending"]


def drafted(context: Mapping[str, str], seen: Seen) -> dict[str, Any]:
    """The fields of a job, by rules alone."""
    agent, learn = told(context)
    return by_rules(agent, learn, seen.look, seen.traces)


def without_a_model(found: Mapping[str, Any]) -> dict[str, Any]:
    """Of a draft, what the local engine can do: it follows no instruction and answers no open question."""
    schemas = {name: one for name, one in found["attribute_schemas"].items() if name != ANSWER}
    return {**{key: one for key, one in found.items() if key != "summary_prompt"}, "attribute_schemas": schemas}


def told(context: Mapping[str, str]) -> tuple[str, str]:
    """(the application, what is to be learned), each a line, from the answers by what their questions ask."""
    learn = [answer for question, answer in context.items() if _asks(question, LEARN)]
    agent = [
        answer
        for question, answer in context.items()
        if not _asks(question, LEARN) and (len(context) == 1 or not _asks(question, STRUCTURE))
    ]
    if not learn:
        learn, agent = agent, []
    return line(" ".join(agent), LONGEST) or "an LLM application", line(" ".join(learn), LONGEST) or THEIRS


def _asks(question: str, words: Sequence[str]) -> bool:
    return any(word in question.lower() for word in words)


async def _by_model(
    asking: AbstractAsyncContextManager[Llm], context: Mapping[str, str], seen: Seen, model: str
) -> tuple[dict[str, Any], str]:
    """Where the model gives no draft, the one by rules, saying why."""
    agent, learn = told(context)
    shown = await asyncio.to_thread(lambda: [_shown(one, seen.look) for one in seen.loaded[:SHOWN]])
    try:
        async with asking as llm:
            answer = await llm.ask(drafting_request(agent, learn, seen.look, shown, model))
    except (AnswerError, JobError, ModelAwayError) as error:
        return drafted(context, seen), f"Drafted by rules, since {model} gave no draft: {error}"
    found = by_model(Draft.model_validate(answer.value), learn, seen.look, seen.traces)
    return found, f"Drafted by {model} in one call."


def _item(run: Run) -> Item:
    return Item(workspace_id=run.workspace_id, job_id="", id=run.id, run_ids=(run.id,), thread_id=run.thread_id)


def _contexts(loaded: Sequence[Loaded]) -> tuple[list[Loaded], list[Mapping[str, Any]]]:
    """A trace whose body is damaged is passed over: it fails alone, when it is summarised."""
    whole: list[Loaded] = []
    found: list[Mapping[str, Any]] = []
    for one in loaded:
        try:
            found.append(one.context())
        except ItemError:
            continue
        whole.append(one)
    return whole, found


def threaded(runs: Sequence[Run]) -> float:
    """The share of traces that are one of several of a thread."""
    sizes = Counter(run.thread_id for run in runs if run.thread_id)
    return sum(size for size in sizes.values() if size > 1) / max(len(runs), 1)


def _shown(loaded: Loaded, seen: Look) -> str:
    paths = [path for path in seen.chosen() if path.startswith("run.")] or ["run.inputs"]
    return cut(prompts.parse(prompt("", paths)).render(loaded.context()), SHOWN_TOKENS).content
