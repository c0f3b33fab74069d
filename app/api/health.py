"""/livez, /readyz, /metrics: for orchestrators and Prometheus; no key needed, nothing about customers told."""

from typing import Any

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from app.api.dependencies import ServicesDep
from app.exposition import metrics_text
from app.inference.engine import VersionStatus

router = APIRouter(tags=["operations"])


@router.get("/livez")
async def livez() -> dict[str, Any]:
    """Tell that the process answers; on the event loop, so that no busy thread pool can say otherwise."""
    return {"live": True}


@router.get("/readyz")
def readyz(services: ServicesDep) -> dict[str, Any]:
    """Tell that calls are welcome, and how many model versions are ready. 503 without database, and when draining."""
    services.drain.refuse()
    services.database.check()
    versions = [version for state in services.engine.catalogue() for version in state.versions.values()]
    ready = sum(version.status is VersionStatus.READY for version in versions)
    return {"ready": True, "versions_ready": ready, "versions": len(versions)}


@router.get("/metrics", response_class=Response)
def metrics() -> Response:
    """Return the metrics of all serving processes of this command, in Prometheus' text format."""
    return Response(metrics_text(), media_type=CONTENT_TYPE_LATEST)
