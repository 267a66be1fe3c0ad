"""Dashboards: the committed files are those of the code, and no panel asks for what isn't there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.dashboards.__main__ import documents
from stream_detector.observability.catalogue import entries
from tests.deploy.prometheus import ROOT, promtool, rules, unknown_names

DOCUMENTS = documents()
PANELS = [
    pytest.param(panel, id=f"{name.removesuffix('.json')}: {panel['title']}")
    for name, document in DOCUMENTS.items()
    for panel in document["panels"]
]
QUERIES = [target["expr"] for document in DOCUMENTS.values() for panel in document["panels"] for target in panel["targets"]]


def test_committed_dashboards_are_those_of_the_code() -> None:
    """Run `make docs` after a change."""
    committed = {file.name: json.loads(file.read_text(encoding="utf-8")) for file in (ROOT / "deploy/grafana").glob("*.json")}
    assert committed == DOCUMENTS


@pytest.mark.validators
def test_every_query_can_be_parsed(tmp_path: Path) -> None:
    """By Prometheus itself, with Grafana's variables filled in as Grafana does."""
    filled = [re.sub(r"\$__\w+", "5m", query) for query in QUERIES]
    recording = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(filled)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": recording}]}), encoding="utf-8")
    promtool("check", "rules", "--lint=none", file)


@pytest.mark.parametrize("panel", PANELS)
def test_panels_say_what_they_show_and_ask_for_what_is_there(panel: dict[str, Any]) -> None:
    """With a sentence under the title, and with metrics and labels that exist."""
    assert panel["description"]
    assert panel["targets"]
    for target in panel["targets"]:
        query = target["expr"]
        assert "stream_detector" in query
        assert not unknown_names(query)
        known = {label for entry in entries() if entry.name in query for label in entry.labels} | {"le"} | _recorded_labels(query)
        used = {label for group in re.findall(r"by \(([^)]*)\)", query) for label in re.findall(r"\w+", group)}
        assert used | set(re.findall(r"(\w+)=~?\"", query)) <= known
        if used:
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) == used - _summed_away(panel, query)


def _recorded_labels(query: str) -> set[str]:
    """Those that the recorded series of a query keep."""
    recorded = [rule["expr"] for rule in rules() if "record" in rule and rule["record"] in query]
    labels = {label for expr in recorded for group in re.findall(r"by \(([^)]*)\)", expr) for label in re.findall(r"\w+", group)}
    inner = {label for expr in recorded for label in _recorded_labels(expr)}
    return labels | inner


def _summed_away(panel: dict[str, Any], query: str) -> set[str]:
    """A quantile has no le left; in a heatmap it is the row."""
    return {"le"} if "histogram_quantile" in query and panel["type"] != "heatmap" else set()


def test_a_misspelt_name_is_found() -> None:
    """What the tests above rest on."""
    assert unknown_names("rate(stream_detector_event_latency_second_bucket[5m])") == {"stream_detector_event_latency_second_bucket"}
    assert unknown_names("stream_detector:promise_missed:ratio_rate2m") == {"stream_detector:promise_missed:ratio_rate2m"}
    assert not unknown_names(" ".join(rule["expr"] for rule in rules()))


def test_dashboards_are_found_by_their_links() -> None:
    """Each has an address of its own and the tag that the menu of the others lists."""
    assert len({document["uid"] for document in DOCUMENTS.values()}) == len(DOCUMENTS) == 4
    assert all(document["tags"] == ["stream-detector"] for document in DOCUMENTS.values())
    assert all(document["links"] for document in DOCUMENTS.values())
