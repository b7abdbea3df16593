"""The options of a job on the command line: the same for every command that makes or weighs one."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from insights.option_values import (
    ATTRIBUTE,
    CATEGORY,
    EXAMPLES,
    FILTER,
    GIVEN_VALUES,
    HIERARCHY,
    attributes_of,
    categories_of,
    examples_of,
    hierarchy_of,
)
from insights.options import budget_of, job_config, prompt_text, sample_size, window
from shared.errors import UsageError
from shared.job_config import DEFAULT_MODEL, JobConfig


@dataclass(frozen=True)
class JobOptions:
    """Each field is an option; None is one that was not given."""

    name: Annotated[str | None, typer.Option(help="Name of the report")] = None
    sample: Annotated[str | None, typer.Option(help="How many traces at most, or all")] = None
    since: Annotated[str | None, typer.Option(help="7d, 36h or a time: traces that began then or later")] = None
    until: Annotated[str | None, typer.Option(help="A time: traces that began before it")] = None
    filter_: Annotated[str | None, typer.Option("--filter", help="""Such as 'eq(status, "error")'""")] = None
    prompt: Annotated[str | None, typer.Option(help="What of a trace counts: '{{run.inputs.x}}', or a file")] = None
    seed: Annotated[int | None, typer.Option(help="Of the sample and the categories")] = None
    unit: Annotated[str | None, typer.Option(help="trace, or thread")] = None
    attribute: Annotated[
        list[str] | None, typer.Option(help=f"{ATTRIBUTE}, {GIVEN_VALUES}; {FILTER} keeps only those; repeatable")
    ] = None
    category: Annotated[list[str] | None, typer.Option(help=f"A category of your own: {CATEGORY}; repeatable")] = None
    examples: Annotated[Path | None, typer.Option(help=f"A YAML file of texts by category: {EXAMPLES}")] = None
    hierarchy: Annotated[str | None, typer.Option(help=f"How many subcategories and categories: {HIERARCHY}")] = None
    max_leaves: Annotated[int | None, typer.Option(min=0, help="At most so many subcategories; 0: no bound")] = None
    engine: Annotated[str | None, typer.Option(help="local (free, on this machine), or model")] = None
    summary_model: Annotated[str | None, typer.Option(help=f"That reads the traces; {DEFAULT_MODEL}")] = None
    attribute_model: Annotated[str | None, typer.Option(help="Of the attributes, if not the same")] = None
    cluster_model: Annotated[str | None, typer.Option(help=f"That names the categories; {DEFAULT_MODEL}")] = None
    embedding_model: Annotated[str | None, typer.Option(help="Of the vectors; a local one if not given")] = None
    budget: Annotated[str | None, typer.Option(help="Dollars that the job may cost, such as 2.00")] = None
    config: Annotated[Path | None, typer.Option(help="job.yaml: every option of a job")] = None

    def job_config(self) -> JobConfig:
        """What they say, over what `config` says. UsageError names what is wrong."""
        self._refuse_bytes()
        options = window(self.since, self.until) | {
            "name": self.name,
            "sample": sample_size(self.sample),
            "filter": self.filter_,
            "summary_prompt": prompt_text(self.prompt),
            "seed": self.seed,
            "unit": self.unit,
            "attribute_schemas": attributes_of(self.attribute),
            "partitions": categories_of(self.category),
            "partition_examples": examples_of(self.examples),
            "hierarchy": hierarchy_of(self.hierarchy),
            "max_leaves": self.max_leaves,
            "engine": self.engine,
            "summary_model": self.summary_model,
            "attribute_model": self.attribute_model,
            "cluster_model": self.cluster_model,
            "embedding_model": self.embedding_model,
            "budget": budget_of(self.budget),
        }
        return job_config(self.config, options)

    def _refuse_bytes(self) -> None:
        texts = {field.name: getattr(self, field.name) for field in fields(self)}
        refuse_bytes(**{name: value for name, value in texts.items() if isinstance(value, str | list)})


def takes_job_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with each field of JobOptions as an option, in the place of its parameter `options`."""
    own = dict(inspect.signature(command).parameters)
    hints = get_type_hints(JobOptions, include_extras=True)
    shared = [
        inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=hints[one.name])
        for one in fields(JobOptions)
    ]
    before = [own[name] for name in list(own)[: list(own).index("options")]]
    after = [one for name, one in own.items() if name != "options" and one not in before]

    @wraps(command)
    def taking(*arguments: Any, **given: Any) -> None:
        if "options" not in given:  # as a command; a caller in Python has made them
            given["options"] = JobOptions(**{one.name: given.pop(one.name) for one in shared})
        command(*arguments, **given)

    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*before, *shared, *after)]
    taking.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    taking.__annotations__ = {one.name: one.annotation for one in parameters}
    return taking


def refuse_bytes(**options: str | list[str] | None) -> None:
    """UsageError for text that is not UTF-8: Python keeps such bytes as lone surrogates, which no store takes."""
    for name, given in options.items():
        for value in [given] if isinstance(given, str) else given or ():
            if not _is_utf8(value):
                option = name.rstrip("_").replace("_", "-")
                raise UsageError(f"--{option} {value!r} is not UTF-8: write it in a terminal that is set to UTF-8.")


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
