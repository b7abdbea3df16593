"""Seals secrets with Fernet (AES-128-CBC and HMAC-SHA-256, of the library `cryptography`) and opens them.

The first key seals, every key opens: a new key is put in front, `rotate` seals everything anew, and the old one goes.
A key file is read each time, which is cheap beside what a secret is for: a rotation counts at once.
"""

import base64
import binascii
import contextlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import InsightsError, UsageError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

VARIABLE = "INSIGHTS_SECRETS_KEY"
FILE = "secrets.key"
MISSING = (
    f"No secret can be kept: set {VARIABLE} to the same value for every process (`insights secrets key` makes one)."
)


class SealError(InsightsError):
    """A secret that none of the keys opens."""


def new_vault_key() -> str:
    """As Fernet wants it: 32 random bytes in URL-safe Base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def vault_keys(text: str) -> tuple[str, ...]:
    """Of a list with commas or lines. ValueError, without a word of it, where one of them is no key."""
    keys = tuple(part for part in text.replace(",", " ").split() if part)
    if not keys or not all(_is_key(key) for key in keys):
        raise ValueError("expected keys as `insights secrets key` makes them, with commas between them")
    return keys


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, altchars=b"-_", validate=True)) == 32
    except (binascii.Error, ValueError):
        return False


class Vault:
    """With the keys of the environment, or those of a file."""

    def __init__(self, keys: Sequence[str] | Path) -> None:
        self._keys = keys

    @classmethod
    def in_folder(cls, folder: Path) -> "Vault":
        """With the folder's own key file, made if it is missing: only its owner reads it (mode 0600)."""
        path = folder / FILE
        with contextlib.suppress(FileExistsError):
            _write(path, os.O_CREAT | os.O_EXCL, [new_vault_key()])
        vault = cls(path)
        vault.check()
        return vault

    def check(self) -> None:
        """UsageError where the keys cannot be read."""
        self._fernet()

    def seal(self, text: str) -> str:
        return self._fernet().encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """SealError where no key opens it."""
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet().decrypt(sealed).decode()
        except (InvalidToken, ValueError):  # the latter for what is not ASCII
            raise SealError("A stored secret opens with none of the keys here: store it again.") from None

    def reseal(self, sealed: str) -> str:
        """The same secret, sealed with the first key. SealError."""
        return self.seal(self.open(sealed))

    def renew(self) -> None:
        """A new first key in the key file; the others stay, for what they sealed."""
        path = self._file()
        _replace(path, [new_vault_key(), *_read(path)])

    def forget(self) -> None:
        """All but the first key of the file and the one before it: a running process may just have sealed with that."""
        path = self._file()
        _replace(path, _read(path)[:2])

    def _file(self) -> Path:
        if not isinstance(self._keys, Path):
            raise UsageError(f"The keys are in {VARIABLE}: put a new one in front of them (`insights secrets key`).")
        return self._keys

    def _fernet(self) -> "MultiFernet":
        from cryptography.fernet import Fernet, MultiFernet  # only where there are secrets: it takes 40 ms

        keys = _read(self._keys) if isinstance(self._keys, Path) else self._keys
        return MultiFernet([Fernet(key) for key in keys])


def _write(path: Path, flags: int, keys: Sequence[str]) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | flags, 0o600), "w") as file:
            file.write("\n".join(keys) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}): is the folder writable?") from error


def _replace(path: Path, keys: Sequence[str]) -> None:
    """At one stroke: a kill leaves the old keys, or the new ones."""
    fresh = path.with_suffix(".new")
    _write(fresh, os.O_CREAT | os.O_TRUNC, keys)
    fresh.replace(path)


def _read(path: Path) -> tuple[str, ...]:
    try:
        return vault_keys(path.read_text(errors="replace"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): put it back, or set {VARIABLE}.") from error
    except ValueError as error:
        raise UsageError(f"{path} holds no keys ({error}): put it back, or set {VARIABLE}.") from error
