"""A model as an account may try it: what it takes, whether it answers, what a call costs on the account's plan."""

from dataclasses import dataclass

from app.bootstrap import Services
from app.charging.limits.rule import TEST_UNITS_PER_MINUTE_MAX
from app.charging.quotes import price_of_one
from app.inference.engine import ModelNotFound, ModelState, VersionState, VersionStatus
from app.inference.manifest import ClassesOutput, ImageInput, Manifest, TensorInput
from app.portal.playground.rows import row_text
from app.pricing.plan import PlanVersion, Price

_DIGITS = tuple("0123456789")


@dataclass(frozen=True, slots=True)
class ExamplePicture:
    """A picture to begin with, among the static files."""

    path: str
    media_type: str

    @property
    def file_name(self) -> str:
        return self.path.rpartition("/")[2]


_DIGIT = ExamplePicture("examples/digit.png", "image/png")
_PHOTOGRAPH = ExamplePicture("examples/photograph.jpg", "image/jpeg")


@dataclass(frozen=True, slots=True)
class Trial:
    """`reason` says why the model's default version does not answer; None where it does."""

    name: str
    manifest: Manifest
    labels: tuple[str, ...]
    reason: str | None
    plan: PlanVersion | None
    prices: tuple[Price, ...]
    test_units_a_minute_max: int = TEST_UNITS_PER_MINUTE_MAX

    @property
    def runs(self) -> bool:
        return self.reason is None and bool(self.prices)

    @property
    def takes_pictures(self) -> bool:
        return isinstance(self.manifest.input, ImageInput)

    @property
    def answers_classes(self) -> bool:
        return isinstance(self.manifest.output, ClassesOutput)

    @property
    def knows_digits(self) -> bool:
        """What tells the ten digits apart can be shown one that was drawn."""
        return self.takes_pictures and self.labels == _DIGITS

    @property
    def features(self) -> tuple[str, ...]:
        spec = self.manifest.input
        return spec.names if isinstance(spec, TensorInput) else ()

    @property
    def example_row(self) -> str:
        """Return the row that the form begins with: the manifest's own, else the number next to zero for each."""
        spec = self.manifest.input
        if not isinstance(spec, TensorInput):
            return ""
        return row_text(spec.example or [min(max(0.0, spec.minimum), spec.maximum)] * spec.features)

    @property
    def example_picture(self) -> ExamplePicture:
        return _DIGIT if self.knows_digits else _PHOTOGRAPH

    @property
    def charge_of_one_nanos(self) -> int | None:
        """Return what a live call with one input costs, where the price alone says so."""
        return price_of_one(self.prices)


def trials(services: Services, account_id: str) -> list[Trial]:
    """Return the models that have a manifest, those that can be tried first."""
    plan = services.plan_book.look_up(account_id, services.clock.now())
    found = [trial_of(state, state.manifest, plan) for state in services.engine.catalogue() if state.manifest]
    return sorted(found, key=lambda trial: (not trial.runs, not trial.prices, trial.name))


def find_trial(known: list[Trial], model: str) -> Trial:
    """Return the trial of that model. Raises ModelNotFound."""
    trial = next((each for each in known if each.name == model), None)
    if trial is None:
        raise ModelNotFound(f"there is no model {model!r}", where="model", hint="choose one from the list")
    return trial


def trial_of(state: ModelState, manifest: Manifest, plan: PlanVersion | None) -> Trial:
    """Return a model as an account on that plan may try it."""
    version = state.versions.get(manifest.default_version)
    return Trial(
        name=state.name,
        manifest=manifest,
        labels=version.labels if version else (),
        reason=_reason(version),
        plan=plan,
        prices=plan.prices_for(state.name) if plan else (),
    )


def _reason(version: VersionState | None) -> str | None:
    if version is not None and version.status is VersionStatus.READY:
        return None
    return version.reason or version.status.value if version is not None else VersionStatus.UNAVAILABLE.value
