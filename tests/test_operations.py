"""The page for operators stays true: it lists every metric with its labels, and no label names a customer."""

import re
from pathlib import Path

from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

import app.main  # noqa: F401 - with it, every module that counts something is there

PAGE = (Path(__file__).parent.parent / "docs" / "operations.md").read_text()
LABELS = {"route", "status", "result", "reason", "cause", "limit", "group"}


def ours() -> dict[str, set[str]]:
    """Return our metrics with their labels, as Prometheus reads them."""
    registered = REGISTRY._names_to_collectors.items()
    collectors = {
        collector
        for name, collector in registered
        if name.startswith("faremeter_") and isinstance(collector, MetricWrapperBase)
    }
    return {
        collector._name + ("_total" if collector._type == "counter" else ""): set(collector._labelnames)
        for collector in collectors
    }


def test_every_metric_is_listed_with_its_labels_and_no_other() -> None:
    rows = re.findall(r"^\| `(faremeter_\w+)` \| (.*?) ?\| ", PAGE, re.MULTILINE)
    assert {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows} == ours()


def test_no_label_names_a_customer() -> None:
    assert set().union(*ours().values()) == LABELS
