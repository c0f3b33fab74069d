"""Copies what the pages load out of node_modules into app/portal/static/vendor, with its licences.

Run by `make assets`, which installs node_modules from the lock first. The same lock and templates give the same bytes.
Nothing else of node_modules reaches a browser, and an icon that a template misspells ends the build.
"""

import re
import shutil
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

from frontend.icon_names import BuildError, icon_names

HERE = Path(__file__).parent
PACKAGES = HERE / "node_modules"
PORTAL = HERE.parent / "app" / "portal"

FILES = (
    "@tabler/core/dist/css/tabler.min.css",
    "htmx.org/dist/htmx.min.js",
    "chart.js/dist/chart.umd.min.js",
)
# Chart.js has its colours from @kurkle/color built in. The package of Tabler's CSS forgets its licence: it lies here.
LICENCES = {
    "tabler": HERE / "tabler.LICENSE",
    "tabler-icons": PACKAGES / "@tabler/icons/LICENSE",
    "htmx": PACKAGES / "htmx.org/LICENSE",
    "chart": PACKAGES / "chart.js/LICENSE.md",
    "kurkle-color": PACKAGES / "@kurkle/color/LICENSE.md",
}

_SVG = "http://www.w3.org/2000/svg"
_SOURCE_MAP = re.compile(rb"\n/[/*]# sourceMappingURL=\S+( \*/)?\s*$")


def sprite(names: Iterable[str], icons: Path) -> bytes:
    """Return one SVG document with a symbol for each icon: a page shows it by `<use href="…/icons.svg#key">`."""
    ET.register_namespace("", _SVG)
    root = ET.Element(f"{{{_SVG}}}svg")
    root.extend([_symbol(name, icons / f"{name}.svg") for name in names])
    ET.indent(root)
    return ET.tostring(root, encoding="unicode").encode() + b"\n"


def _symbol(name: str, file: Path) -> ET.Element:
    if not file.is_file():
        raise BuildError(f'icon("{name}"): Tabler has no icon of that name; they are the files in {file.parent}')
    drawing = ET.fromstring(file.read_text(encoding="utf-8"))  # noqa: S314  # the lock pins it by hash
    kept = {key: value for key, value in drawing.attrib.items() if key not in {"width", "height", "class"}}
    symbol = ET.Element(f"{{{_SVG}}}symbol", {"id": name, **kept})
    symbol.extend(path for path in drawing if path.get("stroke") != "none" or path.get("fill") != "none")
    return symbol


def build(vendor: Path) -> None:
    """Fill the folder anew. Raises BuildError and leaves the folder as it was where something is missing."""
    fresh = vendor.with_name("vendor.new")
    shutil.rmtree(fresh, ignore_errors=True)
    (fresh / "licences").mkdir(parents=True)
    for name in FILES:
        source = _present(PACKAGES / name)
        # A source map that is not there would be a 404 for everyone who opens the browser's tools.
        (fresh / source.name).write_bytes(_SOURCE_MAP.sub(b"\n", source.read_bytes()))
    for name, source in LICENCES.items():
        shutil.copyfile(_present(source), fresh / "licences" / f"{name}.txt")
    names = icon_names(sorted(PORTAL.glob("templates/**/*.html")))
    (fresh / "icons.svg").write_bytes(sprite(names, PACKAGES / "@tabler/icons/icons/outline"))
    shutil.rmtree(vendor, ignore_errors=True)
    fresh.rename(vendor)


def _present(file: Path) -> Path:
    if not file.is_file():
        raise BuildError(f"{file} is not there: the package changed, or `make assets` did not install it")
    return file


if __name__ == "__main__":
    try:
        build(PORTAL / "static" / "vendor")
    except BuildError as error:
        sys.exit(f"frontend/build.py: {error}")
