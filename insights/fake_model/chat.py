"""A chat completion: the answer to a call, good or bad on purpose."""

import hashlib
import json
from typing import Any

from insights.fake_model import tokens, values
from insights.fake_model.calls import Call
from insights.fake_model.filling import fill
from insights.fake_model.reading import Reading, read
from insights.fake_model.schema import field_names
from insights.fake_model.turns import content_text

REFUSAL = "I'm sorry, but I can't assist with that."


def reading_of(call: Call) -> Reading:
    return read(call.messages, field_names(call.schema))


def prompt_tokens(call: Call) -> int:
    """Of the messages, and of the schema or the tools that are sent with them."""
    texts = [content_text(message.get("content")) for message in call.messages]
    return (
        sum(tokens.count(text) + tokens.PER_MESSAGE for text in texts)
        + tokens.count(call.declared)
        + tokens.PER_MESSAGE
    )


def completion(call: Call, reading: Reading, prompt: int, fault: str | None) -> dict[str, Any]:
    """The body of a chat completion. `prompt`: its tokens. `fault`: one of faults.ANSWERS, or None."""
    text, reason = _text(call, reading, fault)
    refusal = REFUSAL if fault == "refusal" else None
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": refusal}
    spent = tokens.count(text or refusal or "")
    identity = hashlib.sha256(f"{call.model}\0{text}\0{reading.key}".encode(errors="surrogatepass")).hexdigest()[:24]
    if call.mode == "tool" and text is not None:
        function = {"name": call.name, "arguments": text}
        message |= {
            "content": None,
            "tool_calls": [{"id": f"call_{identity}", "type": "function", "function": function}],
        }
    return {
        "id": f"chatcmpl-{identity}",
        "object": "chat.completion",
        "created": 0,  # the same request has the same answer, to the byte
        "model": call.model,
        "system_fingerprint": "fake-model",
        "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": spent,
            "total_tokens": prompt + spent,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }


def _text(call: Call, reading: Reading, fault: str | None) -> tuple[str | None, str]:
    """What the model says, and why it ends there."""
    if fault == "refusal":
        return None, "stop"
    if fault == "empty":
        return "", "stop"
    text = _answer(call, reading, violating=fault == "schema")
    if fault in ("half-json", "length"):
        return text[: len(text) // 2], "length" if fault == "length" else "stop"
    return _shortened(text, call.most_tokens)


def _answer(call: Call, reading: Reading, *, violating: bool) -> str:
    """JSON where the request has a schema; bare, or in the fence that models like, where nothing asks for bare JSON."""
    if call.schema is None:
        return (
            json.dumps({"answer": values.summary(reading)}) if call.mode == "json_object" else values.summary(reading)
        )
    found = fill(call.schema, reading)
    text = json.dumps(_violating(found) if violating else found)
    return f"Here it is:\n```json\n{text}\n```" if call.mode == "text" else text


def _violating(value: Any) -> Any:
    """Valid JSON of the wrong shape: its first property is missing, and one that nobody asked for is there."""
    kept = dict(list(value.items())[1:]) if isinstance(value, dict) else {}
    return {**kept, "unexpected": True}


def _shortened(text: str, most_tokens: int | None) -> tuple[str, str]:
    if most_tokens is None or (spent := tokens.count(text)) <= most_tokens:
        return text, "stop"
    return text[: len(text) * most_tokens // spent], "length"
