"""The command `insights fake-model`."""

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from shared.errors import UsageError

Names = Annotated[str | None, typer.Option(help="Names with commas between; any other is answered by 404")]
LOWEST_PORT, HIGHEST_PORT = 0, 65_535


def fake_model(
    port: Annotated[int, typer.Option(min=LOWEST_PORT, max=HIGHEST_PORT, help="0: any that is free")] = 8_080,
    host: str = "127.0.0.1",
    latency: Annotated[str, typer.Option(help="none, fixed:0.2 or lognormal:4,0.5 (mean in seconds, sigma)")] = "none",
    fault: Annotated[
        list[str] | None, typer.Option(help="KIND:SHARE[:TIMES|:always|:each], as 429:0.05; repeatable")
    ] = None,
    retry_after: Annotated[float, typer.Option(min=0, help="Seconds that a 429 tells")] = 1.0,
    key: Annotated[str | None, typer.Option(help="Any other key is answered by 401")] = None,
    models: Names = None,
    context: Annotated[int | None, typer.Option(min=1, help="Tokens; a longer prompt is answered by 400")] = None,
    most_in_flight: Annotated[int | None, typer.Option(min=1, help="Requests at once; 429 for any more")] = None,
    refuse: Annotated[str | None, typer.Option(help="Parameters that are answered by 400, as temperature,n")] = None,
    json_schema: Annotated[bool, typer.Option("--json-schema/--no-json-schema")] = True,
    json_mode: Annotated[bool, typer.Option("--json-mode/--no-json-mode")] = True,
    usage: Annotated[bool, typer.Option("--usage/--no-usage", help="Does it tell its tokens?")] = True,
    log: Annotated[Path | None, typer.Option(help="A line of JSON for each request is added to this file")] = None,
) -> None:
    """A stand-in for a language model's endpoint, for tests and load. It invents nothing and costs nothing."""
    from insights.fake_model import faults
    from insights.fake_model.app import FakeModel
    from insights.fake_model.latency import parse
    from insights.fake_model.options import Options
    from insights.fake_model.serving import listening, serve, url_of

    options = Options(
        key=key,
        models=tuple(_names(models)),
        faults=faults.parse(fault or ()),
        latency=parse(latency),
        retry_after=retry_after,
        context=context,
        most_in_flight=most_in_flight,
        refused=frozenset(_names(refuse)),
        json_schema=json_schema,
        json_mode=json_mode,
        usage=usage,
    )
    with contextlib.ExitStack() as stack:
        write = None
        if log is not None:
            try:
                write = stack.enter_context(log.open("a", encoding="utf-8", buffering=1)).write
            except OSError as error:
                raise UsageError(f"--log {log} cannot be written ({error.strerror}): choose another file.") from error
        server = stack.enter_context(listening(host, port))
        model = FakeModel(options, write)
        print(f"fake-model: ready on {url_of(server)}", flush=True)
        serve(model, server)


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]
