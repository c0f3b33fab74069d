"""All pages."""

from fastapi import APIRouter

from app.portal import (
    account_page,
    audit_log_page,
    confirm_email_page,
    identity_page,
    invoices_page,
    keys_page,
    landing,
    login_page,
    members_page,
    open_id_page,
    operator_account,
    operator_accounts,
    operator_audit_log,
    operator_economics,
    operator_invoice_runs,
    operator_mail,
    operator_models,
    operator_plans,
    overview_page,
    password_page,
    preferences_page,
    profile_page,
    sign_up_page,
    usage_page,
)
from app.portal.playground import pages as playground_pages
from app.portal.playground import welcome
from app.portal.reference import page as reference_page

_PLAYGROUND = (welcome, playground_pages, reference_page)
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
_ROOMS_OF_PEOPLE = (
    login_page,
    open_id_page,
    sign_up_page,
    password_page,
    confirm_email_page,
    profile_page,
    identity_page,
    members_page,
    account_page,
    audit_log_page,
)
_ROOMS_OF_MONEY = (overview_page, keys_page, usage_page, invoices_page)

pages = APIRouter()
for module in (landing, preferences_page, *_PLAYGROUND, *_ROOMS_OF_MONEY, *_ROOMS_OF_PEOPLE, *_OPERATOR_ROOMS):
    pages.include_router(module.router)
