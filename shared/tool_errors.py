"""Whether a tool's result is an error: of its status where it has one, else of its words.

Judged from its head and its tail alone: between them, documents speak of errors.
"""

import json
import re
from typing import Any

from shared.messages import Turn

LOOKED_AT = 4_000  # characters of a result
HEAD, TAIL = 2, 3  # lines of a result that may say that it failed
BAD_REQUEST, END_OF_CODES = 400, 600  # of HTTP

_ERROR = re.compile(
    r"""(?:\W{0,3}(?:observation|result|output|stderr)\s?[:=]\s?)?\W{0,3}
    (?: (?:error|fatal|exception|failure)\b\s?(?:[:!\]}(\d]|-\s|$|code\b|while\b|occurred\b|executing\b)
      | (?:an?|unexpected|internal|unknown|sql|syntax|runtime|server|tool|api|http|validation|execution)\s
        (?:\w{1,20}\s){0,2}(?:error|exception)\b
      | (?:\w{1,60}\.){0,6}\w{0,60}(?:error|exception)(?::|$|\()
      | failed\b(?::|\sto\b)
      | (?:error|err|exception|errors)["']?\s?:\s?(?:["'][^"']|[{\[]\s?["'{]|true|[1-9])
      | (?:success|ok)["']?\s?:\s?false
      | status["']?\s?:\s?["']?(?:error|failed|failure)
      | is_?error["']?\s?:\s?true )""",
    re.IGNORECASE | re.VERBOSE,
)
_BROKEN = re.compile(
    r"traceback \(most recent|\bcommand not found\b|: no such file or directory\b|: permission denied\b"
    r"|is not recognized as an internal or external",
    re.IGNORECASE,
)


def is_error(result: Turn) -> bool:
    """Whether a result says that it failed, in its status or in its words: many tools answer "Error: …" as text."""
    if result.failed:
        return True
    text = result.text[:LOOKED_AT]
    if text.startswith("{") and isinstance(fields := _parsed(result.text), dict):
        return _names_error(fields)
    if _BROKEN.search(text):
        return True
    lines = [line for part in text.splitlines() if (line := part.strip())]
    return any(_ERROR.match(line) for line in lines[:HEAD] + lines[HEAD:][-TAIL:])


def _parsed(text: str) -> Any:
    """What short JSON holds, None for anything else."""
    try:
        return json.loads(text) if len(text) <= LOOKED_AT else None
    except (ValueError, RecursionError):
        return None


def _names_error(fields: dict[str, Any]) -> bool:
    """Whether an object has an error that is not empty, or says that it is no success."""
    status = next((fields[name] for name in ("status", "status_code", "statusCode", "code") if name in fields), None)
    code = status if isinstance(status, int) else 0
    return (
        any(fields.get(name) for name in ("error", "errors", "isError", "is_error", "exception"))
        or any(fields.get(name) is False for name in ("success", "ok"))
        or (isinstance(status, str) and status.lower() in ("error", "failed", "failure"))
        or BAD_REQUEST <= code < END_OF_CODES
    )
