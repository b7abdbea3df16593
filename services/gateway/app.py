"""The HTTP API, after LangSmith's as its official clients use it, under the three prefixes that they call."""

import asyncio

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from services.gateway import configs, forecasts, guided, job_runs, jobs, links, progress, projects, runs
from shared.bus import Publish
from shared.config import Settings
from shared.errors import InsightsError, RefusedError, UnavailableError
from shared.forecast import Forecast
from shared.health import Check, health_routes
from shared.llm import Llm
from shared.store import Store

PREFIXES = ("", "/api", "/api/v1")
ROUTERS = (
    projects.routes,
    runs.routes,
    guided.routes,
    configs.routes,  # before jobs: `configs` would be taken for a job's id
    forecasts.routes,
    jobs.routes,
    job_runs.routes,
    progress.routes,
)


def make_app(
    store: Store,
    publish: Publish,
    check: Check,
    settings: Settings | None = None,
    *,
    llm: Llm | None = None,
    forecast: Forecast | None = None,
) -> FastAPI:
    """`settings`: the defaults if there are none. Without `llm` drafts are by rules; without `forecast` no estimate."""
    app = FastAPI(title="Insights", docs_url=None, redoc_url=None)
    app.state.store, app.state.publish = store, publish
    app.state.settings, app.state.llm, app.state.forecast = settings or Settings(), llm, forecast
    app.state.watch, app.state.forecasting = progress.Watch(), asyncio.Semaphore(forecasts.AT_ONCE)
    app.state.ingesting = asyncio.Lock()
    app.add_exception_handler(InsightsError, _say)
    for prefix in PREFIXES:
        for routes in ROUTERS:
            app.include_router(routes, prefix=prefix)
    app.include_router(links.routes)
    app.router.routes.extend(health_routes(check))
    return app


async def _say(request: Request, error: Exception) -> JSONResponse:
    """An error of ours as HTTP: 400 for what the caller can mend, 503 for what is away."""
    away = isinstance(error, UnavailableError | RefusedError)
    return JSONResponse({"detail": str(error)}, 503 if away else 400)
