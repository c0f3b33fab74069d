"""One step of a calculation: so many units at one price."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RatedPart:
    """`quantity` units at `unit_price_nanos` each."""

    quantity: int
    unit_price_nanos: int

    @property
    def amount_nanos(self) -> int:
        return self.quantity * self.unit_price_nanos
