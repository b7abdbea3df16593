"""The HTTP API, after LangSmith's as its official clients use it, under the three prefixes that they call."""

import asyncio

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from services.gateway import (
    attachments,
    configs,
    counting,
    feedback,
    forecasts,
    guided,
    info,
    job_runs,
    jobs,
    keys,
    links,
    otel,
    progress,
    projects,
    queries,
    runs,
    secrets,
    v2,
)  # fmt: skip
from services.gateway.access import Gate, Reader
from services.gateway.document import Documented
from services.gateway.headers import SecureHeaders
from services.gateway.limits import Limits
from services.gateway.room import Room
from shared.addresses import Guard
from shared.bus import Publish
from shared.clients import Clients
from shared.config import Settings
from shared.errors import InsightsError, RefusedError, UnavailableError
from shared.forecast import Forecast
from shared.health import Check, show_metrics, state_routes
from shared.llm import Prices
from shared.store import Store
from shared.vault import Vault

VERSION = "1"  # of this API: a client that works with it works with every later 1
PREFIXES = ("", "/api", "/api/v1")
ROUTERS = (
    *(info.routes, projects.routes, runs.routes, otel.routes, attachments.routes, feedback.routes, queries.routes),
    *(guided.routes, configs.routes),  # before jobs: `configs` would be taken for a job's id
    *(counting.routes, forecasts.routes, jobs.routes, job_runs.routes, progress.routes),
    *(secrets.routes, keys.routes),
)


def make_app(
    store: Store,
    publish: Publish,
    check: Check,
    settings: Settings | None = None,
    *,
    vault: Vault | None = None,
    prices: Prices | None = None,
    clients: Clients | None = None,
    forecast: Forecast | None = None,
) -> FastAPI:
    """`settings`: the defaults if there are none. Without a `vault` no secret can be stored, without `clients` drafts
    are by rules, without `forecast` there is no estimate.

    `prices` are those that runs are reckoned with, unless their clients say what they cost.
    """
    settings = settings or Settings()
    servers = [{"url": prefix or "/"} for prefix in PREFIXES]
    app = Documented(title="Insights", version=VERSION, servers=servers, docs_url=None, redoc_url=None)
    app.state.store, app.state.publish, app.state.vault = store, publish, vault
    app.state.gate, app.state.guard = Gate(store, settings), Guard(settings.private_hosts)
    app.state.prices, app.state.room = prices, Room(settings.ingest_bytes)
    app.state.settings, app.state.clients, app.state.forecast = settings, clients, forecast
    app.state.watch, app.state.forecasting = progress.Watch(), asyncio.Semaphore(forecasts.AT_ONCE)
    app.add_exception_handler(InsightsError, _say)
    app.add_exception_handler(ClientDisconnect, _nothing)
    for prefix in PREFIXES:
        for routes in ROUTERS:
            app.include_router(routes, prefix=prefix, include_in_schema=not prefix)
    app.include_router(v2.routes, prefix="/api/v2")
    app.include_router(links.routes)
    app.router.routes.extend(state_routes(check))
    app.get("/metrics")(_metrics)
    _protect(app, settings)
    return app


def _protect(app: FastAPI, settings: Settings) -> None:
    app.add_middleware(Limits, size=settings.request_bytes, seconds=settings.request_seconds)
    if settings.cors_origins:
        sent = ["x-api-key", "authorization", "content-type", "content-encoding", "idempotency-key"]
        app.add_middleware(CORSMiddleware, allow_origins=settings.cors_origins, allow_methods=["*"], allow_headers=sent)
    app.add_middleware(SecureHeaders)


async def _metrics(request: Request, caller: Reader) -> Response:
    return await show_metrics(request)


async def _say(request: Request, error: Exception) -> JSONResponse:
    """An error of ours as HTTP: 400 for what the caller can mend, 503 for what is away."""
    away = isinstance(error, UnavailableError | RefusedError)
    return JSONResponse({"detail": str(error)}, 503 if away else 400)


async def _nothing(request: Request, error: Exception) -> Response:
    """To a client that has gone while it was sending."""
    return Response(status_code=400)
