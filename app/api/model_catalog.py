"""GET /v1/models: what is served, in which versions, at which prices of the caller's plan."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter

from app.api.dependencies import Predictor, ServicesDep
from app.api.wire_plan import price_body
from app.bootstrap import Services
from app.inference.engine import ModelNotFound, ModelState, VersionState, VersionStatus
from app.inference.manifest import ClassesOutput, ImageInput, Manifest
from app.pricing.plan import PlanVersion

router = APIRouter(prefix="/v1", tags=["models"])


@router.get("/models")
def list_models(principal: Predictor, services: ServicesDep) -> dict[str, Any]:
    """List every model of the repository, ready or not, with its reason."""
    plan = services.plan_book.look_up(principal.account_id, services.clock.now())
    return {"data": [_model_body(state, plan) for state in services.engine.catalogue()], "next_cursor": None}


@router.get("/models/{model}")
def get_model(model: str, principal: Predictor, services: ServicesDep) -> dict[str, Any]:
    """Return one model."""
    plan = services.plan_book.look_up(principal.account_id, services.clock.now())
    return _model_body(_found(services, model), plan)


def _found(services: Services, model: str) -> ModelState:
    for state in services.engine.catalogue():
        if state.name == model:
            return state
    raise ModelNotFound(f"there is no model {model!r}", where="model", hint="GET /v1/models lists them")


def _model_body(state: ModelState, plan: PlanVersion | None) -> dict[str, Any]:
    versions = sorted(state.versions.values(), key=lambda version: version.number)
    return {
        "name": state.name,
        "status": _status_of(versions),
        "reason": state.reason or next((v.reason for v in versions if v.reason), None),
        **(_manifest_body(state.manifest) if state.manifest else {}),
        "versions": [{"version": v.number, "status": v.status, "reason": v.reason, "card": v.card} for v in versions],
        "currency": plan.currency if plan else None,
        "prices": [price_body(price) for price in plan.prices_for(state.name)] if plan else [],
    }


def _status_of(versions: Sequence[VersionState]) -> VersionStatus:
    """Return the best status of any version."""
    found = {version.status for version in versions}
    best = (VersionStatus.READY, VersionStatus.LOADING)
    return next((status for status in best if status in found), VersionStatus.UNAVAILABLE)


def _manifest_body(manifest: Manifest) -> dict[str, Any]:
    return {
        "title": manifest.title,
        "task": manifest.task,
        "description": manifest.description,
        "unit": manifest.unit,
        "default_version": manifest.default_version,
        "inputs_max": manifest.inputs_max,
        "input": _input_body(manifest),
        "output": _output_body(manifest),
    }


def _input_body(manifest: Manifest) -> dict[str, Any]:
    spec = manifest.input
    if isinstance(spec, ImageInput):
        return {
            "kind": "image",
            "formats": ["image/jpeg", "image/png", "image/webp"],
            "file_bytes_max": spec.file_bytes_max,
            "pixels_max": spec.pixels_max,
        }
    return {"kind": "tensor", "features": spec.features, "names": list(spec.names)}


def _output_body(manifest: Manifest) -> dict[str, Any]:
    spec = manifest.output
    fields = [{"name": field.name, "type": field.type} for field in spec.fields]
    if isinstance(spec, ClassesOutput):
        return {"kind": "classes", "classes": spec.classes, "top_k": spec.top_k, "fields": fields}
    return {"kind": "number", "name": spec.name, "fields": fields}
