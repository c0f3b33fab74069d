"""The time zone that a browser names for an account which is about to be opened."""

from app.errors import Invalid
from app.period import parse_zone


def zone_or_utc(name: str) -> str:
    """Return a zone that is known here: an odd clock of a browser is no mistake of the person's."""
    try:
        parse_zone(name)
    except Invalid:
        return "UTC"
    return name
