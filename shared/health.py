"""What every process answers over HTTP: is it alive, can it work, and its metrics."""

from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from shared.errors import InsightsError

Check = Callable[[], Awaitable[None]]


def health_routes(check: Check) -> list[Route]:
    """/live, /ready (503 with the sentence of `check`) and /metrics."""
    return [*state_routes(check), Route("/metrics", show_metrics)]


def state_routes(check: Check) -> list[Route]:
    """/live and /ready, which anybody may ask."""

    async def live(request: Request) -> Response:
        return PlainTextResponse("alive")

    async def ready(request: Request) -> Response:
        try:
            await check()
        except InsightsError as error:
            return JSONResponse({"ready": False, "reason": str(error)}, 503)
        return JSONResponse({"ready": True})

    return [Route("/live", live), Route("/ready", ready)]


async def show_metrics(request: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
