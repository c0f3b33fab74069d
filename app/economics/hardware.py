"""Hardware: what an hour of a device costs, from a rent, or from a purchase price, its life and its electricity."""

from dataclasses import dataclass
from fractions import Fraction

from app.economics.percentage import parse_percentage
from app.errors import Invalid, NotFound
from app.money import parse_currency
from app.toml_table import TomlTable, parse_toml

EVERY_DEVICE = "*"
HOURS_PER_MONTH = Fraction(8766, 12)  # a year has 365.25 days
_WATTS_PER_KILOWATT = 1000
_RENT_FIELDS = ("name", "currency", "utilization", "hourly_rate")
_PURCHASE_FIELDS = (
    "name",
    "currency",
    "utilization",
    "purchase_price",
    "life_months",
    "power_watts",
    "electricity_price_per_kwh",
)


class DeviceNotDeclared(NotFound):
    """The hardware file does not say what the device costs."""

    code = "device_not_declared"


@dataclass(frozen=True, slots=True)
class Rent:
    """A device paid by the hour."""

    hourly_rate_nanos: int


@dataclass(frozen=True, slots=True)
class Purchase:
    """A device that was bought and is worn out after its life; power 0 leaves electricity out."""

    price_nanos: int
    life_months: int
    power_watts: int = 0
    electricity_nanos_per_kwh: int = 0


@dataclass(frozen=True, slots=True)
class Device:
    """What a device costs; `utilization` is the share of paid time in which it does work that is sold."""

    name: str
    currency: str
    utilization: Fraction
    cost: Rent | Purchase

    @property
    def hourly_cash_nanos(self) -> Fraction:
        """What must be paid for an hour: the rent, or power x electricity price."""
        if isinstance(self.cost, Rent):
            return Fraction(self.cost.hourly_rate_nanos)
        return Fraction(self.cost.power_watts * self.cost.electricity_nanos_per_kwh, _WATTS_PER_KILOWATT)

    @property
    def hourly_cost_nanos(self) -> Fraction:
        """The cost of an hour: the rent, or price / life + power x electricity price."""
        if isinstance(self.cost, Rent):
            return self.hourly_cash_nanos
        return self.cost.price_nanos / (self.cost.life_months * HOURS_PER_MONTH) + self.hourly_cash_nanos


@dataclass(frozen=True, slots=True)
class Hardware:
    """The devices that a hardware file declares, by name."""

    devices: tuple[Device, ...]

    def device(self, name: str) -> Device:
        """Return the device of that name, else the one called `*`. Raises DeviceNotDeclared."""
        device = self.find(name)
        if device is None:
            raise DeviceNotDeclared(
                f"the hardware file does not say what {name} costs; it declares: "
                + ", ".join(each.name for each in self.devices),
                where="device",
                hint=f'add a [[device]] with name = "{name}" and an hourly_rate, or a purchase_price and life_months',
            )
        return device

    def find(self, name: str) -> Device | None:
        """Return the device of that name, else the one called `*`, else None."""
        by_name = {device.name: device for device in self.devices}
        return by_name.get(name) or by_name.get(EVERY_DEVICE)


def parse_hardware(text: str) -> Hardware:
    """Read a hardware file. Raises Invalid for the first mistake, at a place such as `device[1].life_months`."""
    file = parse_toml(text, source="hardware file")
    file.allow_only(("device",))
    devices: list[Device] = []
    for table in file.tables("device"):
        device = _device(table)
        if device.name in {earlier.name for earlier in devices}:
            raise Invalid(f"{device.name} is declared twice", where=table.place("name"), hint="keep one of the two")
        devices.append(device)
    return Hardware(tuple(devices))


def _device(table: TomlTable) -> Device:
    if ("hourly_rate" in table) == ("purchase_price" in table):
        raise Invalid(
            "a device has either an hourly_rate or a purchase_price",
            where=table.where,
            hint='write hourly_rate = "0.10", or purchase_price = "30000" and life_months = 36',
        )
    rented = "hourly_rate" in table
    table.allow_only(_RENT_FIELDS if rented else _PURCHASE_FIELDS)
    return Device(
        name=table.text("name", example="cpu"),
        currency=parse_currency(table.text("currency", example="USD"), where=table.place("currency")),
        utilization=_utilization(table),
        cost=Rent(table.amount_nanos("hourly_rate", example="0.10")) if rented else _purchase(table),
    )


def _utilization(table: TomlTable) -> Fraction:
    text = table.text("utilization", example="35%")
    utilization = parse_percentage(text, where=table.place("utilization"), example='"35%"')
    if not utilization:
        raise Invalid("a device that is never used has no price", where=table.place("utilization"), hint="above 0%")
    return utilization


def _purchase(table: TomlTable) -> Purchase:
    price_nanos = table.amount_nanos("purchase_price", example="30000")
    life_months = table.integer("life_months", example=36)
    if ("power_watts" in table) != ("electricity_price_per_kwh" in table):
        raise Invalid(
            "power_watts and electricity_price_per_kwh go together",
            where=table.where,
            hint='write both, such as 700 and "0.15", or neither',
        )
    if "power_watts" not in table:
        return Purchase(price_nanos, life_months)
    electricity = table.amount_nanos("electricity_price_per_kwh", example="0.15")
    return Purchase(price_nanos, life_months, table.integer("power_watts", example=700), electricity)
