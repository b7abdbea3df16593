"""`insights secrets`: the keys that seal the stored keys of model providers."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from insights.folder import data_folder
from shared.config import Settings
from shared.errors import UsageError
from shared.store import Store
from shared.vault import MISSING, SealError, Vault, new_vault_key

secrets_commands = typer.Typer(no_args_is_help=True, help="What seals the keys of model providers in the store.")
Data = Annotated[Path | None, typer.Option(help="Folder of the local files; a per-user one if not given")]


@secrets_commands.command("key")
def key() -> None:
    """Print a new key for INSIGHTS_SECRETS_KEY."""
    typer.echo(new_vault_key())


@secrets_commands.command("rotate")
def rotate(data: Data = None) -> None:
    """Seal every stored secret anew, with the first key of INSIGHTS_SECRETS_KEY, or a new one in the key file."""
    settings = Settings.load(data=data)
    done, lost = asyncio.run(_rotated(settings, data_folder(settings.data)))
    typer.echo(f"{done:,} secrets are sealed with the first key: those behind it are needed no more.")
    if lost:
        raise UsageError(f"No key opens {', '.join(lost)}: store them again.")


async def _rotated(settings: Settings, folder: Path) -> tuple[int, list[str]]:
    from insights.process import opened_store, vault_of

    vault = vault_of(settings, folder)
    if vault is None:
        raise UsageError(MISSING)
    if settings.secrets_key is None:
        vault.renew()
    async with opened_store(settings, folder) as store:
        found = await reseal(store, vault)
    if settings.secrets_key is None:
        vault.forget()
    return found


async def reseal(store: Store, vault: Vault) -> tuple[int, list[str]]:
    """How many were sealed anew, and which no key opens. What changed meanwhile is sealed with the first already."""
    done, lost = 0, []
    for secret in await store.secrets():
        if secret.sealed is None:
            continue
        try:
            after = vault.reseal(secret.sealed)
        except SealError:
            lost.append(f"{secret.key} of workspace {secret.workspace_id}")
            continue
        done += await store.reseal_secret(secret.workspace_id, secret.key, secret.sealed, after)
    return done, lost
