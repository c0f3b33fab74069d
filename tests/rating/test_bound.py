"""What a call is held to before it runs is never less than what it can come to."""

from hypothesis import given
from hypothesis import strategies as st

from app.metering.meter import Meter, Quantities
from app.pricing.condition import Condition
from app.pricing.plan import PerUnit, Price, Scheme
from app.rating.bound import most_of_call
from app.rating.rate import rate
from tests.pricing.plan_strategies import schemes

UNITS = Price("linear", Meter.UNITS, PerUnit(5))
RESULTS = Price("linear", Meter.RESULTS, PerUnit(7), Condition("label", among=("cat",)))


def test_a_result_an_input_is_the_most_where_results_are_priced() -> None:
    assert most_of_call([UNITS], 3) == Quantities(requests=1, units=3)
    assert most_of_call([UNITS, RESULTS], 3) == Quantities(requests=1, units=3, results=3)


@given(schemes(1000), st.integers(1, 2000), st.integers(0, 2000), st.data())
def test_no_count_of_results_costs_more_than_the_most(
    scheme: Scheme, items: int, position: int, data: st.DataObject
) -> None:
    results = data.draw(st.integers(0, items))
    price = Price("linear", Meter.RESULTS, scheme, RESULTS.when)
    most = most_of_call([price], items).of(Meter.RESULTS)
    assert rate(scheme, results, position=position) <= rate(scheme, most, position=position)
