"""A request for a chat completion, checked as OpenAI does."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from insights.fake_model import strict
from insights.fake_model.blocks import split
from insights.fake_model.errors import bad_request, unsupported
from insights.fake_model.options import Options
from insights.fake_model.schema import Schema
from insights.fake_model.turns import content_text

Mode = Literal["json_schema", "json_object", "tool", "text"]

_DECODER = json.JSONDecoder()
_TRIES = 50  # opening braces of a text at which a schema may begin
_SCHEMA_TAG = "schema"


@dataclass(frozen=True, slots=True)
class Call:
    """`schema` is that of the answer, wherever the request holds it; `name` is the schema's or the tool's."""

    model: str
    messages: Sequence[Mapping[str, Any]]
    mode: Mode
    name: str = ""
    schema: Schema | None = None
    most_tokens: int | None = None
    declared: str = ""


def call_of(body: Mapping[str, Any], options: Options) -> Call:
    """ApiError 400 for what is missing, malformed, or refused by the options."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(one, dict) for one in messages):
        raise bad_request("messages must be a list of messages, and not empty.", "messages")
    if body.get("stream"):
        raise bad_request("This stand-in does not stream: leave out stream.", "stream")
    if body.get("n", 1) not in (1, None):
        raise bad_request("This stand-in gives one answer: leave out n.", "n")
    for param in sorted(options.refused):
        if body.get(param) is not None:
            raise unsupported(param)
    most = body.get("max_completion_tokens") or body.get("max_tokens")
    base = Call(str(body["model"]), messages, "text", most_tokens=most if isinstance(most, int) else None)
    if body.get("tools") and body.get("tool_choice") != "none":
        return _of_tool(base, body)
    return _of_format(base, body.get("response_format"), options)


def _of_format(call: Call, wanted: Any, options: Options) -> Call:
    kind = wanted.get("type", "text") if isinstance(wanted, dict) else "text"
    if kind == "json_schema":
        return _of_schema(call, wanted.get("json_schema"), options)
    if kind not in ("json_object", "text"):
        raise bad_request(f"response_format has no type {str(kind)[:40]!r}.", "response_format")
    if kind == "json_object" and not options.json_mode:
        raise _not_supported(kind)
    if kind == "json_object" and "json" not in " ".join(_texts(call)).lower():
        message = (
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        )
        raise bad_request(message, "messages")
    schema = schema_in(_texts(call))
    return _with(call, "json_object" if kind == "json_object" else "text", "", schema, "")


def _of_schema(call: Call, given: Any, options: Options) -> Call:
    if not options.json_schema:
        raise _not_supported("json_schema")
    if (
        not isinstance(given, dict)
        or not isinstance(given.get("schema"), dict)
        or not isinstance(given.get("name"), str)
    ):
        raise bad_request("response_format.json_schema must have a name and a schema.", "response_format")
    if given.get("strict"):
        strict.check(given["schema"], given["name"])
    return _with(call, "json_schema", given["name"], given["schema"], json.dumps(given))


def _of_tool(call: Call, body: Mapping[str, Any]) -> Call:
    """The function that is asked for, else the first."""
    tools = body["tools"] if isinstance(body["tools"], list) else []
    functions = [
        tool["function"] for tool in tools if isinstance(tool, dict) and isinstance(tool.get("function"), dict)
    ]
    choice = body.get("tool_choice")
    wanted = choice.get("function", {}).get("name") if isinstance(choice, dict) else None
    found = next((one for one in functions if wanted in (None, one.get("name"))), None)
    if found is None:
        raise bad_request("tools has no function of the name that tool_choice asks for.", "tools")
    schema = found.get("parameters")
    return _with(
        call, "tool", str(found.get("name")), schema if isinstance(schema, dict) else {}, json.dumps(functions)
    )


def _with(call: Call, mode: Mode, name: str, schema: Schema | None, declared: str) -> Call:
    return Call(call.model, call.messages, mode, name, schema, call.most_tokens, declared)


def _not_supported(kind: str) -> Exception:
    message = f"Invalid parameter: 'response_format' of type '{kind}' is not supported with this model."
    return bad_request(message, "response_format")


def _texts(call: Call) -> list[str]:
    return [content_text(message.get("content")) for message in call.messages]


def schema_in(texts: Sequence[str]) -> Schema | None:
    """A JSON schema that the instructions hold, for an endpoint without structured output; never one in the data."""
    for text in texts:
        outside, blocks = split(text)
        for part in (outside, *(block.text for block in blocks if _SCHEMA_TAG in block.tag)):
            if found := _first_schema(part):
                return found
    return None


def _first_schema(text: str) -> Schema | None:
    at = -1
    for _ in range(_TRIES):
        at = text.find("{", at + 1)
        if at < 0:
            return None
        try:
            found, _ = _DECODER.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            continue
        inner = found.get("schema", found)
        if isinstance(inner, dict) and isinstance(inner.get("properties"), dict):
            return inner
    return None
