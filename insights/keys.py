"""`insights keys`: the API keys of the gateway."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from insights.folder import data_folder
from insights.job_options import refuse_bytes
from insights.printable import printable
from shared.access import DEFAULT_NAME, NAME_LENGTH, ApiKey, Role, new_key, workspace_named
from shared.config import Settings
from shared.ending import now
from shared.errors import UsageError
from shared.store import Store

T = TypeVar("T")
keys_commands = typer.Typer(no_args_is_help=True, help="API keys of the gateway. Without any it serves this machine.")
Data = Annotated[Path | None, typer.Option(help="Folder of the local files; a per-user one if not given")]
Workspace = Annotated[str, typer.Option(help="Whose traces it opens; made if there is none of this name")]
ROW = "{:<36}  {:<20}  {:<6}  {:<20}  …{:<4}  {:<10}  {:<16}  {}"


@keys_commands.command("create")
def create(
    name: Annotated[str, typer.Option(help="What it is for, such as ci")],
    role: Annotated[Role, typer.Option(help="reader; writer: also sends traces, makes reports; admin: everything")],
    workspace: Workspace = DEFAULT_NAME,
    data: Data = None,
) -> None:
    """Make a key. It is printed once, and kept nowhere."""
    refuse_bytes(name=name, workspace=workspace)
    if not all(1 <= len(text.strip()) <= NAME_LENGTH for text in (name, workspace)):
        raise UsageError(f"--name and --workspace are texts of 1 to {NAME_LENGTH} characters.")
    text, first = _with_store(data, lambda store: _create(store, name.strip(), role, workspace.strip()))
    typer.echo(text)
    typer.echo("Keep it: it is shown this once. Clients send it as LANGSMITH_API_KEY.", err=True)
    if first:
        typer.echo("It is the first: from now on the gateway lets in nobody without a key.", err=True)


@keys_commands.command("list")
def list_(data: Data = None) -> None:
    """Every key, without what opens the gateway."""
    keys, names = _with_store(data, _listed)
    if not keys:
        typer.echo("There are no keys: the gateway serves this machine alone, and asks for none.")
        return
    typer.echo(ROW.format("ID", "NAME", "ROLE", "WORKSPACE", "KEY", "MADE", "LAST USED", "").rstrip())
    for key in keys:
        workspace = names.get(key.workspace_id, key.workspace_id)
        used = _time(key.last_used, "%Y-%m-%d %H:%M") if key.last_used else "never"
        revoked = f"revoked {_time(key.revoked_at)}" if key.revoked_at else ""
        made = _time(key.created_at)
        shown = (printable(key.name), key.role, printable(workspace))
        typer.echo(ROW.format(key.id, *shown, key.hint, made, used, revoked).rstrip())


@keys_commands.command("revoke")
def revoke(
    key: Annotated[str, typer.Argument(help="Its id or name, as `insights keys list` shows it")],
    data: Data = None,
) -> None:
    """Refuse a key from now on, at every gateway."""
    found = _with_store(data, lambda store: _revoke(store, key))
    typer.echo(f"The key {printable(found.name)} ({found.id}) opens nothing any more.")


async def _create(store: Store, name: str, role: Role, workspace: str) -> tuple[str, bool]:
    first = not await store.has_api_keys()
    owner = workspace_named(workspace, now())
    await store.insert_workspace(owner)
    key, text = new_key(owner.id, name, role, now())
    await store.insert_api_key(key)
    return text, first


async def _listed(store: Store) -> tuple[list[ApiKey], dict[str, str]]:
    return await store.api_keys(), {one.id: one.name for one in await store.workspaces()}


async def _revoke(store: Store, wanted: str) -> ApiKey:
    found = [key for key in await store.api_keys() if wanted in (key.id, key.name) and key.revoked_at is None]
    if not found:
        raise UsageError(f"No key that is valid has the id or name {wanted!r}: see `insights keys list`.")
    if len(found) > 1:
        raise UsageError(
            f"Several keys are named {wanted!r}; say which by its id: {', '.join(one.id for one in found)}."
        )
    await store.revoke_api_key(found[0].workspace_id, found[0].id, now())
    return found[0]


def _with_store(data: Path | None, work: Callable[[Store], Awaitable[T]]) -> T:
    """Beside a running gateway as well: it looks keys up at each request."""
    from insights.process import opened_store

    settings = Settings.load(data=data)

    async def worked() -> T:
        async with opened_store(settings, data_folder(settings.data)) as store:
            return await work(store)

    return asyncio.run(worked())


def _time(at: int | None, shape: str = "%Y-%m-%d") -> str:
    return datetime.fromtimestamp((at or 0) / 1_000_000, UTC).strftime(shape)
