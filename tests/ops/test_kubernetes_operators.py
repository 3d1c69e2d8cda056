"""What operators and charts of others are given: no schema of Kubernetes knows it."""

from typing import Any, Final

import pytest
import yaml

from tests.ops.kubernetes import FOLDER
from tests.queries import ROOT

pytestmark = pytest.mark.ops

GUIDE: Final = (ROOT / "docs" / "deploy.md").read_text("utf-8")


def adapter() -> dict[str, Any]:
    """The values of the Prometheus adapter's chart."""
    values = FOLDER / "components" / "prometheus" / "adapter-values.yaml"
    given: dict[str, Any] = yaml.safe_load(values.read_text("utf-8"))
    return given


# --- Prometheus ----------------------------------------------------------------------------------


def test_the_adapter_asks_the_prometheus_that_its_operator_runs() -> None:
    # Its operator makes the Service of this name; the chart's default is one in `default`.
    assert adapter()["prometheus"] == {
        "url": "http://prometheus-operated.monitoring.svc", "port": 9090,
    }  # fmt: skip
    assert "in `monitoring`" in GUIDE


def test_the_adapter_offers_our_figure_and_none_of_the_charts_own() -> None:
    assert adapter()["rules"]["default"] is False
    assert len(adapter()["rules"]["custom"]) == 1


def test_the_guide_says_how_the_stack_finds_objects_without_its_label() -> None:
    for kind in ("serviceMonitor", "rule"):
        assert f"{kind}SelectorNilUsesHelmValues" in GUIDE
