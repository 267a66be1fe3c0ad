"""Alerts: each fires and keeps silent as promtool plays it, each has its runbook, and none rests on a metric that isn't there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.prometheus import ROOT, RULES, promtool, rules, unknown_names

CASES = sorted((ROOT / "deploy/prometheus/tests").glob("*.yml"))
RUNBOOKS = (ROOT / "docs/runbooks.md").read_text(encoding="utf-8")


ALERTS = [rule for rule in rules() if "alert" in rule]
alerts = pytest.mark.parametrize("alert", ALERTS, ids=[rule["alert"] for rule in ALERTS])


@pytest.mark.validators
def test_the_rules_arerules() -> None:
    """Prometheus loads them."""
    promtool("check", "rules", *RULES)


@pytest.mark.validators
@pytest.mark.timeout(600)
@pytest.mark.parametrize("cases", CASES, ids=lambda file: file.stem)
def test_alerts_fire_and_keep_silent(cases: Path) -> None:
    """Days of series, played in seconds."""
    promtool("test", "rules", cases)


@alerts
def test_each_alert_is_played_both_ways(alert: dict[str, Any]) -> None:
    """One that was never seen to fire may be misspelt; one that was never seen silent may always fire."""
    played = [
        bool(case["exp_alerts"])
        for file in CASES
        for scene in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]
        for case in scene["alert_rule_test"]
        if case["alertname"] == alert["alert"]
    ]
    assert set(played) == {True, False}


@alerts
def test_each_alert_has_a_runbook(alert: dict[str, Any]) -> None:
    """Whoever is woken finds cause, check and remedy where the alert points."""
    page, _, anchor = alert["annotations"]["runbook"].partition("#")
    assert page == "docs/runbooks.md"
    sections = {
        title.lower(): text for title, text in re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", RUNBOOKS, re.MULTILINE | re.DOTALL)
    }
    section = sections[anchor]
    assert anchor == alert["alert"].lower()
    for part in ("**Cause.**", "**Check.**", "**Remedy.**"):
        assert part in section
    # The section's first word says whether it is for the night.
    assert section.split()[0] == f"{alert['labels']['severity'].capitalize()}."


def test_no_runbook_without_an_alert() -> None:
    """A section whose alert was renamed would never be found."""
    assert set(re.findall(r"^## (\S+)$", RUNBOOKS, re.MULTILINE)) == {rule["alert"] for rule in ALERTS}


def test_rules_and_runbooks_name_metrics_that_exist() -> None:
    """A renamed metric silently disarms an alert."""
    for text in [*(rule["expr"] for rule in rules()), RUNBOOKS]:
        assert not unknown_names(text)


def test_the_burn_rates_are_the_agreed_ones() -> None:
    """Factor, windows and severity of each, and an objective of 99 %."""
    found = {
        (*re.findall(r"ratio_rate(\w+) > ([\d.]+) \* 0\.01", rule["expr"]), rule["labels"]["severity"])
        for rule in ALERTS
        if "PromiseBurns" in rule["alert"]
    }
    assert found == {
        (("5m", "14.4"), ("1h", "14.4"), "page"),
        (("30m", "6"), ("6h", "6"), "page"),
        (("2h", "3"), ("1d", "3"), "ticket"),
        (("6h", "1"), ("3d", "1"), "ticket"),
    }
