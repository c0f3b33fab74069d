"""import-linter's contracts hold: imports only go down the layers."""

import subprocess
import sys
from pathlib import Path

from tests.architecture.source_tree import ROOT


def test_every_import_goes_down_the_layers() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
