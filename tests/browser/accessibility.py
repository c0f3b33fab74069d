"""axe-core looks at a page as it stands, for what keeps people with disabilities out."""

from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.architecture.source_tree import ROOT

_GRAVE = {"serious", "critical"}


def axe(page: Page) -> None:
    """Fail with one line for each place of a serious or critical finding."""
    findings = _findings(page)
    assert findings == [], f"{page.url}\n" + "\n".join(findings)


def _findings(page: Page) -> list[str]:
    page.evaluate(_axe_source())
    violations: list[dict[str, Any]] = page.evaluate(
        "async () => (await axe.run({resultTypes: ['violations']})).violations"
    )
    return [
        f"{violation['impact']} {violation['id']}: {node['html']}: {node['failureSummary']}"
        for violation in violations
        if violation["impact"] in _GRAVE
        for node in violation["nodes"]
    ]


@cache
def _axe_source() -> str:
    return (ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js").read_text()
