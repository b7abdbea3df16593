"""The HTTP side: paths under any prefix, keys, latency, faults, and connections that are cut.

POST …/chat/completions, POST …/embeddings, GET …/models and …/models/{id} as OpenAI's; GET /stats, POST /stats/reset,
and POST /faults, whose body is what --fault takes, at the root.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from hmac import compare_digest
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from insights.fake_model import chat, errors, faults, tokens, vectors
from insights.fake_model.calls import call_of
from insights.fake_model.counters import CUT_OFF, Counters, Seen
from insights.fake_model.options import Options
from shared.errors import UsageError

MOST_BYTES = 32 * 1024 * 1024
_OPENING = 200  # characters of the data in the log
_CHAT = "/chat/completions"
_EMBEDDINGS = "/embeddings"
Answer = Callable[[str | None], dict[str, Any]]


class FakeModel:
    """What the requests of one endpoint share. `options` may be exchanged while it runs."""

    def __init__(self, options: Options, write: Callable[[str], object] | None = None) -> None:
        self.options = options
        self.counters = Counters(write)
        tokens.counted_by()  # its table takes a second or more to load: no request may wait for it

    async def complete(self, request: Request) -> Response:
        return await self._serve(request, _CHAT)

    async def embed(self, request: Request) -> Response:
        return await self._serve(request, _EMBEDDINGS)

    async def _serve(self, request: Request, path: str) -> Response:
        try:
            raw = await _body(request)
        except ClientDisconnect:
            return _Cut()
        seen = Seen(path, hashlib.sha256(path.encode() + raw).hexdigest())
        self.counters.begin(seen)
        try:
            return await self._answer(request, raw, seen)
        except errors.ApiError as error:
            seen.status = error.status
            return _json(error.body, error.status, error.headers)
        finally:
            self.counters.end(seen)

    async def _answer(self, request: Request, raw: bytes, seen: Seen) -> Response:
        options = self.options
        _check_key(request, options)
        if options.most_in_flight is not None and self.counters.in_flight > options.most_in_flight:
            raise errors.too_many(options.retry_after)
        body = _parsed(raw)
        seen.model = _model(body, options)
        answer, key = self._chat(body, seen) if seen.path == _CHAT else self._vectors(body, seen)
        seen.attempt = self.counters.attempt(seen)
        seen.fault = faults.fault_of(options.faults, key, seen.attempt)
        seconds = options.latency.seconds(faults.fraction("latency", seen.hash, seen.attempt))
        if not await _still_there(request, None if seen.fault == "hang" else seconds):
            seen.outcome = CUT_OFF
            return _Cut()
        if seen.fault == "cut":
            seen.outcome = "cut"
            return _Cut()
        if seen.fault in faults.STATUSES:
            raise _error(seen.fault, seen, options)
        found = answer(seen.fault)
        seen.status = 200
        seen.completion_tokens = found["usage"].get("completion_tokens", 0)
        if not options.usage:
            del found["usage"]
        return _json(found)

    def _chat(self, body: dict[str, Any], seen: Seen) -> tuple[Answer, str]:
        """How to answer, and what the request is about."""
        call = call_of(body, self.options)
        reading = chat.reading_of(call)
        seen.prompt_tokens = prompt = chat.prompt_tokens(call)
        seen.stage, seen.item, seen.opening = call.name, _hash(reading.key), reading.said[:_OPENING]
        if self.options.context is not None and prompt > self.options.context:
            raise errors.too_long(prompt, self.options.context)
        return lambda fault: chat.completion(call, reading, prompt, fault), reading.key

    def _vectors(self, body: dict[str, Any], seen: Seen) -> tuple[Answer, str]:
        found = vectors.embeddings(body)
        seen.prompt_tokens = found["usage"]["prompt_tokens"]
        key = "\n".join(vectors.texts_of(body))
        seen.item = _hash(key)
        return lambda _: found, key

    async def list_models(self, request: Request) -> Response:
        try:
            _check_key(request, self.options)
            names = self.options.models or ("fake-model",)
            if (wanted := request.path_params.get("model")) is not None:
                return _json(_model_card(_model({"model": wanted}, self.options)))
        except errors.ApiError as error:
            return _json(error.body, error.status)
        return _json({"object": "list", "data": [_model_card(name) for name in names]})

    async def stats(self, request: Request) -> Response:
        return _json(self.counters.figures())

    async def reset(self, request: Request) -> Response:
        self.counters.reset()
        return _json(self.counters.figures())

    async def set_faults(self, request: Request) -> Response:
        try:
            self.options = replace(self.options, faults=faults.parse([(await _body(request)).decode(errors="replace")]))
        except UsageError as error:
            return _json({"error": {"message": str(error)}}, 400)
        return _json({"faults": len(self.options.faults)})


def make_app(model: FakeModel) -> Starlette:
    routes = [Route("/stats", model.stats), Route("/stats/reset", model.reset, methods=["POST"])]
    routes.append(Route("/faults", model.set_faults, methods=["POST"]))
    for prefix in ("", "/{prefix:path}"):
        routes += [
            Route(f"{prefix}{_CHAT}", model.complete, methods=["POST"]),
            Route(f"{prefix}{_EMBEDDINGS}", model.embed, methods=["POST"]),
            Route(f"{prefix}/models", model.list_models),
            Route(f"{prefix}/models/{{model:path}}", model.list_models),
        ]
    return Starlette(routes=routes)


class _Cut(Response):
    """Begins an answer and never ends it: the server closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"id": "chatcmpl-', "more_body": True})


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """In ASCII, since a prompt may hold half characters."""
    return Response(json.dumps(body), status, headers, "application/json")


async def _body(request: Request) -> bytes:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MOST_BYTES:
            raise errors.ApiError(413, f"The body is over {MOST_BYTES:,} bytes.")
    return bytes(raw)


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise errors.bad_request("We could not parse the JSON body of your request.") from error
    if not isinstance(body, dict):
        raise errors.bad_request("The body must be a JSON object.")
    return body


def _check_key(request: Request, options: Options) -> None:
    given = request.headers.get("api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")
    if options.key is not None and not compare_digest(given.encode(), options.key.encode()):
        raise errors.wrong_key()


def _model(body: dict[str, Any], options: Options) -> str:
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise errors.bad_request("you must provide a model parameter", "model")
    if options.models and model not in options.models:
        raise errors.no_model(model)
    return model


def _model_card(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "insights"}


def _error(kind: str, seen: Seen, options: Options) -> errors.ApiError:
    match kind:
        case "429":
            return errors.too_many(options.retry_after)
        case "429-bare":
            return errors.too_many(None)
        case "500" | "503":
            return errors.broken(int(kind))
        case "content-filter":
            return errors.filtered()
        case "context-length":
            return errors.too_long(seen.prompt_tokens, seen.prompt_tokens - 1)
        case "wrong-key":
            return errors.wrong_key()
        case "no-quota":
            return errors.no_quota()
        case _:
            return errors.no_model(seen.model)


async def _still_there(request: Request, seconds: float | None) -> bool:
    """Wait so long (None: for ever). False if the client went meanwhile."""
    if seconds == 0:
        return True
    gone = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({gone}, timeout=seconds)
        return not gone.done()
    finally:
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
