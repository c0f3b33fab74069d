"""A started application over ASGI, with what a test needs to be its customer, its operator and its auditor."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import func, select

from app.accounts.account import DEFAULT_SCOPES, Scope
from app.accounts.service import EmailTaken
from app.accounts.store import end_key, record_change
from app.bootstrap import Services
from app.charging.tables import ClaimRow
from app.clock import FrozenClock
from app.metering.tables import BatchRow, UsageEventRow, UsageRollupRow
from app.metering.usage_event import UsageEvent
from app.period import Period
from app.pricing.open_account import open_account

OPERATOR = ("operator@example.test", "a long enough password")
ALL_SCOPES = DEFAULT_SCOPES | {Scope.KEYS_WRITE}
ROW = [0.5, 0, 0, 0, 0, 0, 0, 0, 0, 1]
ROW_ANSWER = {"progression": 161.0}

PLANS = """
key = "payg"
currency = "USD"
billing = "postpaid"
base_fee = "0"
[[price]]
model = "linear"
meter = "units"
scheme = "per_unit"
unit_price = "0.00001"
[[price]]
model = "vgg16-digits"
meter = "units"
scheme = "per_unit"
unit_price = "0.0005"
[[price]]
model = "vgg16"
meter = "units"
scheme = "per_unit"
unit_price = "0.002"
[[price]]
model = "moody"
meter = "requests"
scheme = "per_unit"
unit_price = "0.25"
=====
key = "tiered"
currency = "USD"
billing = "postpaid"
base_fee = "9"
[[price]]
model = "linear"
meter = "units"
scheme = "graduated"
[[price.tier]]
up_to = 10
unit_price = "0.001"
[[price.tier]]
unit_price = "0.0005"
=====
key = "digits-only"
currency = "USD"
billing = "postpaid"
base_fee = "0"
[[price]]
model = "vgg16-digits"
meter = "units"
scheme = "per_unit"
unit_price = "0"
"""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer: an account and one key of it."""

    account_id: str
    key_id: str
    secret: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"}


@dataclass(frozen=True, slots=True)
class Traces:
    """How many rows the books hold of an account, and how many batches ran in all."""

    events: int
    rollups: int
    claims: int
    batches: int


@dataclass
class Installation:
    """One application inside its lifespan; every test makes the accounts that it needs."""

    app: FastAPI
    http: httpx.AsyncClient
    clock: FrozenClock
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def services(self) -> Services:
        services: Services = self.app.state.services
        return services

    def tenant(self, plan: str | None = "payg", **key: Any) -> Tenant:
        """Open an account on a plan with one key; `key` goes to `create_key`."""
        services = self.services
        account = open_account(
            services.database,
            services.clock,
            f"Tenant {next(self.numbers)}",
            currency="USD",
            zone="UTC",
            anchor_day=1,
            plan_key=plan,
        )
        return self.another_key(account.id, **key)

    def another_key(self, account_id: str, **key: Any) -> Tenant:
        new = self.services.accounts.create_key(account_id, **{"scopes": ALL_SCOPES, **key})
        return Tenant(account_id, new.key.id, new.secret)

    def admin(self) -> Tenant:
        """Return an account with an operator's `admin` key."""
        return self.tenant(scopes=frozenset({Scope.ADMIN}), operator_email=OPERATOR[0])

    def customer(self) -> None:
        """Let there be a user who is no operator, with the operator's password."""
        with contextlib.suppress(EmailTaken):
            self.services.accounts.create_user("customer@example.test", OPERATOR[1], operator=False)

    def forget_wrong_passwords(self) -> None:
        """Begin a new minute for whoever guesses passwords."""
        self.services.sign_in._failures.storage.reset()

    async def predict(self, tenant: Tenant, inputs: Any = (ROW,), *, model: str = "linear", **headers: str) -> Any:
        """Send rows as JSON; header names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(
            f"/v1/models/{model}/predict", json={"inputs": list(inputs)}, headers=tenant.headers | named
        )

    async def settled(self) -> None:
        """Return once everything that was noted or released before this call is in the database.

        Both queues are served in order, so that they have come to the end once a call's claim and record are written.
        """
        probe = self.tenant()
        answer = await self.predict(probe, Idempotency_Key="probe")
        assert answer.status_code == 200

    def traces(self, account_id: str) -> Traces:
        """Count what the account has left behind."""
        with self.services.database.reading() as session:
            events, rollups, claims = (
                session.scalar(select(func.count()).select_from(table).where(table.account_id == account_id)) or 0
                for table in (UsageEventRow, UsageRollupRow, ClaimRow)
            )
            batches = session.scalar(select(func.count()).select_from(BatchRow)) or 0
        return Traces(events, rollups, claims, batches)

    def events(self, account_id: str) -> list[UsageEvent]:
        """Return the account's events of a year around now."""
        now = self.clock.now()
        year = Period(now - timedelta(days=182), now + timedelta(days=182))
        return [recorded.event for recorded in self.services.metering.every_event(account_id, year)]

    def claim_holder(self, account_id: str) -> str | None:
        """Return the lease of the process that holds the account's one claim."""
        with self.services.database.reading() as session:
            return session.scalar(select(ClaimRow.lease_id).where(ClaimRow.account_id == account_id))

    def waiting(self, model: str) -> int:
        """Return how many inputs wait for a model's version 1."""
        engine: Any = self.services.engine
        _, lane = engine._lanes[model, 1]
        waiting: int = lane.queue.waiting_items
        return waiting

    def poll_changes(self) -> None:
        """Do now what the change watch does every 250 ms."""
        changes = self.services.changes
        changes.notice(changes._latest())

    def expire_key(self, tenant: Tenant) -> None:
        """Let the key expire now; the clock that all tests share stands still."""
        with self.services.database.transaction() as session:
            end_key(session, tenant.key_id, expires_at=self.clock.now(), revoked_at=None)
            record_change(session)
        self.poll_changes()


def prepare(services: Services) -> None:
    """Publish the plans and make the operator."""
    for toml in PLANS.split("====="):
        services.plans.publish(toml)
    services.accounts.create_user(*OPERATOR, operator=True)


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop turn until the condition holds; a test that hangs here ends by its time-out."""
    while not condition():  # noqa: ASYNC110 - the program under test has no event for it
        await asyncio.sleep(0)


def json_of(response: httpx.Response) -> Any:
    """Return the body of a success."""
    assert response.is_success, response.text
    return response.json()
