"""The peer: `linear` behind FastAPI as its documentation and PyTorch's tutorials show it, and nothing else.

No key, no metering, no record of anything. Two routes, since both are common: `async def` computes on the event loop,
`def` in FastAPI's thread pool. Run it with `uvicorn benchmarks.plain_fastapi:app`.
"""

from pathlib import Path

import torch
from fastapi import FastAPI
from pydantic import BaseModel
from safetensors.torch import load_file

WEIGHTS = Path(__file__).parent.parent / "models" / "linear" / "1" / "weights.safetensors"

app = FastAPI()
network = torch.nn.Linear(10, 1)
network.load_state_dict({name.removeprefix("linear."): value for name, value in load_file(WEIGHTS).items()})


class Inputs(BaseModel):
    """Rows of ten numbers."""

    inputs: list[list[float]]


class Outputs(BaseModel):
    """One number a row."""

    outputs: list[float]


def compute(rows: list[list[float]]) -> Outputs:
    """Run the network on `rows`, one a prediction."""
    with torch.inference_mode():
        return Outputs(outputs=network(torch.tensor(rows)).squeeze(1).tolist())


@app.post("/async/predict")
async def predict_on_the_loop(body: Inputs) -> Outputs:
    return compute(body.inputs)


@app.post("/threads/predict")
def predict_in_a_thread(body: Inputs) -> Outputs:
    return compute(body.inputs)
