"""Who may use a workspace: API keys, of which nothing is kept that would open it.

A key is 256 random bits, so that its SHA-256 is enough to keep: nobody can guess one, and a slow hash protects only
what people make up. Rows of revoked keys stay: a deployment that once had a key is never open again.
"""

import hashlib
import secrets
from enum import StrEnum
from uuid import UUID, uuid4, uuid5

from pydantic import Field

from shared.models import DEFAULT_WORKSPACE, Document

NAMESPACE = UUID("5d0d7c50-93f7-4a5c-8f86-0f4f6f1c2b1e")
PREFIX = "insights_"  # scanners of leaked secrets find it
HINT = 4  # last characters, by which its owner knows a key
DEFAULT_NAME = "default"
NAME_LENGTH = 100


class Role(StrEnum):
    """Each may do what those before it may."""

    READER = "reader"
    WRITER = "writer"
    ADMIN = "admin"

    def may(self, needed: "Role") -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


class Workspace(Document):
    """What is kept apart from all else."""

    id: str
    name: str
    created_at: int


class ApiKey(Document):
    """`digest` is the SHA-256 of the key in hex."""

    workspace_id: str
    id: str
    name: str
    role: Role
    digest: str
    hint: str
    created_at: int
    last_used: int | None = Field(default=None, description="to the minute")
    revoked_at: int | None = None


def workspace_named(name: str, at: int) -> Workspace:
    """One name, one id, on every machine; `default` is the workspace of an open deployment."""
    identity = DEFAULT_WORKSPACE if name == DEFAULT_NAME else str(uuid5(NAMESPACE, name))
    return Workspace(id=identity, name=name, created_at=at)


def new_key(workspace_id: str, name: str, role: Role, at: int) -> tuple[ApiKey, str]:
    """What is kept of a new key, and the key, which is shown once."""
    text = PREFIX + secrets.token_urlsafe(32)
    made = ApiKey(
        workspace_id=workspace_id,
        id=str(uuid4()),
        name=name,
        role=role,
        digest=digest_of(text),
        hint=text[-HINT:],
        created_at=at,
    )
    return made, text


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
