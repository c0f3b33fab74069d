"""The hardware file, and what an hour costs."""

from fractions import Fraction
from pathlib import Path

import pytest

from app.economics.hardware import Device, DeviceNotDeclared, Hardware, Purchase, Rent, parse_hardware
from app.errors import Invalid

RENTED = '[[device]]\nname = "cpu"\ncurrency = "USD"\nhourly_rate = "0.10"\nutilization = "35%"\n'
BOUGHT = (
    '[[device]]\nname = "cuda:0"\ncurrency = "USD"\npurchase_price = "30000"\nlife_months = 48\n'
    'power_watts = 700\nelectricity_price_per_kwh = "0.15"\nutilization = "50%"\n'
)


def test_a_rented_device_costs_its_rate() -> None:
    assert parse_hardware(RENTED).device("cpu") == Device("cpu", "USD", Fraction(7, 20), Rent(100_000_000))
    assert parse_hardware(RENTED).device("cpu").hourly_cost_nanos == 100_000_000


def test_a_bought_device_costs_price_over_life_plus_power_times_electricity_price() -> None:
    device = parse_hardware(BOUGHT).device("cuda:0")
    hours = 4 * Fraction(36525, 100) * 24
    electricity = Fraction(7, 10) * Fraction(15, 100)
    assert device.hourly_cost_nanos == (Fraction(30_000) / hours + electricity) * 10**9
    assert device.hourly_cash_nanos == electricity * 10**9


def test_electricity_may_be_left_out() -> None:
    text = "".join(line for line in BOUGHT.splitlines(keepends=True) if "power" not in line and "kwh" not in line)
    device = parse_hardware(text).device("cuda:0")
    assert device.cost == Purchase(30_000 * 10**9, 48)
    assert device.hourly_cash_nanos == 0


def test_a_star_stands_for_every_device_that_is_not_named() -> None:
    hardware = parse_hardware(RENTED + BOUGHT.replace("cuda:0", "*"))
    assert hardware.device("cuda:3").name == "*"
    assert hardware.device("cpu").name == "cpu"


def test_a_device_that_is_not_declared_is_named_with_those_that_are() -> None:
    with pytest.raises(DeviceNotDeclared, match=r'what cuda:0 costs; it declares: cpu .*name = "cuda:0"'):
        parse_hardware(RENTED).device("cuda:0")


def test_the_example_of_the_repository_declares_both_kinds() -> None:
    text = (Path(__file__).parents[2] / "hardware.toml").read_text(encoding="utf-8")
    hardware: Hardware = parse_hardware(text)
    assert isinstance(hardware.device("cpu").cost, Rent)
    assert isinstance(hardware.device("cuda:0").cost, Purchase)


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("", "device", "device is missing"),
        ("x = 1\n" + RENTED, "x", "'x' is not a field"),
        (RENTED + RENTED, "device[1].name", "cpu is declared twice"),
        (RENTED + 'purchase_price = "1"\n', "device[0]", "either an hourly_rate or a purchase_price"),
        (RENTED.replace("hourly_rate", "# "), "device[0]", "either an hourly_rate or a purchase_price"),
        (RENTED + "life_months = 3\n", "device[0].life_months", "'life_months' is not a field"),
        (RENTED.replace('"0.10"', "0.10"), "device[0].hourly_rate", 'quote it: hourly_rate = "0.10"'),
        (RENTED.replace('"USD"', '"Dollar"'), "device[0].currency", "not a currency code"),
        (RENTED.replace('"35%"', "0.35"), "device[0].utilization", 'write it as utilization = "35%"'),
        (RENTED.replace("35%", "0%"), "device[0].utilization", "never used"),
        (RENTED.replace("35%", "101%"), "device[0].utilization", "not a percentage"),
        (BOUGHT.replace("life_months = 48", ""), "device[0].life_months", "life_months is missing"),
        (BOUGHT.replace("48", "0"), "device[0].life_months", "0 is out of range"),
        (BOUGHT.replace("power_watts = 700", ""), "device[0]", "go together"),
        (BOUGHT.replace("700", "700.5"), "device[0].power_watts", "700.5 is not a whole number"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, where: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_hardware(text)
    assert caught.value.where == where
    assert said in str(caught.value)
