"""All pages."""

from fastapi import APIRouter

from app.portal.money import balance, budgets, invoices, key_bounds, keys, overview, usage
from app.portal.operator import account, accounts, audit, bounds, credit, economics, invoice_runs, mail, models, plans
from app.portal.operator import audit_log as whole_audit_log
from app.portal.people import (
    audit_log,
    confirm_email,
    identity,
    login,
    members,
    open_id,
    password,
    profile,
    settings,
    sign_up,
)
from app.portal.playground import pages as playground
from app.portal.playground import welcome
from app.portal.reference import page as reference
from app.portal.site import landing, preferences

_SITE = (landing, preferences, reference)
_PEOPLE = (login, open_id, sign_up, password, confirm_email, profile, identity, members, settings, audit_log)
_MONEY = (overview, keys, key_bounds, usage, budgets, balance, invoices)
_OPERATOR = (
    economics,
    accounts,
    account,
    credit,
    bounds,
    plans,
    invoice_runs,
    models,
    mail,
    audit,
    whole_audit_log,
)

pages = APIRouter()
for room in (*_SITE, welcome, playground, *_MONEY, *_PEOPLE, *_OPERATOR):
    pages.include_router(room.router)
