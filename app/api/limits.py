"""/v1/keys/…/limits: how many requests, units and calls at once a key may have."""

from fastapi import APIRouter

from app.api.claimed_route import ClaimedRoute
from app.api.dependencies import ActingKey, KeysWriter, ServicesDep
from app.api.described_problems import LIMITS_LOOSENED, problems
from app.api.key_fields import LimitsFields
from app.api.wire_limits import LimitsBody, limits_body, refuse_looser

router = APIRouter(prefix="/v1/keys/{key_id}/limits", tags=["keys"], route_class=ClaimedRoute)


@router.get("")
def get_limits(key_id: str, principal: KeysWriter, services: ServicesDep) -> LimitsFields:
    """Return the limits of a key, which it shares with its successors."""
    return limits_body(services.limits.of_key(principal.account_id, key_id))


@router.put("", responses=problems(LIMITS_LOOSENED))
def set_limits(
    key_id: str, body: LimitsBody, principal: KeysWriter, key: ActingKey, services: ServicesDep
) -> LimitsFields:
    """Set all limits of a key. A key that has limits itself may give no higher ones."""
    limits = body.limits()
    refuse_looser(principal, limits)
    services.limits.set_of_key(principal.account_id, key_id, limits, by=key)
    return limits_body(limits)
