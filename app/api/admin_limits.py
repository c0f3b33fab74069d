"""/v1/admin/…/limits: how many requests, units and calls at once an account, its keys or a model may have."""

from fastapi import APIRouter

from app.api.claimed_route import ClaimedRoute
from app.api.dependencies import Operator, ServicesDep
from app.api.described_problems import LIMIT_OF_NO_MODEL, problems
from app.api.fields import ModelName
from app.api.key_fields import LimitsFields
from app.api.wire_limits import LimitsBody, limits_body

router = APIRouter(prefix="/v1/admin", tags=["admin"], route_class=ClaimedRoute)
_OF_ACCOUNT = "/accounts/{account_id}/limits"
_OF_KEY = "/accounts/{account_id}/keys/{key_id}/limits"
_OF_MODEL = "/models/{model}/limits"


@router.get(_OF_ACCOUNT)
def get_account_limits(account_id: str, _operator: Operator, services: ServicesDep) -> LimitsFields:
    """Return what all keys of an account have in common."""
    return limits_body(services.limits.of_account(account_id))


@router.put(_OF_ACCOUNT)
def set_account_limits(account_id: str, body: LimitsBody, operator: Operator, services: ServicesDep) -> LimitsFields:
    """Set what all keys of an account have in common."""
    limits = body.limits()
    services.limits.set_of_account(account_id, limits, by=operator)
    return limits_body(limits)


@router.get(_OF_KEY)
def get_key_limits(account_id: str, key_id: str, _operator: Operator, services: ServicesDep) -> LimitsFields:
    """Return the limits of an account's key."""
    return limits_body(services.limits.of_key(account_id, key_id))


@router.put(_OF_KEY)
def set_key_limits(
    account_id: str, key_id: str, body: LimitsBody, operator: Operator, services: ServicesDep
) -> LimitsFields:
    """Set the limits of an account's key."""
    limits = body.limits()
    services.limits.set_of_key(account_id, key_id, limits, by=operator)
    return limits_body(limits)


@router.get(_OF_MODEL)
def get_model_limits(model: ModelName, _operator: Operator, services: ServicesDep) -> LimitsFields:
    """Return what all who call a model have in common."""
    return limits_body(services.limits.of_model(model))


@router.put(_OF_MODEL, responses=problems(LIMIT_OF_NO_MODEL))
def set_model_limits(model: ModelName, body: LimitsBody, operator: Operator, services: ServicesDep) -> LimitsFields:
    """Set what all who call a model have in common, whether it is served today or not."""
    limits = body.limits()
    services.limits.set_of_model(model, limits, by=operator)
    return limits_body(limits)
