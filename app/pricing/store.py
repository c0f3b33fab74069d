"""All SQL of plans, plan versions and assignments."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, exists, func, not_, or_, select
from sqlalchemy.orm import Session, aliased

from app.accounts.budget import Measure
from app.accounts.tables import BudgetRow
from app.database import insert_into
from app.ids import new_id
from app.period import Period
from app.pricing.plan import EVERY_MODEL, PlanAssignment, PlanDraft, PlanSegment, PlanVersion
from app.pricing.plan_document import digest_of, read_document, write_document
from app.pricing.plan_timeline import segments_of
from app.pricing.tables import PlanAssignmentRow, PlanRow, PlanVersionRow


def lock_plan(session: Session, key: str, currency: str, now: datetime) -> str:
    """Make the plan where it is new, lock its row against other publishers, and return the plan's currency."""
    values = {"id": new_id("pln", now), "key": key, "currency": currency, "created_at": now}
    session.execute(insert_into(session, PlanRow).values(values).on_conflict_do_nothing(index_elements=["key"]))
    return session.scalars(select(PlanRow.currency).where(PlanRow.key == key).with_for_update()).one()


def share_plan(session: Session, key: str) -> None:
    """Keep publishers of the plan waiting: its newest version stays the newest, and its accounts stay countable."""
    session.execute(select(PlanRow.id).where(PlanRow.key == key).with_for_update(read=True)).all()


def insert_version(session: Session, draft: PlanDraft, *, version: int, published_at: datetime) -> PlanVersion:
    """Freeze a draft as the plan's next version."""
    document = write_document(draft)
    row = PlanVersionRow(
        id=new_id("plv", published_at),
        plan_id=session.scalars(select(PlanRow.id).where(PlanRow.key == draft.key)).one(),
        version=version,
        document=document,
        sha256=digest_of(document),
        published_at=published_at,
    )
    session.add(row)
    session.flush()
    return _version_of(row)


def newest_version(session: Session, plan_key: str) -> PlanVersion | None:
    row = session.scalar(_versions_of(plan_key).order_by(PlanVersionRow.version.desc()).limit(1))
    return _version_of(row) if row else None


def newest_versions(session: Session) -> list[PlanVersion]:
    """Return the newest version of each plan, in the order of their keys."""
    newest = select(PlanVersionRow.plan_id, func.max(PlanVersionRow.version).label("version"))
    newest_by_plan = newest.group_by(PlanVersionRow.plan_id).subquery()
    rows = session.scalars(
        select(PlanVersionRow)
        .join(PlanRow, PlanRow.id == PlanVersionRow.plan_id)
        .join(
            newest_by_plan,
            (newest_by_plan.c.plan_id == PlanVersionRow.plan_id) & (newest_by_plan.c.version == PlanVersionRow.version),
        )
        .order_by(PlanRow.key)
    )
    return [_version_of(row) for row in rows]


def versions_of_plan(session: Session, plan_key: str) -> list[PlanVersion]:
    """Return every version of a plan, the newest first; none of an unknown plan."""
    rows = session.scalars(_versions_of(plan_key).order_by(PlanVersionRow.version.desc()))
    return [_version_of(row) for row in rows]


def priced_models(session: Session) -> set[str]:
    """Return the models that any version of any plan has ever priced by name."""
    documents = session.scalars(select(PlanVersionRow.document))
    return {price.model for text in documents for price in read_document(text).prices} - {EVERY_MODEL}


def find_versions(session: Session, version_ids: Iterable[str]) -> dict[str, PlanVersion]:
    """Return the plan versions of those ids; an unknown id is left out."""
    rows = session.scalars(select(PlanVersionRow).where(PlanVersionRow.id.in_(set(version_ids))))
    return {row.id: _version_of(row) for row in rows}


def insert_assignment(session: Session, assignment: PlanAssignment, now: datetime) -> None:
    """Append an assignment; the caller holds the account's lock, so that sequences have no twin."""
    mine = select(func.coalesce(func.max(PlanAssignmentRow.sequence), 0) + 1)
    session.add(
        PlanAssignmentRow(
            id=new_id("pas", now),
            account_id=assignment.account_id,
            plan_id=session.scalars(select(PlanRow.id).where(PlanRow.key == assignment.plan_key)).one(),
            sequence=session.scalars(mine.where(PlanAssignmentRow.account_id == assignment.account_id)).one(),
            starts_at=assignment.starts_at,
            created_at=now,
        )
    )
    session.flush()


def plan_in_effect(session: Session, account_id: str, instant: datetime) -> PlanVersion | None:
    """Return the plan version that prices the account's calls at that instant, None where it has no plan."""
    plan_id = session.scalar(
        select(PlanAssignmentRow.plan_id)
        .where(PlanAssignmentRow.account_id == account_id, PlanAssignmentRow.starts_at <= instant)
        .order_by(PlanAssignmentRow.starts_at.desc(), PlanAssignmentRow.sequence.desc())
        .limit(1)
    )
    row = session.scalar(
        select(PlanVersionRow)
        .where(PlanVersionRow.plan_id == plan_id, PlanVersionRow.published_at <= instant)
        .order_by(PlanVersionRow.version.desc())
        .limit(1)
    )
    return _version_of(row) if row else None


def plan_segments(session: Session, account_id: str, period: Period) -> list[PlanSegment]:
    """Return which plan version was in effect when; they tile the part of it that had a plan."""
    assignments = _assignments_before(session, account_id, period.end)
    keys = {assignment.plan_key for assignment in assignments}
    return segments_of(assignments, {key: _versions_before(session, key, period.end) for key in keys}, period)


def assignments_behind(session: Session, account_id: str, instant: datetime) -> list[PlanAssignment]:
    """Return the assignments that start after an instant; of several at one instant, the one that counts."""
    assignments = _assignments_where(session, account_id, PlanAssignmentRow.starts_at > instant)
    return list({assignment.starts_at: assignment for assignment in assignments}.values())


def versions_ahead(session: Session, account_id: str, now: datetime) -> list[PlanVersion]:
    """Return the newest versions of the plan that the account is on, and of those that it will be put on."""
    query = _counting(now).where(PlanAssignmentRow.account_id == account_id).distinct()
    newest = [newest_version(session, key) for key in sorted(session.scalars(query.with_only_columns(PlanRow.key)))]
    return [version for version in newest if version]


def accounts_on_plan(session: Session, plan_key: str, now: datetime) -> list[str]:
    """Return the ids of the accounts that are on a plan, or will be put on it."""
    query = _counting(now).where(PlanRow.key == plan_key).distinct()
    return list(session.scalars(query.with_only_columns(PlanAssignmentRow.account_id)))


def money_capped_on_plan(session: Session, plan_key: str, now: datetime, *, limit: int) -> list[str]:
    """Return the ids of some of those accounts that have a budget of money, of their own or of a key, in order."""
    on_plan = _counting(now).where(PlanRow.key == plan_key).with_only_columns(PlanAssignmentRow.account_id)
    capped = select(BudgetRow.account_id).where(BudgetRow.measure == Measure.MONEY, BudgetRow.account_id.in_(on_plan))
    return list(session.scalars(capped.distinct().order_by(BudgetRow.account_id).limit(limit)))


def _counting(now: datetime) -> Select[PlanAssignmentRow, PlanRow]:
    """Select the assignments that count from now on: no later word has taken their place."""
    later = aliased(PlanAssignmentRow)
    again = and_(later.starts_at == PlanAssignmentRow.starts_at, later.sequence > PlanAssignmentRow.sequence)
    next_one = and_(later.starts_at > PlanAssignmentRow.starts_at, later.starts_at <= now)
    taken = exists().where(later.account_id == PlanAssignmentRow.account_id, or_(again, next_one))
    joined = select(PlanAssignmentRow, PlanRow).join(PlanRow, PlanRow.id == PlanAssignmentRow.plan_id)
    return joined.where(not_(taken))


def _assignments_before(session: Session, account_id: str, instant: datetime) -> list[PlanAssignment]:
    return _assignments_where(session, account_id, PlanAssignmentRow.starts_at < instant)


def _assignments_where(session: Session, account_id: str, within: ColumnElement[bool]) -> list[PlanAssignment]:
    rows = session.execute(
        select(PlanRow.key, PlanAssignmentRow.starts_at)
        .join(PlanRow, PlanRow.id == PlanAssignmentRow.plan_id)
        .where(PlanAssignmentRow.account_id == account_id, within)
        .order_by(PlanAssignmentRow.starts_at, PlanAssignmentRow.sequence)
    )
    return [PlanAssignment(account_id, row.key, row.starts_at) for row in rows]


def _versions_before(session: Session, plan_key: str, instant: datetime) -> list[PlanVersion]:
    before = _versions_of(plan_key).where(PlanVersionRow.published_at < instant).order_by(PlanVersionRow.version)
    return [_version_of(row) for row in session.scalars(before)]


def _versions_of(plan_key: str) -> Select[PlanVersionRow]:
    return select(PlanVersionRow).join(PlanRow, PlanRow.id == PlanVersionRow.plan_id).where(PlanRow.key == plan_key)


def _version_of(row: PlanVersionRow) -> PlanVersion:
    draft = read_document(row.document)
    return PlanVersion(
        id=row.id,
        plan_key=draft.key,
        version=row.version,
        currency=draft.currency,
        billing=draft.billing,
        base_fee_nanos=draft.base_fee_nanos,
        prices=draft.prices,
        published_at=row.published_at,
    )
