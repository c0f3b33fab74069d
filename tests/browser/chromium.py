"""The Chromium that shows the pages to tests: found on this machine, or installed there by `make browser`."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ROOT = os.geteuid() == 0
_INSTALL_S_MAX = 900
# With --disable-gpu, Chromium does not imitate a graphics card, at a cost. Its sandbox refuses root; the pages it shows
# here are our own, on loopback.
_ARGUMENTS = ["--force-color-profile=srgb", "--disable-gpu", *(["--no-sandbox"] if _ROOT else [])]


class NoChromium(Exception):
    """There is none, and none could be installed."""


def find_chromium() -> Path | None:
    """Return Chromium or Chrome on PATH, else the one that playwright keeps for itself."""
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found)
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    return own if own.exists() else None


def install_chromium() -> Path:
    """Return Chromium, installed first where there is none. Raises NoChromium."""
    for command in ([], *_installers()):
        if command:
            print("$", *command, flush=True)  # noqa: T201  # `make browser` says what it does to the machine
            subprocess.run(command, check=False, timeout=_INSTALL_S_MAX)
        if found := find_chromium():
            return found
    raise NoChromium(f"Chromium is missing and could not be installed: put one of {', '.join(_NAMES)} on PATH")


def _installers() -> Iterator[list[str]]:
    yield [sys.executable, "-m", "playwright", "install", *(["--with-deps"] if _ROOT else []), "chromium"]
    if _ROOT and shutil.which("apt-get"):
        yield ["apt-get", "update", "--quiet"]
        # The font is for the pages in Chinese, which would be rows of boxes without one.
        yield ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "chromium", "fonts-noto-cjk"]


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Run it without a window. Raises NoChromium."""
    executable = find_chromium()
    if executable is None:
        raise NoChromium("there is no Chromium on this machine: run `make browser`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(executable), args=_ARGUMENTS)
        yield browser
        browser.close()


if __name__ == "__main__":
    try:
        install_chromium()
    except NoChromium as error:
        sys.exit(str(error))
