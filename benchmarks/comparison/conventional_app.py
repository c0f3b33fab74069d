"""The conventional build: `linear` behind LitServe, with batching, and the background meter as its middleware.

Run it with the Python of `build/litserve`: `python -m benchmarks.comparison.conventional_app --port P --database URL`.
"""

import argparse
from pathlib import Path

import litserve
import torch
from safetensors.torch import load_file

from benchmarks.comparison.background_meter import BackgroundMeter

_WEIGHTS = Path(__file__).parents[2] / "models" / "linear" / "1" / "weights.safetensors"


class LinearAPI(litserve.LitAPI):  # type: ignore[misc]  # LitServe is not installed where types are checked
    """One row of ten numbers in, one number out."""

    def setup(self, device: str) -> None:
        self.network = torch.nn.Linear(10, 1)
        self.network.load_state_dict({n.removeprefix("linear."): v for n, v in load_file(_WEIGHTS).items()})
        self.network.to(device)

    def decode_request(self, request: dict[str, list[list[float]]]) -> torch.Tensor:
        return torch.tensor(request["inputs"][0])

    def batch(self, inputs: list[torch.Tensor]) -> torch.Tensor:
        return torch.stack(inputs)

    def predict(self, batch: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return self.network(batch)  # type: ignore[no-any-return]

    def unbatch(self, output: torch.Tensor) -> list[float]:
        values: list[float] = output.squeeze(1).tolist()
        return values

    def encode_response(self, output: float) -> dict[str, list[float]]:
        return {"outputs": [output]}


def main() -> None:
    """Serve on loopback until the process ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    server = litserve.LitServer(
        LinearAPI(max_batch_size=32, batch_timeout=0.002),
        accelerator="cpu",
        middlewares=[(BackgroundMeter, {"database_url": arguments.database})],
    )
    server.run(host="127.0.0.1", port=arguments.port, log_level="warning", generate_client_file=False)


if __name__ == "__main__":
    main()
