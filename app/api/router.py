"""All routes of the REST interface."""

from fastapi import APIRouter

from app.api import (
    admin,
    admin_balance,
    admin_budgets,
    admin_credits,
    admin_key_budgets,
    admin_keys,
    admin_limits,
    audit_log,
    billing,
    budgets,
    credit,
    economics,
    health,
    keys,
    limits,
    model_catalog,
    predict,
    self_audit,
    usage,
)
from app.api.problem import PROBLEM_RESPONSES

# Each router names its whole prefix, so that a route's own path is the one that logs and metrics show.
api = APIRouter(responses=PROBLEM_RESPONSES)
for module in (
    predict,
    model_catalog,
    keys,
    limits,
    usage,
    billing,
    credit,
    budgets,
    admin,
    admin_keys,
    admin_balance,
    admin_credits,
    admin_budgets,
    admin_key_budgets,
    admin_limits,
    audit_log,
    self_audit,
    economics,
    health,
):
    api.include_router(module.router)
