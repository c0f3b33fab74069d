"""What a person calls the browser that its `User-Agent` describes."""

from dataclasses import dataclass

# Browsers claim to be others as well: the first that matches is meant.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrom", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class BrowserName:
    """Either may be unknown."""

    browser: str | None
    system: str | None


def browser_name(agent: str) -> BrowserName:
    """Return what can be told; a guess for people, never for a decision."""
    return BrowserName(_first(_BROWSERS, agent), _first(_SYSTEMS, agent))


def _first(names: tuple[tuple[str, str], ...], agent: str) -> str | None:
    return next((name for mark, name in names if mark in agent), None)
