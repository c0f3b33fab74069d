"""A key can do no more than the member who makes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.account import Scope
from app.members.key_scopes import ScopeBeyondRole, require_scopes, scopes_of
from app.members.role import Role


def test_each_role_gives_the_scopes_of_its_own_permissions() -> None:
    assert scopes_of(Role.OWNER) == set(Scope) - {Scope.ADMIN}
    assert scopes_of(Role.DEVELOPER) == {Scope.PREDICT, Scope.USAGE_READ, Scope.KEYS_WRITE}
    assert scopes_of(Role.BILLING) == {Scope.USAGE_READ, Scope.BILLING_READ}
    assert scopes_of(Role.VIEWER) == {Scope.USAGE_READ}


@given(st.sampled_from(Role), st.frozensets(st.sampled_from(Scope)))
def test_scopes_beyond_the_role_are_refused_and_no_others(role: Role, scopes: frozenset[Scope]) -> None:
    if scopes <= scopes_of(role):
        require_scopes(role, scopes)
        return
    with pytest.raises(ScopeBeyondRole) as caught:
        require_scopes(role, scopes)
    assert caught.value.where == "scopes"
