"""/v1/admin/audit: whether the books agree with each other."""

from typing import Any

from fastapi import APIRouter

from app.api.dependencies import Operator, ServicesDep
from app.self_audit.audit_table import audit_facts

router = APIRouter(prefix="/v1/admin", tags=["admin"])


@router.get("/audit")
def get_audit(_operator: Operator, services: ServicesDep) -> dict[str, Any]:
    """Compare everything that the books keep twice, now: how much was compared, and the first differences."""
    return audit_facts(services.self_audit.run())
