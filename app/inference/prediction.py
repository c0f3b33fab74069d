"""What came out of a call, and what one batch on a device was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

Output: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer to one job: one output an input, in the order of the inputs.

    `compute_us` is this job's share of the batch's device time; `queue_us` runs from submit to the batch's start.
    """

    outputs: list[Output]
    items: int
    queue_us: int
    compute_us: int
    batch_id: str
    model: str
    version: int


@dataclass(frozen=True, slots=True)
class BatchFact:
    """One batch that a device executed, whether its calls succeeded or not.

    `items` counts every input in the batch, `items_failed` those of calls that failed in it, `items_cancelled` those
    whose callers gave up while it ran. `bucket` is the largest number of inputs that went through the network at once,
    padding included.
    """

    id: str
    model: str
    version: int
    device: str
    engine: str
    started_at: datetime
    ended_at: datetime
    compute_us: int
    calls: int
    items: int
    bucket: int
    items_failed: int
    items_cancelled: int


def compute_shares(compute_us: int, items: Sequence[int]) -> list[int]:
    """Split a batch's time over its jobs by their items (each >= 1); the shares sum to `compute_us` exactly.

    Largest remainder: each job gets the floor of its part, the microseconds left over go to the largest fractions, the
    earlier job first where two are equal.
    """
    if len(items) == 1:
        return [compute_us]
    total = sum(items)
    shares = [compute_us * count // total for count in items]
    left = compute_us - sum(shares)
    if left:
        by_fraction = sorted(range(len(items)), key=lambda job: -(compute_us * items[job] % total))
        for job in by_fraction[:left]:
            shares[job] += 1
    return shares
