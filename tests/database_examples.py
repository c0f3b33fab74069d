"""How hypothesis goes about a real database: fewer examples, which share it and keep apart by fresh ids."""

from hypothesis import HealthCheck, settings

_EXAMPLES = settings().max_examples  # of the profile that tests/conftest.py has loaded

ON_DATABASE = settings(max_examples=_EXAMPLES // 4, suppress_health_check=[HealthCheck.function_scoped_fixture])
