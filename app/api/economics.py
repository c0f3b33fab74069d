"""/v1/admin/economics: what each model earned and what the hardware cost."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from app.api.dependencies import Operator, ServicesDep
from app.economics.margin_table import margin_facts
from app.period import Month

router = APIRouter(prefix="/v1/admin", tags=["admin"])
MonthText = Annotated[str | None, Query(description="a UTC month, such as 2026-11; default: this one")]


@router.get("/economics")
def get_margins(_operator: Operator, services: ServicesDep, month: MonthText = None) -> dict[str, Any]:
    """Return a month up to now: earned, cost, idle, margin and break-even calls a day, one line a model."""
    return margin_facts(services.margins.report(Month.parse(month) if month is not None else None))
