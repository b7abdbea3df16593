"""The HTTP API, after LangSmith's as its official clients use it, under the three prefixes that they call."""

import asyncio

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from services.gateway import counting, jobs, projects, queries, runs
from shared.bus import Publish
from shared.errors import InsightsError, RefusedError, UnavailableError
from shared.health import Check, health_routes
from shared.store import Store

PREFIXES = ("", "/api", "/api/v1")
ROUTERS = (projects.routes, runs.routes, queries.routes, counting.routes, jobs.routes)


def make_app(store: Store, publish: Publish, check: Check) -> FastAPI:
    app = FastAPI(title="Insights", docs_url=None, redoc_url=None)
    app.state.store, app.state.publish = store, publish
    app.state.ingesting = asyncio.Lock()
    app.add_exception_handler(InsightsError, _say)
    for prefix in PREFIXES:
        for routes in ROUTERS:
            app.include_router(routes, prefix=prefix)
    app.router.routes.extend(health_routes(check))
    return app


async def _say(request: Request, error: Exception) -> JSONResponse:
    """An error of ours as HTTP: 400 for what the caller can mend, 503 for what is away."""
    away = isinstance(error, UnavailableError | RefusedError)
    return JSONResponse({"detail": str(error)}, 503 if away else 400)
