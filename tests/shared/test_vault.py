"""Secrets open with every key of the vault and are sealed with the first; the key file is its owner's alone."""

import stat
from pathlib import Path

import pytest

from shared.errors import UsageError
from shared.vault import FILE, SealError, Vault, new_vault_key, vault_keys


def test_what_was_sealed_opens_and_is_another_each_time() -> None:
    vault = Vault([new_vault_key()])
    sealed = [vault.seal("sk-1"), vault.seal("sk-1")]
    assert [vault.open(one) for one in sealed] == ["sk-1", "sk-1"]
    assert sealed[0] != sealed[1]


def test_the_first_key_seals_and_every_key_opens() -> None:
    old, new = new_vault_key(), new_vault_key()
    sealed = Vault([old]).seal("sk-1")
    both = Vault([new, old])
    assert both.open(sealed) == "sk-1"
    assert Vault([new]).open(both.reseal(sealed)) == "sk-1"
    with pytest.raises(SealError, match="store it again"):
        Vault([new]).open(sealed)


@pytest.mark.parametrize("sealed", ["", "x", "\ud800", "gAAAAA=="])
def test_what_was_never_sealed_is_an_error_of_ours(sealed: str) -> None:
    with pytest.raises(SealError):
        Vault([new_vault_key()]).open(sealed)


def test_a_folder_has_one_key_file_of_its_own(tmp_path: Path) -> None:
    sealed = Vault.in_folder(tmp_path).seal("sk-1")
    assert Vault.in_folder(tmp_path).open(sealed) == "sk-1"
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_a_rotation_leaves_nothing_that_cannot_be_opened(tmp_path: Path) -> None:
    """Wherever it is cut short, and beside a process that sealed a moment before."""
    vault = running = Vault.in_folder(tmp_path)
    first = (tmp_path / FILE).read_text()
    sealed = vault.seal("sk-1")
    vault.renew()
    vault.renew()
    assert running.open(sealed) == "sk-1"
    resealed = vault.reseal(sealed)
    vault.forget()
    assert first.strip() not in (tmp_path / FILE).read_text()
    assert running.open(resealed) == "sk-1"
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert len(vault_keys((tmp_path / FILE).read_text())) == 2
    with pytest.raises(SealError):
        vault.open(sealed)


def test_keys_of_the_environment_are_not_rotated_in_a_file() -> None:
    with pytest.raises(UsageError, match="INSIGHTS_SECRETS_KEY"):
        Vault([new_vault_key()]).renew()


@pytest.mark.parametrize("text", ["", " , ", "short", "k" * 42, f"{'k' * 43}=,x", "\ud800"])
def test_what_is_no_list_of_keys_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(ValueError, match="insights secrets key") as refused:
        vault_keys(text)
    assert not text.strip(" ,") or text not in str(refused.value)


def test_a_damaged_key_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xff\xfe no key")
    with pytest.raises(UsageError, match="put it back"):
        Vault.in_folder(tmp_path)
