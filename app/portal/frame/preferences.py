"""How a browser wants its pages: language, theme, time zone. Kept in one cookie; anything odd in it is the default."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode

from app.errors import Invalid
from app.period import parse_zone

COOKIE = "faremeter_view"
ACCOUNT_ZONE = "account"  # no zone's name: the choice to have that of the account
COOKIE_MAX_AGE_S = 365 * 24 * 3600


class Language(StrEnum):
    """The languages that every page speaks."""

    ENGLISH = "en"
    CHINESE = "zh"


class Theme(StrEnum):
    """`AUTO` follows the device."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a browser chose; without a zone, pages show times in that of the account."""

    language: Language = Language.ENGLISH
    theme: Theme = Theme.AUTO
    zone: str | None = None

    def cookie_value(self) -> str:
        """Return the value to store; `preferences_of` reads it back."""
        return urlencode({"language": self.language, "theme": self.theme, "zone": self.zone or ""})


def preferences_of(cookie: str | None, accept_language: str) -> Preferences:
    """Return what the cookie says, and where it says nothing, what the browser's own languages say."""
    chosen = dict(parse_qsl(cookie or "")[:10])
    return changed(Preferences(language=_accepted(accept_language)), chosen)


def changed(preferences: Preferences, chosen: Mapping[str, str]) -> Preferences:
    """Return the preferences with what was chosen; unknown values change nothing."""
    if chosen.get("language") in set(Language):
        preferences = replace(preferences, language=Language(chosen["language"]))
    if chosen.get("theme") in set(Theme):
        preferences = replace(preferences, theme=Theme(chosen["theme"]))
    if chosen.get("zone") == ACCOUNT_ZONE:
        preferences = replace(preferences, zone=None)
    elif "zone" in chosen and _is_zone(chosen["zone"]):
        preferences = replace(preferences, zone=chosen["zone"])
    return preferences


def _is_zone(name: str) -> bool:
    try:
        parse_zone(name)
    except Invalid:
        return False
    return True


def _accepted(header: str) -> Language:
    """Return the first language of the header that we speak: browsers write the one they prefer first."""
    for part in header.split(","):
        tag = part.partition(";")[0].strip().lower()
        if tag.partition("-")[0] in set(Language):
            return Language(tag.partition("-")[0])
    return Language.ENGLISH
