"""One of each caller for the tests of an installation: making them anew for every page would take most of the time."""

from weakref import WeakKeyDictionary

from fastapi import FastAPI

from tests.api.installation import Installation
from tests.portal import visitors
from tests.portal.browser import Browser
from tests.portal.locks.callers import SIGNED_IN_CALLERS, Caller, browser_of, forget_limits, is_signed_in


class Cast:
    """Callers around one account. A form may sign one out: then there is another one the next time."""

    def __init__(self, portal: Installation) -> None:
        self._portal = portal
        self.account_id = visitors.account(portal)
        self._browsers: dict[Caller, Browser] = {}

    def browser(self, caller: Caller) -> Browser:
        """Return the caller's browser."""
        forget_limits(self._portal)
        known = self._browsers.get(caller)
        if known is None or (caller in SIGNED_IN_CALLERS and not is_signed_in(known)):
            known = self._browsers[caller] = browser_of(self._portal, caller, self.account_id)
        return known


_casts: WeakKeyDictionary[FastAPI, Cast] = WeakKeyDictionary()


def cast_of(portal: Installation) -> Cast:
    """Return the cast of the installation."""
    if portal.app not in _casts:
        _casts[portal.app] = Cast(portal)
    return _casts[portal.app]
