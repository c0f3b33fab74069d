"""The use case of margins: what each model earned in a month, and what the hardware cost meanwhile."""

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from app.billing.preview import InvoicePreview
from app.clock import Clock
from app.database import Database
from app.economics.device_time import device_times
from app.economics.earnings import earnings_of
from app.economics.hardware_file import read_hardware
from app.economics.margin_report import MarginReport, margin_report
from app.economics.store import compute_by_device, device_intervals
from app.errors import Invalid
from app.metering.store import utc_month_start
from app.period import Month, Period

_RECENT = timedelta(minutes=1)


class MonthNotBegun(Invalid):
    """Nothing can have been earned yet in a month that lies ahead."""

    code = "month_not_begun"


class Margins:
    """One line a model: earned, cost, idle, and what is left."""

    def __init__(self, database: Database, clock: Clock, hardware_file: Path, preview: InvoicePreview) -> None:
        self._database = database
        self._clock = clock
        self._hardware_file = hardware_file
        self._preview = preview
        self._recent: dict[Month, tuple[datetime, MarginReport]] = {}
        self._looking = threading.Lock()

    def recent_report(self, month: Month | None = None) -> MarginReport:
        """Return the report as it was within the last minute: it rates every account, and people reload pages.

        Raises what `report` raises.
        """
        now = self._clock.now()
        month = month or Month(now.year, now.month)
        with self._looking:  # who comes meanwhile waits for the same report
            self._recent = {each: kept for each, kept in self._recent.items() if now - _RECENT < kept[0] <= now}
            if month not in self._recent:
                self._recent[month] = now, self.report(month)
            return self._recent[month][1]

    def report(self, month: Month | None = None) -> MarginReport:
        """Return the margins of a UTC month up to now; the default is the present one.

        Raises MonthNotBegun, and Invalid for a hardware file that cannot be read.
        """
        now = self._clock.now()
        month = month or Month(now.year, now.month)
        period = _passed(month, now)
        hardware = read_hardware(self._hardware_file)
        with self._database.reading() as session:
            times = device_times(device_intervals(session, period), compute_by_device(session, period), period)
        preview = self._preview.of_month(month)
        report = margin_report(month, period, earnings=earnings_of(preview.charges), times=times, hardware=hardware)
        return replace(report, uncounted=preview.uncounted)


def _passed(month: Month, now: datetime) -> Period:
    start, end = utc_month_start(month), utc_month_start(month.plus(1))
    if now <= start:
        raise MonthNotBegun(f"{month} has not begun", where="month", hint="name this month or an earlier one")
    return Period(start, min(end, now))
