"""The window of a rate: a minute of the clock, from its full second zero to the next."""

from datetime import datetime

WINDOW_S = 60


def minute_of(instant: datetime) -> int:
    """Return the number of the minute that holds the instant: it names the window in every process alike."""
    return int(instant.timestamp()) // WINDOW_S


def seconds_left(instant: datetime) -> int:
    """Return how many seconds are left of the instant's minute, rounded up: 1 to 60."""
    return WINDOW_S - int(instant.timestamp()) % WINDOW_S
