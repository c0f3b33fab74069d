"""Admission: everything that can refuse a call before it costs anything."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from app.accounts.account import Principal, Scope
from app.charging.hold import HoldRequest
from app.charging.limits.limiter import Limiter
from app.charging.limits.permit import Permit
from app.clock import Clock
from app.errors import AppError, Forbidden, Kind
from app.ids import new_id
from app.inference.engine import Engine, ServedVersion
from app.inference.inputs import ModelInput
from app.pricing.plan import PlanVersion, Price
from app.pricing.plan_book import PlanBook
from app.rating.bound import most_of_call
from app.serving.call import Call
from app.serving.payload import model_input_of
from app.serving.results import require_answers


class NoPlan(AppError):
    """The account has no plan, so nothing has a price for it."""

    kind = Kind.PAYMENT_REQUIRED
    code = "no_plan"


class ModelNotInPlan(Forbidden):
    """The account's plan does not sell this model; free is an explicit zero."""

    code = "model_not_in_plan"


@dataclass(frozen=True, slots=True)
class Admission:
    """An admitted call: who, what, when, at which prices. `event_id` is also the id of the answer.

    Whoever has it ends its `permit`, however the call ends.
    """

    event_id: str
    occurred_at: datetime
    principal: Principal
    served: ServedVersion
    plan_version: PlanVersion
    prices: tuple[Price, ...]
    model_input: ModelInput
    permit: Permit

    @property
    def hold_request(self) -> HoldRequest:
        """What the call may use at most, as the gate asks for it."""
        return HoldRequest(
            event_id=self.event_id,
            account_id=self.principal.account_id,
            key_id=self.principal.budget_key_id,
            live=self.principal.live,
            plan_version=self.plan_version,
            model=self.served.model,
            occurred_at=self.occurred_at,
            most=most_of_call(self.prices, self.model_input.items),
        )


def authorize(principal: Principal, call: Call) -> None:
    """Raise ScopeMissing or ModelNotAllowed where the key may not make this call, nor see an earlier one's answer."""
    principal.require(Scope.PREDICT)
    principal.require_model(call.model)


class Admitter:
    """Decides whether a call may run."""

    def __init__(self, engine: Engine, plans: PlanBook, limiter: Limiter, clock: Clock) -> None:
        self._engine = engine
        self._plans = plans
        self._limiter = limiter
        self._clock = clock

    async def admit(self, principal: Principal, call: Call) -> Admission:
        """Return the admitted call, its images decoded.

        Raises ModelNotFound, VersionNotFound, ModelUnavailable, NoPlan, ModelNotInPlan, PriceUnanswerable,
        InputInvalid, PayloadUnsupported, RateLimited, ConcurrencyLimited, Overloaded: nothing has run, nothing is
        charged, and nothing counts against a limit.
        """
        occurred_at = self._clock.now()
        served = self._engine.resolve(call.model, call.version)
        plan_version = await self._plan_of(principal.account_id, occurred_at)
        prices = _prices_of(plan_version, call.model)
        require_answers(prices, served.manifest)
        measured = model_input_of(call.payload, served.manifest)
        permit = call.limits.permit = await self._limiter.take(principal, call.model, measured.items)
        try:
            model_input = await self._engine.prepare(served, measured)
        except BaseException:
            permit.give_back()
            permit.end()
            raise
        event_id = new_id("evt", occurred_at)
        return Admission(event_id, occurred_at, principal, served, plan_version, prices, model_input, permit)

    async def _plan_of(self, account_id: str, instant: datetime) -> PlanVersion:
        known = self._plans.known(account_id, instant)
        plan = known[0] if known else await asyncio.to_thread(self._plans.look_up, account_id, instant)
        if plan is None:
            raise NoPlan("this account has no plan", hint="ask the operator to assign one")
        return plan


def _prices_of(plan_version: PlanVersion, model: str) -> tuple[Price, ...]:
    prices = plan_version.prices_for(model)
    if not prices:
        raise ModelNotInPlan(
            f"the plan {plan_version.plan_key} has no price for {model}",
            hint="GET /v1/plan lists what it sells; ask the operator for another plan",
        )
    return prices
