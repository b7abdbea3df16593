"""What a client asks first: how it may send runs. Public, as LangSmith's is."""

from typing import Any

from fastapi import APIRouter

VERSION = "0.18.0"  # of LangSmith's API: clients warn about, and do without, what an older one lacks

routes = APIRouter()


@routes.get("/info")
async def read_info() -> dict[str, Any]:
    """Clients stop for ever if one of the six settings of batches is missing."""
    return {
        "version": VERSION,
        "batch_ingest_config": {
            "use_multipart_endpoint": True,
            "scale_up_qsize_trigger": 1_000,
            "scale_up_nthreads_limit": 16,
            "scale_down_nempty_trigger": 4,
            "size_limit": 100,
            "size_limit_bytes": 20_971_520,
        },
        "instance_flags": {"zstd_compression_enabled": True},
    }
