"""The environment of the conventional build: LitServe in a folder of its own; what both need comes from `.venv`."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from benchmarks.servers import ROOT

FOLDER = ROOT / "build" / "litserve"
LOCK = Path(__file__).parent / "requirements.lock"  # no dependencies: they are those of `.venv`
PYTHON = FOLDER / "bin" / "python"


def ensure_environment() -> None:
    """Make the environment where it is missing. Raises CalledProcessError where its packages cannot be fetched."""
    done = FOLDER / ".done"
    if done.exists():
        return
    venv.create(FOLDER, with_pip=True, clear=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--require-hashes", "--requirement", str(LOCK)], check=True)
    packages = FOLDER / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    Path(packages / "shared.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")  # torch, FastAPI, SQLAlchemy
    done.touch()
