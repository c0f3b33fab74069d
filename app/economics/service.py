"""The use cases of economics: what a model should cost on the hardware that it was measured on."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

from app.clock import Clock
from app.database import Database
from app.economics.hardware_file import read_hardware
from app.economics.percentage import parse_percentage
from app.economics.price_suggestion import NothingMeasured, PriceSuggestion, suggest_price
from app.economics.store import DeviceUse, devices_of_model
from app.errors import Conflict, Invalid
from app.metering.store import compute_by_model
from app.metering.usage_event import bucket_start

DAYS_MAX = 400
_DAY = timedelta(days=1)


class MeasuredOnSeveralDevices(Conflict):
    """The model ran on devices of different speed and cost, whose times cannot be added."""

    code = "measured_on_several_devices"


class Economics:
    """What the hardware costs, and what that means for prices."""

    def __init__(self, database: Database, clock: Clock, hardware_file: Path) -> None:
        self._database = database
        self._clock = clock
        self._hardware_file = hardware_file

    def suggest_price(
        self, model: str, margin: str, *, calls_a_day: int | None = None, days: int = 30
    ) -> PriceSuggestion:
        """Suggest a price of a model from what was measured in the last `days`; `margin` is such as "60%".

        Without `calls_a_day` the measured number counts, over one day at least. Raises Invalid for bad arguments or a
        bad hardware file, NothingMeasured, MeasuredOnSeveralDevices and DeviceNotDeclared.
        """
        _check_range("days", days, DAYS_MAX)
        _check_range("calls_a_day", calls_a_day, 10**12)
        hardware, now = read_hardware(self._hardware_file), self._clock.now()
        since = bucket_start(now - days * _DAY)
        with self._database.reading() as session:
            uses = devices_of_model(session, model, since)
            measured = compute_by_model(session, model, since)
        use = _only_device(model, uses)
        return suggest_price(
            model=model,
            device=hardware.device(use.device),
            margin=parse_percentage(margin, where="margin", example="60%"),
            measured=measured,
            calls_a_day=_a_day(measured.requests, use.first_at, now) if calls_a_day is None else Fraction(calls_a_day),
        )


def _only_device(model: str, uses: Sequence[DeviceUse]) -> DeviceUse:
    if not uses:
        raise NothingMeasured(
            f"no call of {model} has been measured", where="model", hint=f"send some calls to {model}, then ask again"
        )
    if len(uses) > 1:
        raise MeasuredOnSeveralDevices(
            f"{model} ran on {', '.join(use.device for use in uses)}, whose times cannot be mixed",
            where="days",
            hint="look at fewer days, in which it ran on one of them",
        )
    return uses[0]


def _a_day(calls: int, first_at: datetime, now: datetime) -> Fraction:
    microsecond = timedelta(microseconds=1)
    return Fraction(calls * (_DAY // microsecond), max(now - first_at, _DAY) // microsecond)


def _check_range(name: str, value: int | None, most: int) -> None:
    if value is not None and not 1 <= value <= most:
        raise Invalid(f"{name} = {value} is out of range", where=name, hint=f"use 1 to {most}")
