"""The use case of the audit: every check on one state of the database."""

from datetime import datetime

from app.clock import Clock
from app.database import Database, DatabaseUnavailable, Session
from app.errors import AppError
from app.self_audit.checks import CHECKS, Check
from app.self_audit.report import AuditReport, CheckResult, Tally


class SelfAudit:
    """Compares what the books keep twice."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def run(self) -> AuditReport:
        """Return what every check has found, while others go on writing. Raises DatabaseUnavailable."""
        with self._database.reading() as session:
            as_of = self._clock.now()
            return AuditReport(as_of, tuple(run_check(session, check, as_of) for check in CHECKS))


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
