"""One measurement: a target under the load of N connections, from a client process on a core of its own."""

import json
import subprocess
import sys
from typing import Any

from benchmarks.servers import BODY, Target

SERVER_CORE, CLIENT_CORE = 0, 1


def measured(target: Target, connections: int, measure_s: float) -> dict[str, Any]:
    """Return what the load client measured. Raises RuntimeError where a request failed."""
    load = {
        "port": target.port,
        "path": target.path,
        "headers": target.headers,
        "body": BODY,
        "connections": connections,
        "warm_up_s": 0.5,
        "measure_s": measure_s,
    }
    command = [sys.executable, "-m", "benchmarks.load_client", "--core", str(CLIENT_CORE)]
    output = subprocess.run(command, input=json.dumps(load).encode(), stdout=subprocess.PIPE, check=True).stdout
    measurement: dict[str, Any] = json.loads(output)
    if measurement["failures"]:
        raise RuntimeError(f"{target.name}: {measurement['failures']} requests failed; a figure would be worthless")
    return measurement
