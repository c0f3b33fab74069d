"""The background process: jobs that each have a natural unique key, so that running twice changes nothing.

It sweeps after dead processes as well: the last serving process may be one.
"""

from apscheduler.schedulers.blocking import BlockingScheduler

from app.bootstrap import Books, open_books
from app.database import DatabaseUnavailable
from app.period import Month
from app.schema import require_head
from app.settings import Settings
from app.telemetry import get_logger

_JOB_EVERY_S = 300
_MONTHS_BACK = 2
_log = get_logger(__name__)


def run(settings: Settings) -> None:
    """Work until the process is ended. Raises SchemaOutdated, DatabaseUnavailable at the start."""
    books = open_books(settings)
    require_head(books.database)
    books.sweeper.start()
    work_once(books)
    scheduler = BlockingScheduler(timezone="UTC")
    scheduler.add_job(work_once, "interval", args=[books], seconds=_JOB_EVERY_S, max_instances=1, coalesce=True)
    scheduler.start()


def work_once(books: Books) -> None:
    """Do every job once: partitions to come, expired answers and credit, alerts, invoices due, drafts."""
    try:
        now = books.clock.now()
        books.metering.make_partitions(now)
        purged = books.housekeeping.purge()
        books.member_housekeeping.purge()
        books.mail_folder.sweep()
        if grants := books.credits.expire_due():
            _log.info("expired credit was written off", grants=grants)
        if mails := books.budget_mail.send():
            _log.info("mails about budgets wait for delivery", mails=mails)
        this_month = Month(now.year, now.month)
        # A period starts up to two months before it is due: a month long, its grace, its zone a day ahead or behind.
        for offset in range(-_MONTHS_BACK, 2):
            books.invoice_run.run(this_month.plus(offset))
        _log.info("worked", answers_purged=purged)
    except DatabaseUnavailable as error:
        _log.warning("the database is away; the next round tries again", cause=str(error.__cause__))
