"""Attachments of runs in either store."""

import asyncio

import pytest

from shared.models import Attachment, StoredAttachment
from shared.store import Store, connect
from tests.contract.test_store import OTHER, W


def attachment(name: str, body: bytes = b"1", *, workspace: str = W, run_id: str = "r") -> StoredAttachment:
    mime_type = "image/png"
    head = Attachment(workspace_id=workspace, run_id=run_id, name=name, mime_type=mime_type, size=len(body))
    return StoredAttachment(head, body)


class AttachmentContract:
    """Given an empty store, `store`, of either kind, and `url`, under which another client finds the same one."""

    async def test_an_attachment_comes_back_equal_whatever_its_name_and_size(self, store: Store) -> None:
        sent = [attachment("pic/../x \x00 é", b""), attachment("large", bytes(range(256)) * 70_000)]
        await store.save_attachments(sent)
        found = [await store.attachment(W, "r", one.attachment.name) for one in sent]
        assert found == sent

    async def test_attachments_are_listed_by_run_and_name_in_their_workspace_only(self, store: Store) -> None:
        sent = [attachment("b"), attachment("a"), attachment("a", run_id="s"), attachment("a", workspace=OTHER)]
        await store.save_attachments(sent)
        b, a, of_s, theirs = (one.attachment for one in sent)
        assert await store.attachments(W, ["r", "s", "t"]) == {"r": [a, b], "s": [of_s]}
        assert await store.attachments(OTHER, ["r", "s"]) == {"r": [theirs]}
        assert await store.attachment(OTHER, "s", "a") is None
        assert await store.attachments(W, []) == {}

    async def test_the_same_name_again_replaces_the_attachment(self, store: Store) -> None:
        for body in (b"x" * 9_000_000, b"y"):
            await store.save_attachments([attachment("a", body)])
        assert await store.attachment(W, "r", "a") == attachment("a", b"y")
        assert await store.attachments(W, ["r"]) == {"r": [attachment("a", b"y").attachment]}

    async def test_every_process_of_a_deployment_has_the_same_signing_key(self, store: Store, url: str) -> None:
        other = await connect(url)
        keys = await asyncio.gather(*(one.signing_key() for one in (store, other, store)))
        await other.close()
        assert len(set(keys)) == 1
        assert len(keys[0]) == 32


class TestSqliteAttachments(AttachmentContract):
    """On the default `url`."""


class TestMongoAttachments(TestSqliteAttachments):
    @pytest.fixture
    def url(self, mongo_url: str) -> str:
        return mongo_url
