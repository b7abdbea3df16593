"""The HTTP API, after LangSmith's as its official clients use it, under the three prefixes that they call."""

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from services.gateway import attachments, counting, info, jobs, projects, queries, runs, v2
from services.gateway.room import Room
from shared.bus import Publish
from shared.config import Settings
from shared.errors import InsightsError, RefusedError, UnavailableError
from shared.health import Check, health_routes
from shared.llm import Prices
from shared.store import Store

PREFIXES = ("", "/api", "/api/v1")
ROUTERS = (
    *(info.routes, projects.routes, runs.routes, attachments.routes, queries.routes),
    *(counting.routes, jobs.routes),
)


def make_app(
    store: Store, publish: Publish, check: Check, *, settings: Settings | None = None, prices: Prices | None = None
) -> FastAPI:
    """`prices` are those that runs are reckoned with, unless their clients say what they cost."""
    settings = settings or Settings()
    app = FastAPI(title="Insights", docs_url=None, redoc_url=None)
    app.state.store, app.state.publish = store, publish
    app.state.prices, app.state.room = prices, Room(settings.ingest_bytes)
    app.add_exception_handler(InsightsError, _say)
    app.add_exception_handler(ClientDisconnect, _nothing)
    for prefix in PREFIXES:
        for routes in ROUTERS:
            app.include_router(routes, prefix=prefix)
    app.include_router(v2.routes, prefix="/api/v2")
    app.router.routes.extend(health_routes(check))
    return app


async def _say(request: Request, error: Exception) -> JSONResponse:
    """An error of ours as HTTP: 400 for what the caller can mend, 503 for what is away."""
    away = isinstance(error, UnavailableError | RefusedError)
    return JSONResponse({"detail": str(error)}, 503 if away else 400)


async def _nothing(request: Request, error: Exception) -> Response:
    """To a client that has gone while it was sending."""
    return Response(status_code=400)
