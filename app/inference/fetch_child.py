"""The child process that fetches one version: `python -m app.inference.fetch_child PREDICTOR VERSION_DIR`.

Its last line on stdout says in plain words why it failed; it exits 0 only when the weights are in place.
"""

import runpy
import sys
from pathlib import Path

from app.errors import AppError


def main(predictor: Path, version_dir: Path) -> int:
    """Call the predictor's `fetch`; return the exit status."""
    try:
        fetch = runpy.run_path(str(predictor)).get("fetch")
        if fetch is None:
            print("this model does not know where its weights could be fetched")  # noqa: T201
            return 1
        fetch(version_dir)
    except AppError as error:
        print(error)  # noqa: T201 - the parent reads it
        return 1
    except Exception as error:  # noqa: BLE001 - a predictor may raise anything; the parent shows one plain line
        print(f"{type(error).__name__}: {error}")  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
