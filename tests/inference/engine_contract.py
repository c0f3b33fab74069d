"""What every engine promises. An engine's test module subclasses `EngineContract` and gives it a `rig`."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from app.inference.engine import (
    Cancelled,
    DeadlineExceeded,
    Engine,
    Job,
    ModelFailed,
    ModelNotFound,
    ModelState,
    ModelUnavailable,
    Overloaded,
    Ticket,
    VersionNotFound,
    VersionStatus,
)
from app.inference.inputs import ModelInput
from app.inference.manifest import TensorInput
from app.inference.prediction import BatchFact, Prediction
from tests.inference.model_folders import HOLD, NOT_A_NUMBER, POISON, Gate, write_model, write_weights

QUEUE_ITEMS_MAX = 20
ITEMS_MAX = 8
FAR_NS = 3_600 * 10**9


@dataclass
class Rig:
    """An engine over a repository in a temporary folder, and the batches that it reported."""

    engine: Engine
    models_dir: Path
    data_dir: Path
    gate: Gate
    facts: list[BatchFact] = field(default_factory=list)

    async def wait_for(self, what: Callable[[], bool]) -> None:
        """Let the loader work until it is so; the test's own timeout bounds it."""
        while not what():  # noqa: ASYNC110 - the catalogue is polled by its users too
            await asyncio.sleep(0.01)

    async def wait_until_ready(self, model: str = "double") -> None:
        await self.wait_for(lambda: self.status(model) is VersionStatus.READY)

    def model(self, name: str) -> ModelState:
        return next(state for state in self.engine.catalogue() if state.name == name)

    def rewrite_manifest(self, old: str, new: str) -> None:
        """Save another `model.toml` of `double` while it is served."""
        file = self.models_dir / "double" / "model.toml"
        text = file.read_text(encoding="utf-8")
        assert old in text
        fresh = file.with_suffix(".fresh")
        fresh.write_text(text.replace(old, new), encoding="utf-8")
        fresh.replace(file)

    def status(self, model: str, version: int = 1) -> VersionStatus | None:
        found = [state for state in self.engine.catalogue() if state.name == model]
        return found[0].versions[version].status if found and version in found[0].versions else None

    def reason(self, model: str) -> str | None:
        found = [state for state in self.engine.catalogue() if state.name == model]
        return found[0].versions[1].reason if found else None

    def submit(self, *first_numbers: float, deadline_ns: int | None = None) -> Ticket:
        rows = np.array([[number, 1.0] for number in first_numbers], dtype=np.float32)
        deadline_ns = deadline_ns or time.perf_counter_ns() + FAR_NS
        return self.engine.submit(Job("double", 1, "acct_1", ModelInput(len(rows), rows.nbytes, rows), deadline_ns))

    async def hold(self) -> Ticket:
        """Return a job that is inside the model and stays there until the gate is opened."""
        ticket = self.submit(HOLD)
        await self.gate.wait_until_held()
        return ticket


def values_of(prediction: Prediction) -> list[float]:
    return [output["double"] for output in prediction.outputs]


class EngineContract:
    """Tests of the Engine protocol alone: nothing in them knows how an engine works."""

    async def test_answers_come_in_the_order_of_the_inputs(self, rig: Rig) -> None:
        prediction = await rig.submit(3.0, 1.0, 2.0).result
        assert values_of(prediction) == [8.0, 4.0, 6.0]
        assert (prediction.items, prediction.model, prediction.version) == (3, "double", 1)

    async def test_calls_that_wait_share_one_batch_and_each_gets_its_own_answer(self, rig: Rig) -> None:
        held = await rig.hold()
        waiting = [rig.submit(1.0), rig.submit(2.0, 3.0), rig.submit(4.0)]
        rig.gate.open()
        await held.result
        predictions = [await ticket.result for ticket in waiting]
        assert [values_of(prediction) for prediction in predictions] == [[4.0], [6.0, 8.0], [10.0]]
        assert len({prediction.batch_id for prediction in predictions}) == 1
        assert [(fact.calls, fact.items) for fact in rig.facts] == [(1, 1), (3, 4)]

    async def test_an_idle_device_does_not_wait_for_company(self, rig: Rig) -> None:
        await rig.submit(1.0).result
        assert [(fact.calls, fact.items, fact.bucket) for fact in rig.facts] == [(1, 1, 1)]

    async def test_a_batch_holds_no_more_inputs_than_the_manifest_allows(self, rig: Rig) -> None:
        held = await rig.hold()
        waiting = [rig.submit(*[1.0] * 3) for _ in range(4)]
        rig.gate.open()
        await asyncio.gather(held.result, *(ticket.result for ticket in waiting))
        assert [fact.items for fact in rig.facts] == [1, 6, 6]

    async def test_a_call_larger_than_a_batch_runs_in_chunks(self, rig: Rig) -> None:
        numbers = [float(number) for number in range(19)]
        prediction = await rig.submit(*numbers).result
        assert values_of(prediction) == [2 * number + 2 for number in numbers]
        assert [(fact.items, fact.bucket) for fact in rig.facts] == [(19, ITEMS_MAX)]

    async def test_a_call_cancelled_before_it_starts_never_runs(self, rig: Rig) -> None:
        held = await rig.hold()
        cancelled, kept = rig.submit(1.0), rig.submit(2.0)
        assert cancelled.cancel() is True
        assert cancelled.cancel() is False
        rig.gate.open()
        with pytest.raises(Cancelled):
            await cancelled.result
        await asyncio.gather(held.result, kept.result)
        assert sum(fact.items for fact in rig.facts) == 2

    async def test_a_call_cancelled_while_it_runs_is_computed_to_its_end(self, rig: Rig) -> None:
        held = await rig.hold()
        assert held.cancel() is False
        rig.gate.open()
        assert values_of(await held.result) == [2 * HOLD + 2]
        assert [(fact.items_cancelled, fact.items_failed) for fact in rig.facts] == [(1, 0)]

    async def test_a_call_past_its_deadline_never_runs(self, rig: Rig) -> None:
        held = await rig.hold()
        late = rig.submit(1.0, deadline_ns=time.perf_counter_ns())
        rig.gate.open()
        with pytest.raises(DeadlineExceeded):
            await late.result
        await held.result
        assert [fact.items for fact in rig.facts] == [1]

    async def test_a_poisonous_call_fails_alone(self, rig: Rig) -> None:
        held = await rig.hold()
        before, poisonous, after = rig.submit(1.0), rig.submit(POISON), rig.submit(2.0)
        rig.gate.open()
        assert values_of(await before.result) == [4.0]
        assert values_of(await after.result) == [6.0]
        with pytest.raises(ModelFailed):
            await poisonous.result
        await held.result
        assert [(fact.calls, fact.items_failed) for fact in rig.facts] == [(1, 0), (3, 3), (1, 0), (1, 1), (1, 0)]

    async def test_an_answer_that_is_not_finite_fails_its_own_call_only(self, rig: Rig) -> None:
        held = await rig.hold()
        good, bad = rig.submit(1.0), rig.submit(2.0, NOT_A_NUMBER)
        rig.gate.open()
        assert values_of(await good.result) == [4.0]
        with pytest.raises(ModelFailed, match="not finite"):
            await bad.result
        await held.result
        assert [(fact.items, fact.items_failed) for fact in rig.facts] == [(1, 0), (3, 2)]

    async def test_the_shares_of_the_calls_sum_to_their_batch(self, rig: Rig) -> None:
        held = await rig.hold()
        waiting = [rig.submit(*[1.0] * count) for count in (1, 2, 3)]
        rig.gate.open()
        await held.result
        predictions = [await ticket.result for ticket in waiting]
        assert sum(prediction.compute_us for prediction in predictions) == rig.facts[1].compute_us
        assert {prediction.batch_id for prediction in predictions} == {rig.facts[1].id}

    async def test_the_time_in_the_queue_is_measured(self, rig: Rig) -> None:
        held = await rig.hold()
        waiting = rig.submit(1.0)
        rig.gate.open()
        first, second = await held.result, await waiting.result
        assert second.queue_us >= 0
        assert rig.facts[0].compute_us >= first.compute_us > 0

    async def test_every_batch_is_reported_once(self, rig: Rig) -> None:
        predictions = await asyncio.gather(*(rig.submit(float(number)).result for number in range(20)))
        assert len({fact.id for fact in rig.facts}) == len(rig.facts)
        assert {prediction.batch_id for prediction in predictions} == {fact.id for fact in rig.facts}
        assert sum(fact.items for fact in rig.facts) == 20

    async def test_a_full_queue_refuses_the_next_call(self, rig: Rig) -> None:
        held = await rig.hold()
        waiting = [rig.submit(*[1.0] * 5) for _ in range(QUEUE_ITEMS_MAX // 5)]
        with pytest.raises(Overloaded) as refusal:
            rig.submit(1.0)
        assert refusal.value.retry_after_s
        rig.gate.open()
        await asyncio.gather(held.result, *(ticket.result for ticket in waiting))
        await rig.submit(1.0).result

    async def test_an_unknown_model_and_an_unknown_version_are_not_found(self, rig: Rig) -> None:
        with pytest.raises(ModelNotFound):
            rig.engine.resolve("nobody", None)
        with pytest.raises(VersionNotFound):
            rig.engine.resolve("double", 7)
        assert rig.engine.resolve("double", None).number == 1

    async def test_a_broken_manifest_hides_no_other_model(self, rig: Rig) -> None:
        write_model(rig.models_dir, "broken", manifest="name = 7")
        await rig.wait_for(lambda: len(rig.engine.catalogue()) == 2)
        broken, double = rig.engine.catalogue()
        assert broken.manifest is None
        assert "model.toml: name" in (broken.reason or "")
        assert double.versions[1].status is VersionStatus.READY
        with pytest.raises(ModelUnavailable, match=r"model\.toml"):
            rig.engine.resolve("broken", None)

    async def test_a_ready_model_answers_on_when_its_manifest_breaks(self, rig: Rig) -> None:
        loaded = rig.engine.resolve("double", None)
        rig.rewrite_manifest("title =", "title")
        await rig.wait_for(lambda: rig.model("double").reason is not None)
        assert "model.toml: " in (rig.model("double").reason or "")
        assert rig.model("double").manifest == loaded.manifest
        assert rig.status("double") is VersionStatus.READY
        assert rig.engine.resolve("double", None) == loaded
        assert values_of(await rig.submit(1.0).result) == [4.0]

    async def test_a_ready_version_keeps_the_manifest_that_it_was_loaded_with(self, rig: Rig) -> None:
        loaded = rig.engine.resolve("double", None)
        rig.rewrite_manifest("features = 2", "features = 3")
        await rig.wait_for(lambda: rig.model("double").reason is not None)
        assert "restart" in (rig.model("double").reason or "")
        assert rig.model("double").manifest == loaded.manifest
        assert rig.engine.resolve("double", None) == loaded
        write_weights(rig.data_dir / "models" / "double" / "2")
        await rig.wait_for(lambda: rig.status("double", 2) is VersionStatus.READY)
        later = rig.engine.resolve("double", 2).manifest.input
        assert isinstance(later, TensorInput)
        assert later.features == 3
        assert rig.engine.resolve("double", 1) == loaded

    async def test_another_default_version_needs_no_restart(self, rig: Rig) -> None:
        write_weights(rig.data_dir / "models" / "double" / "2")
        await rig.wait_for(lambda: rig.status("double", 2) is VersionStatus.READY)
        rig.rewrite_manifest("default_version = 1", "default_version = 2")
        await rig.wait_for(lambda: rig.engine.resolve("double", None).number == 2)
        assert rig.model("double").reason is None

    async def test_a_predictor_that_raises_when_it_loads_shows_its_reason(self, rig: Rig) -> None:
        version_dir = write_model(rig.models_dir, "broken", predictor="raise RuntimeError('secret path')")
        write_weights(version_dir)
        await rig.wait_for(lambda: rig.status("broken") is VersionStatus.UNAVAILABLE)
        with pytest.raises(ModelUnavailable, match="RuntimeError") as refusal:
            rig.engine.resolve("broken", None)
        assert "secret" not in str(refusal.value)
        await rig.submit(1.0).result

    async def test_weights_that_appear_later_are_served(self, rig: Rig) -> None:
        write_model(rig.models_dir, "later")
        await rig.wait_for(lambda: rig.status("later") is VersionStatus.UNAVAILABLE)
        with pytest.raises(ModelUnavailable, match="not there yet"):
            rig.engine.resolve("later", None)
        write_weights(rig.data_dir / "models" / "later" / "1")
        await rig.wait_until_ready("later")
        assert rig.engine.resolve("later", None).model == "later"

    async def test_a_pickle_is_refused(self, rig: Rig) -> None:
        version_dir = write_model(rig.models_dir, "pickled")
        (version_dir / "weights.pt").write_bytes(b"PK\x03\x04")
        await rig.wait_for(lambda: rig.status("pickled") is VersionStatus.UNAVAILABLE)
        with pytest.raises(ModelUnavailable, match="pickle"):
            rig.engine.resolve("pickled", None)

    async def test_stopping_refuses_what_waits_and_finishes_what_runs(self, rig: Rig) -> None:
        held = await rig.hold()
        waiting = rig.submit(1.0)
        stopping = asyncio.create_task(rig.engine.stop())
        with pytest.raises(ModelUnavailable):
            await waiting.result
        rig.gate.open()
        await stopping
        assert values_of(await held.result) == [2 * HOLD + 2]
        with pytest.raises(ModelUnavailable):
            rig.submit(1.0)

    async def test_a_device_is_held_from_the_start(self, rig: Rig) -> None:
        (device,) = rig.engine.devices()
        await rig.submit(1.0).result
        assert [fact.device for fact in rig.facts] == [device.name]
