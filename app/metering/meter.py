"""Meters: the named quantities that a price can ask for, as exact integers."""

from dataclasses import dataclass
from enum import StrEnum


class Meter(StrEnum):
    """What is counted. `compute_ms` counts each call's device time, rounded up to a whole millisecond."""

    REQUESTS = "requests"
    UNITS = "units"
    COMPUTE_MS = "compute_ms"
    RESULTS = "results"


@dataclass(frozen=True, slots=True)
class Quantities:
    """How much of each meter was used."""

    requests: int = 0
    units: int = 0
    compute_ms: int = 0
    results: int = 0

    def of(self, meter: Meter) -> int:
        """Return the quantity of one meter."""
        return int(getattr(self, meter.value))

    def __add__(self, other: "Quantities") -> "Quantities":
        return Quantities(
            self.requests + other.requests,
            self.units + other.units,
            self.compute_ms + other.compute_ms,
            self.results + other.results,
        )

    def __sub__(self, other: "Quantities") -> "Quantities":
        return Quantities(
            self.requests - other.requests,
            self.units - other.units,
            self.compute_ms - other.compute_ms,
            self.results - other.results,
        )
