"""What Prometheus is told of the gate, the limits and the group commits.

No label names an account, a key or a person: the series would grow with the customers, and tell of them.
"""

from dataclasses import dataclass

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

# result: granted | replayed (a stored answer) | refused (another request under the key) | in_use (the first one runs)
claims = Counter("faremeter_claims_total", "Claims of idempotency keys, by what became of them", ["result"])
claims_swept = Counter("faremeter_claims_swept_total", "Running claims that dead processes left behind")
holds_granted = Counter("faremeter_holds_granted_total", "Calls that the gate let pass with a hold")
# reason: the name of the bound (balance, key_budget_day, …), or the code of the error where no bound refused
holds_refused = Counter("faremeter_holds_refused_total", "Calls that the gate refused, by the bound", ["reason"])
holds_settled = Counter("faremeter_holds_settled_total", "Holds that became use")
# cause: failed (the call was not answered) | swept (its process is dead)
holds_released = Counter("faremeter_holds_released_total", "Holds that were given back, by the cause", ["cause"])
leases_swept = Counter("faremeter_leases_swept_total", "Leases of dead processes that this process has ended")
limit_refusals = Counter("faremeter_limit_refusals_total", "Calls that a limit refused, by its name", ["limit"])
limits_without_redis = Gauge(
    "faremeter_limits_without_redis", "1 while Redis does not answer", multiprocess_mode="livemax"
)

# The label `group` says whose: the recorder's or the gate's.
_entries = Counter("faremeter_commit_entries_total", "Entries in group commits that were written", ["group"])
_seconds = Histogram(
    "faremeter_commit_seconds", "Group commits that were written, by how long one took", ["group"], buckets=_SECONDS
)
_retries = Counter("faremeter_commit_retries_total", "Group commits that were tried again", ["group"])
_failures = Counter("faremeter_commit_failures_total", "Entries that could not be written, all told so", ["group"])
_waiting = Gauge("faremeter_commit_waiting", "Entries that wait to be written", ["group"], multiprocess_mode="livesum")


@dataclass(frozen=True, slots=True)
class GroupMeter:
    """The series of one group commit, looked up once: it is told of every group."""

    entries: Counter
    seconds: Histogram
    retries: Counter
    failures: Counter
    waiting: Gauge

    def wrote(self, entries: int, seconds: float) -> None:
        """Count a group that was written."""
        self.entries.inc(entries)
        self.seconds.observe(seconds)


def group_meter(group: str) -> GroupMeter:
    """Return the series of the group commit of that name."""
    return GroupMeter(
        entries=_entries.labels(group),
        seconds=_seconds.labels(group),
        retries=_retries.labels(group),
        failures=_failures.labels(group),
        waiting=_waiting.labels(group),
    )
