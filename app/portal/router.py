"""All pages."""

from fastapi import APIRouter

from app.portal import (
    landing,
    operator_account,
    operator_accounts,
    operator_audit_log,
    operator_economics,
    operator_invoice_runs,
    operator_mail,
    operator_models,
    operator_plans,
    preferences_page,
    usage_page,
)

_OPERATOR_ROOMS = (
    operator_economics,
    operator_accounts,
    operator_account,
    operator_plans,
    operator_invoice_runs,
    operator_models,
    operator_mail,
    operator_audit_log,
)

pages = APIRouter()
for module in (landing, preferences_page, usage_page, *_OPERATOR_ROOMS):
    pages.include_router(module.router)
