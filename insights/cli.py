"""The command `insights`."""

import asyncio
import logging
import logging.handlers
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from insights.cache import cache_commands
from insights.export_command import export
from insights.fake_model.command import fake_model
from insights.folder import data_folder, locked
from insights.job_options import JobOptions, refuse_bytes, takes_job_options
from insights.keys import keys_commands
from insights.main import INTERRUPTED, STOPPED
from insights.output import check_new, check_writable
from insights.secrets import secrets_commands
from shared.config import Settings
from shared.errors import InsightsError, UsageError
from shared.job_config import JobConfig
from shared.wording import counted

if TYPE_CHECKING:
    from insights.source import Source

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
config_commands = typer.Typer(no_args_is_help=True, help="Configurations of jobs.")
app.add_typer(config_commands, name="config")
app.add_typer(cache_commands, name="cache")
app.add_typer(keys_commands, name="keys")
app.add_typer(secrets_commands, name="secrets")
app.command("fake-model")(fake_model)
app.command("export")(export)

File = Annotated[str, typer.Argument(help="A file of traces (JSON lines; gzip or zstd are found out), or - for a pipe")]
Text = Annotated[str | None, typer.Option(help="Any JSON lines: the field that holds the text")]
Id = Annotated[str | None, typer.Option("--id", help="With --text: the field that holds the record's id")]
BaseUrl = Annotated[str | None, typer.Option(help="Any OpenAI-compatible endpoint: http://localhost:11434/v1")]
KeyVariable = Annotated[
    str | None,
    typer.Option("--api-key-env", metavar="NAME", help="Variable with the key for --base-url, which else gets none"),
]
Data = Annotated[Path | None, typer.Option(help="Folder of the local files; a per-user one if not given")]
Insecure = Annotated[bool, typer.Option("--insecure", help="Without API keys, let in everybody who can reach it")]

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


def _run(work: Coroutine[Any, Any, int | None]) -> None:
    raise SystemExit(asyncio.run(work))


@contextmanager
def _opened(file: str, text: str | None, id_: str | None, folder: Path, command: str) -> Iterator["Source"]:
    """The file of traces, in a data folder that no other process uses meanwhile."""
    from insights.source import opened

    refuse_bytes(text=text, id=id_)
    with locked(folder, command), opened(file, text, id_, folder) as source:
        _log_to_file(folder)
        yield source


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
@takes_job_options
def analyze(
    file: File,
    options: JobOptions,
    base_url: BaseUrl = None,
    key_variable: KeyVariable = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print three prompts for a model; ask nothing")] = False,
    json: Annotated[Path | None, typer.Option(help="Write the report to this file, or - for a pipe")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print every subcategory and every figure")] = False,
    text: Text = None,
    id_: Id = None,
    data: Data = None,
) -> None:
    """A file of traces in, a report out. Nothing leaves this machine, unless the engine is `model`."""
    settings, folder = _local(data)
    config, base_url = _apart(options.job_config(), base_url)
    if options.budget is not None and config.engine == "local":
        raise UsageError(
            "--budget is for --engine model, and the engine `local` costs nothing: add that, or leave it out."
        )
    if dry_run:
        with _opened(file, text, id_, folder, "analyze") as source:
            from insights.estimating import dry_run as show

            _run(show(source, config, settings, folder))
    if json is not None:
        check_writable(json)
    from insights.analyze import analyze as work  # what is wrong with the options is said before the engines load
    from insights.model_endpoint import require_endpoint

    require_endpoint(config, settings, base_url, key_variable)
    with _opened(file, text, id_, folder, "analyze") as source:
        print(f"Data folder: {folder}", file=sys.stderr)
        where = {"base_url": base_url, "key_variable": key_variable}
        _run(work(source, config, settings, folder, json, verbose=verbose, **where))


@app.command("estimate")
@takes_job_options
def estimate_(
    file: File,
    options: JobOptions,
    base_url: BaseUrl = None,
    text: Text = None,
    id_: Id = None,
    data: Data = None,
) -> None:
    """What the engine `model` would take: calls, tokens and dollars by stage. Asks no model."""
    settings, folder = _local(data)
    config, base_url = _apart(options.job_config(), base_url)
    with _opened(file, text, id_, folder, "estimate") as source:
        from insights.estimating import estimate_file

        _run(estimate_file(source, config, settings, folder, base_url))


@config_commands.command("draft")
@takes_job_options
def draft(
    file: File,
    agent: Annotated[str, typer.Option(help="What the application is: 'support bot of a bank'")],
    learn: Annotated[str, typer.Option(help="What you want to find out: 'where users give up'")],
    options: JobOptions,
    base_url: BaseUrl = None,
    key_variable: KeyVariable = None,
    output: Annotated[Path | None, typer.Option(help="Write it to this file; printed if not given")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over the file of --output")] = False,
    text: Text = None,
    id_: Id = None,
    data: Data = None,
) -> None:
    """A job.yaml from two answers and a look at some traces; by rules, or in one call with --engine model."""
    refuse_bytes(agent=agent, learn=learn)
    settings, folder = _local(data)
    config, base_url = _apart(options.job_config(), base_url)
    if output is not None:
        check_new(output, force=force)
    with _opened(file, text, id_, folder, "config draft") as source:
        from insights.drafting import draft as work
        from insights.drafting import next_steps
        from insights.output import output as into

        made = asyncio.run(work(source, agent.strip(), learn.strip(), config, settings, folder, base_url, key_variable))
    with into(output, "utf-8") as write:
        write(made)
    if output is not None:
        print(f"The draft is in {output}. {next_steps(file, output)}")


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
        print(f"Wrote {counted(traces, 'trace')} to {out}.")
        return
    path = _local(data)[1] / f"demo-{traces}-{seed}.jsonl"
    write(path, traces, seed)
    print(f"Made {counted(traces, 'sample trace')}, to be analysed by: insights analyze {path}\n", file=sys.stderr)
    analyze(str(path), options=JobOptions(name="Sample traces"), data=data)


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

    refuse_bytes(project=project, text=text, id=id_)
    if not 1 <= len(project) <= LONGEST_NAME:
        raise UsageError(f"--project has {len(project):,} characters: give a name of 1 to {LONGEST_NAME}.")
    settings, folder = _local(data)
    with opened(file, text, id_, folder) as source:
        print(asyncio.run(import_file(source, project, settings, folder)))


@app.command()
def up(
    data: Data = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535)] = None,
    insecure: Insecure = False,
) -> None:
    """Every service and the gateway in one process."""
    from insights.process import ROUTERS
    from insights.serve import listening, serve, url_of

    settings, folder = _local(data, port=port, insecure=insecure or None)
    _log_to_stderr(settings.log_level)
    with listening(settings) as server, locked(folder, "up", url=url_of(server)):
        _run(serve(tuple(ROUTERS), settings, folder, server))


@app.command("serve")
def serve_(
    service: Annotated[str, typer.Argument(help="summarizer, attribute_extractor, categorizer, aggregator or gateway")],
    port: Annotated[int | None, typer.Option(min=0, max=65_535)] = None,
    insecure: Insecure = False,
) -> None:
    """One service of a distributed system, on Kafka and MongoDB."""
    from insights.process import ROUTERS
    from insights.serve import listening, serve

    if service not in ROUTERS:
        raise UsageError(f"There is no service {service!r}: choose {', '.join(ROUTERS)}.")
    settings = Settings.load(port=port, insecure=insecure or None)
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


def _apart(config: JobConfig, base_url: str | None) -> tuple[JobConfig, str | None]:
    """The `base_url` of job.yaml is that of --base-url here: of this process, and not of what makes the job another."""
    return config.model_copy(update={"base_url": None}), base_url or config.base_url


def _local(data: Path | None, **options: Any) -> tuple[Settings, Path]:
    settings = Settings.load(data=data, **options)
    return settings, data_folder(settings.data)
