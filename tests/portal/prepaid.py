"""People whose account is prepaid: each call with one row takes 0.01 USD of its credit."""

from app.members.role import Role
from app.money import parse_nanos
from tests.api.installation import Installation
from tests.portal import visitors

_PLAN = """
key = "prepaid-on-pages"
currency = "USD"
billing = "prepaid"
base_fee = "0"
[[price]]
model = "linear"
meter = "units"
scheme = "per_unit"
unit_price = "0.01"
"""


def prepaid_member(portal: Installation, credit: str = "", role: Role = Role.OWNER) -> visitors.Member:
    """Return a member of a new prepaid account with that much credit."""
    plans = portal.services.plans
    if "prepaid-on-pages" not in {plan.plan_key for plan in plans.list()}:
        plans.publish(_PLAN)
    person = visitors.member(portal, role, visitors.account(portal, plan="prepaid-on-pages"))
    if credit:
        portal.services.credits.grant(person.account_id, amount_nanos=parse_nanos(credit), note="Order 17")
    return person
