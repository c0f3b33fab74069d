"""The use cases of plans: publish a version, put an account on a plan, ask what is in effect."""

import builtins
from collections.abc import Callable
from datetime import datetime

from app.accounts.account import Account
from app.accounts.store import lock_account, record_change
from app.audit_log.actor import INSTALLATION, Actor
from app.audit_log.store import record
from app.clock import Clock
from app.database import Database, Session
from app.errors import Conflict, Invalid, NotFound
from app.pricing import store
from app.pricing.plan import PlanAssignment, PlanDraft, PlanVersion
from app.pricing.plan_change import prepare_account, prepare_accounts
from app.pricing.plan_document import write_document
from app.pricing.plan_file import parse_plan


class PlanNotFound(NotFound):
    """No plan of that key was ever published."""

    code = "plan_not_found"


class CurrencyMismatch(Conflict):
    """A plan has one currency for good, and an account takes plans of its own currency only."""

    code = "currency_mismatch"


class PlanStartsInPast(Invalid):
    """Usage in the past is pinned to the plan that was in effect."""

    code = "plan_starts_in_past"


class Plans:
    """What things cost, and for whom."""

    def __init__(
        self, database: Database, clock: Clock, check_models: Callable[[PlanDraft], None] | None = None
    ) -> None:
        """`check_models` refuses a draft that the models of this installation cannot be sold by."""
        self._database = database
        self._clock = clock
        self._check_models = check_models

    def publish(self, toml_text: str, *, by: Actor = INSTALLATION) -> PlanVersion:
        """Freeze a plan file as the plan's next version, in effect from now on for every account on the plan.

        Content equal to the newest version publishes nothing and returns that version. Raises Invalid for a mistake in
        the file, PriceUnanswerable for a condition that a model here cannot answer, CurrencyMismatch where the plan has
        another currency already, and PlanUnboundedUnderBudget.
        """
        draft = parse_plan(toml_text)
        if self._check_models:
            self._check_models(draft)
        with self._database.transaction() as session:
            currency = store.lock_plan(session, draft.key, draft.currency, self._clock.now())
            if currency != draft.currency:
                raise CurrencyMismatch(
                    f"plan {draft.key} is in {currency}, not {draft.currency}",
                    where="currency",
                    hint="publish it under another key",
                )
            newest = store.newest_version(session, draft.key)
            if newest and write_document(newest.content) == write_document(draft):
                return newest
            # The clock of this host may be behind the one that published last; versions never go back in time.
            published_at = max(self._clock.now(), newest.published_at) if newest else self._clock.now()
            prepare_accounts(session, draft, self._clock.now())
            record_change(session)
            number = newest.version + 1 if newest else 1
            version = store.insert_version(session, draft, version=number, published_at=published_at)
            _record_publication(session, version, by=by)
            return version

    def list(self) -> builtins.list[PlanVersion]:
        """Return the newest version of every plan, by key."""
        with self._database.reading() as session:
            return store.newest_versions(session)

    def newest(self, plan_key: str) -> PlanVersion:
        """Return the newest version of a plan. Raises PlanNotFound."""
        with self._database.reading() as session:
            return _known(store.newest_version(session, plan_key), plan_key)

    def versions(self, plan_key: str) -> builtins.list[PlanVersion]:
        """Return every version of a plan, the newest first. Raises PlanNotFound."""
        with self._database.reading() as session:
            found = store.versions_of_plan(session, plan_key)
        return [_known(found[0] if found else None, plan_key), *found[1:]]

    def priced_models(self) -> set[str]:
        """Return the models that any version of any plan has ever priced by name."""
        with self._database.reading() as session:
            return store.priced_models(session)

    def assign(
        self, account_id: str, plan_key: str, starts_at: datetime | None = None, *, by: Actor = INSTALLATION
    ) -> PlanAssignment:
        """Put an account on a plan, from now or from a later instant on; the last word for one instant counts.

        Raises NotFound, PlanNotFound, CurrencyMismatch, PlanStartsInPast, PlanUnboundedUnderBudget.
        """
        with self._database.transaction() as session:
            store.share_plan(session, plan_key)  # before the account, as publishers lock them
            account = lock_account(session, account_id)
            now = self._clock.now()
            return put_on_plan(session, account, plan_key, starts_at=_checked_start(starts_at, now), now=now, by=by)

    def in_effect(self, account_id: str, instant: datetime) -> PlanVersion | None:
        """Return the plan version that prices the account's calls at that instant, None where it has no plan."""
        with self._database.reading() as session:
            return store.plan_in_effect(session, account_id, instant)

    def to_come(self, account_id: str) -> builtins.list[PlanAssignment]:
        """Return the plans that the account will be put on, the earliest first."""
        with self._database.reading() as session:
            return store.assignments_behind(session, account_id, self._clock.now())


def put_on_plan(
    session: Session, account: Account, plan_key: str, *, starts_at: datetime, now: datetime, by: Actor
) -> PlanAssignment:
    """Put an account on a plan in the caller's transaction, which holds the account's lock.

    Raises PlanNotFound, CurrencyMismatch, PlanUnboundedUnderBudget.
    """
    store.share_plan(session, plan_key)
    newest = _known(store.newest_version(session, plan_key), plan_key)
    if newest.currency != account.currency:
        raise CurrencyMismatch(
            f"plan {plan_key} is in {newest.currency}, account {account.id} in {account.currency}",
            where="plan",
            hint="choose a plan in the account's currency",
        )
    assignment = PlanAssignment(account.id, plan_key, starts_at)
    current = store.plan_in_effect(session, account.id, starts_at)
    if current is None or current.plan_key != plan_key:
        prepare_account(session, account.id, newest)
        store.insert_assignment(session, assignment, now)
        record_change(session)
        _record_assignment(session, assignment, by=by, at=now, before=current.plan_key if current else "")
    return assignment


def _record_publication(session: Session, version: PlanVersion, *, by: Actor) -> None:
    record(
        session,
        by=by,
        at=version.published_at,
        action="plan.published",
        target=version.id,
        plan=version.plan_key,
        version=str(version.version),
    )


def _record_assignment(session: Session, assignment: PlanAssignment, *, by: Actor, at: datetime, before: str) -> None:
    record(
        session,
        by=by,
        at=at,
        action="plan.assigned",
        target=assignment.account_id,
        account_id=assignment.account_id,
        plan=assignment.plan_key,
        before=before,
        starts_at=assignment.starts_at.isoformat(),
    )


def _known(version: PlanVersion | None, plan_key: str) -> PlanVersion:
    if version is None:
        raise PlanNotFound(
            f"there is no plan {plan_key!r}", where="plan", hint="publish one: faremeter plan publish FILE.toml"
        )
    return version


def _checked_start(starts_at: datetime | None, now: datetime) -> datetime:
    if starts_at is None:
        return now
    if starts_at.tzinfo is None or starts_at < now:
        raise PlanStartsInPast(
            "a plan starts now or later: usage in the past is pinned to the plan that was in effect",
            where="starts_at",
            hint="leave it out, or write an instant to come with its zone, such as 2027-01-01T00:00:00Z",
        )
    return starts_at
