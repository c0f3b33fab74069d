"""A margin report in words and decimal strings: what the command prints and what the API answers."""

from datetime import datetime
from fractions import Fraction
from typing import Any

from app.billing.month_preview import UncountedAccount
from app.economics.margin import ModelMargin
from app.economics.margin_report import CurrencyTotal, MarginReport, UnattributedDevice
from app.economics.percentage import format_percentage
from app.money import format_money


def margin_facts(report: MarginReport) -> dict[str, Any]:
    """Return the report as a document: amounts exact, as decimal strings, percentages to two decimals."""
    return {
        "month": str(report.month),
        "from": _instant(report.period.start),
        "to": _instant(report.period.end),
        "models": [model_facts(each) for each in report.models],
        "unattributed": [device_facts(each) for each in report.unattributed],
        "totals": [total_facts(each) for each in report.totals],
        "uncounted": [account_facts(each) for each in report.uncounted],
    }


def model_facts(margin: ModelMargin) -> dict[str, str | int | None]:
    """Return the line of a model by name."""
    return {
        "model": margin.model,
        "currency": margin.currency,
        "calls": margin.calls,
        "earned": format_money(margin.earned_nanos, margin.currency),
        "cost": format_money(margin.cost_nanos, margin.currency),
        "idle": format_money(margin.idle_nanos, margin.currency),
        "margin": _percentage(margin.margin),
        "break_even_calls_a_day": margin.break_even_calls_a_day,
    }


def device_facts(device: UnattributedDevice) -> dict[str, str | int | None]:
    """Return the line of a device that no model pays for."""
    return {
        "device": device.device,
        "up_ms": device.up_us // 1000,
        "currency": device.currency,
        "idle": _idle_of(device),
    }


def total_facts(total: CurrencyTotal) -> dict[str, str | int | None]:
    """Return the sums of a currency by name."""
    return {
        "currency": total.currency,
        "earned": format_money(total.earned_nanos, total.currency),
        "base_fees": format_money(total.base_fee_nanos, total.currency),
        "cost": format_money(total.cost_nanos, total.currency),
        "idle": format_money(total.idle_nanos, total.currency),
        "wall_clock_cost": format_money(total.wall_nanos, total.currency),
        "margin": _percentage(total.margin),
    }


def account_facts(uncounted: UncountedAccount) -> dict[str, str | int | None]:
    """Return the line of an account whose charges cannot be computed."""
    return {"account": uncounted.account.id, "reason": uncounted.reason}


def _idle_of(device: UnattributedDevice) -> str | None:
    """Return what its idle time cost, None for a device whose cost nobody has declared."""
    if device.idle_nanos is None or device.currency is None:
        return None
    return format_money(device.idle_nanos, device.currency)


def _percentage(value: Fraction | None) -> str | None:
    return None if value is None else format_percentage(round(value, 4))


def _instant(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")
