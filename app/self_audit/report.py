"""What an audit found: for each check how much was compared, and the first differences."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

DIFFERENCES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Difference:
    """Two places of the books that should say the same of a subject, and do not."""

    subject: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """`differences` counts all of them, `first` shows some; `warnings` tell what is no difference and yet worth a look.

    `compared` is how many pairs were looked at, `uncompared` how many have nothing exact to be compared with.
    """

    check: str
    claim: str
    compared: int
    uncompared: int
    differences: int
    first: tuple[Difference, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuditReport:
    """All checks on one state of the database."""

    as_of: datetime
    results: Sequence[CheckResult]

    @property
    def clean(self) -> bool:
        """Whether there is no difference at all."""
        return not any(result.differences for result in self.results)


@dataclass(slots=True)
class Tally:
    """Takes down what a check compares, and keeps only the first differences."""

    compared: int = 0
    uncompared: int = 0
    differences: int = 0
    first: list[Difference] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def compare(self, subject: str, expected: object, found: object) -> None:
        """Count one comparison, and take down a difference."""
        self.compared += 1
        if expected != found:
            self.differ(subject, expected, found)

    def differ(self, subject: str, expected: object, found: object) -> None:
        """Take down a difference of something that was counted as compared elsewhere."""
        self.differences += 1
        if len(self.first) < DIFFERENCES_SHOWN:
            self.first.append(Difference(subject, str(expected), str(found)))

    def warn(self, text: str) -> None:
        """Take down what deserves a look."""
        self.warnings.append(text)

    def result(self, check: str, claim: str) -> CheckResult:
        """Return what was taken down."""
        return CheckResult(
            check, claim, self.compared, self.uncompared, self.differences, tuple(self.first), tuple(self.warnings)
        )
