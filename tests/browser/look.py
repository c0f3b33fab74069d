"""Who looks at a page, and how: the dimensions in which every page has to be right."""

from dataclasses import dataclass
from enum import StrEnum

from app.portal.frame.preferences import Language, Preferences, Theme

WIDE_PX, NARROW_PX = 1280, 320


class Person(StrEnum):
    """Everybody that a page knows: a stranger, a member in each role, and who runs the installation."""

    STRANGER = "stranger"
    VIEWER = "viewer"
    DEVELOPER = "developer"
    BILLING = "billing"
    OWNER = "owner"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Look:
    """A browser's language, theme and width."""

    language: Language = Language.ENGLISH
    theme: Theme = Theme.LIGHT
    width_px: int = WIDE_PX

    def __str__(self) -> str:
        return f"{self.language}-{self.theme}-{self.width_px}"

    @property
    def preferences(self) -> Preferences:
        return Preferences(self.language, self.theme)


LOOKS = tuple(
    Look(language, theme, width_px)
    for language in Language
    for theme in (Theme.LIGHT, Theme.DARK)
    for width_px in (WIDE_PX, NARROW_PX)
)
WIDE_LOOKS = tuple(look for look in LOOKS if look.width_px == WIDE_PX)
# Two, in which each language and each theme occurs.
NARROW_LOOKS = (Look(width_px=NARROW_PX), Look(Language.CHINESE, Theme.DARK, NARROW_PX))
AXE_LOOKS = (Look(), NARROW_LOOKS[1])
