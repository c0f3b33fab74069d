"""A price suggestion in words and decimal strings: what the command prints, as a table or as JSON."""

from fractions import Fraction

from app.economics.percentage import format_percentage
from app.economics.price_suggestion import PriceSuggestion
from app.money import format_nanos


def price_facts(suggestion: PriceSuggestion) -> dict[str, str | int | None]:
    """Return the figures by name, amounts as decimal strings of the currency named, rounded to a nano for the eye."""
    device, measured = suggestion.device, suggestion.measured
    return {
        "model": suggestion.model,
        "device": device.name,
        "currency": device.currency,
        "margin": format_percentage(suggestion.margin),
        "utilization": format_percentage(device.utilization),
        "measured_calls": measured.requests,
        "measured_units": measured.units,
        "compute_ms_per_call": _decimal(Fraction(measured.compute_us, measured.requests * 1000), 3),
        "hourly_cost": _amount(device.hourly_cost_nanos),
        "cost_per_call": _amount(suggestion.cost_per_call_nanos),
        "cost_per_unit": _amount(suggestion.cost_per_unit_nanos),
        "price_per_call": _amount(suggestion.price_per_call_nanos),
        "price_per_unit": _amount(suggestion.price_per_unit_nanos),
        "capacity_calls_a_day": suggestion.capacity_calls_a_day,
        "break_even_calls_a_day": suggestion.break_even_calls_a_day,
        "calls_a_day": _decimal(suggestion.calls_a_day, 1),
        "calls_within_capacity": "yes" if suggestion.calls_a_day <= suggestion.capacity_calls_a_day else "no",
        "monthly_margin": _amount(suggestion.monthly_margin_nanos),
        "payback_months": suggestion.payback_months,
    }


def _amount(nanos: Fraction | int | None) -> str | None:
    return None if nanos is None else format_nanos(round(nanos))


def _decimal(value: Fraction, digits: int) -> str:
    scaled = round(value * 10**digits)
    text = f"{scaled:0{digits + 1}d}"
    return f"{text[:-digits]}.{text[-digits:]}"
