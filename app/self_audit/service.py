"""The use case of the audit: every check on one state of the database."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from app.clock import Clock
from app.database import Database, DatabaseUnavailable, Session
from app.errors import AppError
from app.self_audit.checks import CHECKS, HOLDERS, Check
from app.self_audit.report import AuditReport, CheckResult, Tally
from app.self_audit.silent_processes import held_by_silent


class SelfAudit:
    """Compares what the books keep twice."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def run(self, look_on_s: float = 0) -> AuditReport:
        """Return what every check has found, while others go on writing. Raises DatabaseUnavailable.

        With `look_on_s` it looks on behind that for so long at most, and warns of processes that hold something and
        give no sign of life meanwhile.
        """
        with self._database.reading() as session:
            as_of = self._clock.now()
            results = tuple(run_check(session, check, as_of) for check in CHECKS)
        silent = held_by_silent(self._database, look_on_s) if look_on_s else {}
        return AuditReport(as_of, tuple(_with_silent(result, silent) for result in results))


def _with_silent(result: CheckResult, silent: Mapping[str, int]) -> CheckResult:
    if result.check != HOLDERS:
        return result
    told = (
        f"{count} {name} belong to a process that gives no sign of life; a running server gives them back"
        for name, count in silent.items()
    )
    return replace(result, warnings=(*result.warnings, *told))


def run_check(session: Session, check: Check, as_of: datetime) -> CheckResult:
    """Run a check; books that are too broken for it to end are a difference of their own."""
    tally = Tally()
    try:
        check.run(session, tally, as_of)
    except DatabaseUnavailable:
        raise
    except (AppError, ValueError, LookupError) as error:
        tally.differ("the check itself", "books that can be read", f"{type(error).__name__}: {error}")
    return tally.result(check.name, check.claim)
