"""The command `insights`."""

import asyncio
import logging
import logging.handlers
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from insights.cache import cache_commands
from insights.fake_model.command import fake_model
from insights.folder import data_folder, locked
from insights.main import INTERRUPTED, STOPPED
from insights.option_values import (
    ATTRIBUTE,
    CATEGORY,
    EXAMPLES,
    GIVEN_VALUES,
    HIERARCHY,
    attributes_of,
    categories_of,
    examples_of,
    hierarchy_of,
)
from insights.options import job_config, prompt_text, sample_size, window
from insights.output import check_writable
from shared.config import Settings
from shared.errors import InsightsError, UsageError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Reads the traces of LLM applications and tells what people use them for and where they fail.",
)
topics = typer.Typer(no_args_is_help=True, help="The topics on Kafka.")
store_commands = typer.Typer(no_args_is_help=True, help="The store that INSIGHTS_STORE names.")
app.add_typer(topics, name="topics")
app.add_typer(store_commands, name="store")
app.add_typer(cache_commands, name="cache")
app.command("fake-model")(fake_model)

File = Annotated[str, typer.Argument(help="A file of traces (JSON lines; gzip or zstd are found out), or - for a pipe")]
Text = Annotated[str | None, typer.Option(help="Any JSON lines: the field that holds the text")]
Id = Annotated[str | None, typer.Option("--id", help="With --text: the field that holds the record's id")]
Data = Annotated[Path | None, typer.Option(help="Folder of the local files; a per-user one if not given")]

LONGEST_NAME = 255  # characters of a project's name, which the gateway keeps


def main() -> None:
    """The console script: errors of ours are one sentence on standard error, and exit code 2."""
    try:
        app(standalone_mode=True)
    except UsageError as error:
        _end(str(error), 2)
    except InsightsError as error:
        _end(str(error), 1)
    except KeyboardInterrupt:
        _end(STOPPED, INTERRUPTED)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # what typer makes of Ctrl-C, without a word
            _end(STOPPED, INTERRUPTED)
        raise


def _end(sentence: str, code: int) -> None:
    print(sentence.encode(errors="replace").decode(), file=sys.stderr)
    raise SystemExit(code)


def _refuse_bytes(**options: str | list[str] | None) -> None:
    """UsageError for text that is not UTF-8: Python keeps such bytes as lone surrogates, which no store takes."""
    for name, given in options.items():
        for value in [given] if isinstance(given, str) else given or ():
            if not _is_utf8(value):
                raise UsageError(f"--{name} {value!r} is not UTF-8: write it in a terminal that is set to UTF-8.")


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _run(work: Coroutine[Any, Any, int]) -> None:
    raise SystemExit(asyncio.run(work))


def _log_to_file(folder: Path) -> None:
    """A person at a terminal reads the report; details go to a file beside the data."""
    path = folder / "insights.log"
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=5_000_000, backupCount=1, delay=True, encoding="utf-8", errors="backslashreplace"
    )
    logging.basicConfig(level="INFO", handlers=[handler], format="%(asctime)s %(levelname)s %(name)s %(message)s")


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")


@app.command()
def analyze(
    file: File,
    name: Annotated[str | None, typer.Option(help="Name of the report")] = None,
    sample: Annotated[str | None, typer.Option(help="How many traces at most, or all")] = None,
    since: Annotated[str | None, typer.Option(help="7d, 36h or a time: traces that began then or later")] = None,
    until: Annotated[str | None, typer.Option(help="A time: traces that began before it")] = None,
    filter_: Annotated[str | None, typer.Option("--filter", help="""Such as 'eq(status, "error")'""")] = None,
    prompt: Annotated[str | None, typer.Option(help="What of a trace counts: '{{run.inputs.x}}', or a file")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the sample and the categories")] = None,
    unit: Annotated[str | None, typer.Option(help="trace, or thread")] = None,
    attribute: Annotated[list[str] | None, typer.Option(help=f"{ATTRIBUTE}, {GIVEN_VALUES}; repeatable")] = None,
    category: Annotated[list[str] | None, typer.Option(help=f"A category of your own: {CATEGORY}; repeatable")] = None,
    examples: Annotated[Path | None, typer.Option(help=f"A YAML file of texts by category: {EXAMPLES}")] = None,
    hierarchy: Annotated[str | None, typer.Option(help=f"How many subcategories and categories: {HIERARCHY}")] = None,
    max_leaves: Annotated[int | None, typer.Option(min=0, help="At most so many subcategories; 0: no bound")] = None,
    config: Annotated[Path | None, typer.Option(help="job.yaml: every option of a job")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the report to this file, or - for a pipe")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print every subcategory and every figure")] = False,
    text: Text = None,
    id_: Id = None,
    data: Data = None,
) -> None:
    """A file of traces in, a report out. Nothing leaves this machine."""
    _refuse_bytes(name=name, since=since, until=until, filter=filter_, prompt=prompt, unit=unit, text=text, id=id_)
    _refuse_bytes(attribute=attribute, category=category, hierarchy=hierarchy)
    settings, folder = _local(data)
    options = window(since, until) | {
        "name": name,
        "sample": sample_size(sample),
        "filter": filter_,
        "summary_prompt": prompt_text(prompt),
        "seed": seed,
        "unit": unit,
        "attribute_schemas": attributes_of(attribute),
        "partitions": categories_of(category),
        "partition_examples": examples_of(examples),
        "hierarchy": hierarchy_of(hierarchy),
        "max_leaves": max_leaves,
    }
    wanted = job_config(config, options)
    if json is not None:
        check_writable(json)
    from insights.analyze import analyze as work  # what is wrong with the options is said before the engines load
    from insights.source import opened

    with locked(folder, "analyze"), opened(file, text, id_, folder) as source:
        _log_to_file(folder)
        print(f"Data folder: {folder}", file=sys.stderr)
        _run(work(source, wanted, settings, folder, json, verbose=verbose))


@app.command()
def demo(
    traces: Annotated[int, typer.Option(min=1, help="How many")] = 300,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    out: Annotated[Path | None, typer.Option(help="Only write the traces to this file")] = None,
    data: Data = None,
) -> None:
    """Sample traces of an invented support agent, and the report on them."""
    from insights.demo import write

    if out is not None:
        write(out, traces, seed)
        print(f"{traces:,} traces are in {out}.")
        return
    path = _local(data)[1] / f"demo-{traces}-{seed}.jsonl"
    write(path, traces, seed)
    print(f"Made {traces:,} sample traces, to be analysed by: insights analyze {path}\n", file=sys.stderr)
    analyze(str(path), name="Sample traces", data=data)


@app.command("import")
def import_(
    file: File,
    project: Annotated[str, typer.Option(help="Name of the project; made if there is none")],
    text: Text = None,
    id_: Id = None,
    data: Data = None,
) -> None:
    """The runs of a file into a project, for reports made through the gateway."""
    from insights.importing import import_file
    from insights.source import opened

    _refuse_bytes(project=project, text=text, id=id_)
    if not 1 <= len(project) <= LONGEST_NAME:
        raise UsageError(f"--project has {len(project):,} characters: give a name of 1 to {LONGEST_NAME}.")
    settings, folder = _local(data)
    with opened(file, text, id_, folder) as source:
        print(asyncio.run(import_file(source, project, settings, folder)))


@app.command()
def up(data: Data = None, port: Annotated[int | None, typer.Option(min=0, max=65_535)] = None) -> None:
    """Every service and the gateway in one process."""
    from insights.process import ROUTERS
    from insights.serve import listening, serve, url_of

    settings, folder = _local(data, port=port)
    _log_to_stderr(settings.log_level)
    with listening(settings) as server, locked(folder, "up", url=url_of(server)):
        _run(serve(tuple(ROUTERS), settings, folder, server))


@app.command("serve")
def serve_(
    service: Annotated[str, typer.Argument(help="summarizer, attribute_extractor, categorizer, aggregator or gateway")],
    port: Annotated[int | None, typer.Option(min=0, max=65_535)] = None,
) -> None:
    """One service of a distributed system, on Kafka and MongoDB."""
    from insights.process import ROUTERS
    from insights.serve import listening, serve

    if service not in ROUTERS:
        raise UsageError(f"There is no service {service!r}: choose {', '.join(ROUTERS)}.")
    settings = Settings.load(port=port)
    if settings.store is None:
        raise UsageError("One service alone needs a shared store: set INSIGHTS_STORE=mongodb://host:port/database.")
    _log_to_stderr(settings.log_level)
    with listening(settings) as server:
        _run(serve([service], settings, data_folder(settings.data), server))


@topics.command("create")
def create() -> None:
    """Make the topics that are missing."""
    from shared.bus.topics import create_topics

    settings = Settings.load()
    made = asyncio.run(create_topics(_kafka(settings), settings.partitions, settings.replication))
    print("\n".join(f"made {topic}" for topic in made) or "All topics are there.")


@topics.command("check")
def check() -> None:
    """Are all topics there?"""
    from shared.bus.topics import check_topics

    settings = Settings.load()
    found = asyncio.run(check_topics(_kafka(settings), settings.partitions))
    if found.missing:
        raise UsageError(f"Missing: {', '.join(found.missing)}. Make them with `insights topics create`.")
    for topic, partitions in found.short.items():
        print(f"{topic} has {partitions} partitions; INSIGHTS_PARTITIONS asks for more.")
    print("All topics are there.")


@store_commands.command("init")
def init() -> None:
    """Make tables or indexes."""
    asyncio.run(_with_store(init_=True))
    print("The store is ready.")


@store_commands.command("check")
def check_store() -> None:
    """Does the store answer, and is it ready?"""
    asyncio.run(_with_store(init_=False))
    print("The store is ready.")


async def _with_store(*, init_: bool) -> None:
    from shared.store import connect

    settings = Settings.load()
    if settings.store is None:
        raise UsageError("Set INSIGHTS_STORE=mongodb://host:port/database, or sqlite:///path/insights.db.")
    store = await connect(settings.store)
    try:
        if init_:
            await store.init()
        await store.check()
    finally:
        await store.close()


def _kafka(settings: Settings) -> str:
    if not settings.bus.startswith("kafka://"):
        raise UsageError("Topics are on Kafka: set INSIGHTS_BUS=kafka://host:port.")
    return settings.bus.removeprefix("kafka://")


def _local(data: Path | None, **options: Any) -> tuple[Settings, Path]:
    settings = Settings.load(data=data, **options)
    return settings, data_folder(settings.data)
