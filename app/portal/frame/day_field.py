"""A day that is chosen in a form: what was typed comes back with the page, and is told apart from no day."""

from datetime import date

from app.errors import Invalid

_YEARS = (1971, 2200)  # a day of any zone is an instant of the calendar


class NoDay(Invalid):
    """What stands in a form's field for a day is no date, or one too far away."""

    code = "no_day"


def day_of(text: str, *, where: str) -> date | None:
    """Return the day that was written, None for an empty field. Raises NoDay."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise NoDay(f"{text[:40]!r} is no date", where=where, hint="2027-01-31") from None
    if not _YEARS[0] <= day.year < _YEARS[1]:
        raise NoDay(f"{day} is too far away", where=where, hint="2027-01-31")
    return day
