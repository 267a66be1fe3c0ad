"""The few kinds of panels that the dashboards are made of."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import common, dashboard, heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.models.common import GraphTresholdsStyleMode, StackingMode
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DataSourceRef, Threshold, ThresholdsMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

FULL, HALF, THIRD = 24, 12, 8

_HEIGHT, _LOW = 9, 4
_SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")

#: A query and the name of its series.
Query = tuple[str, str]
Panel = timeseries.Panel | heatmap.Panel | stat.Panel


def board(uid: str, title: str, description: str, panels: Sequence[Panel]) -> dashboard.Dashboard:
    """A dashboard; Prometheus is chosen at its top, and all dashboards are linked by their tag."""
    made = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["stream-detector"])
        .refresh("30s")
        .time("now-3h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(dashboard.DashboardLink("Stream detector").tags(["stream-detector"]).as_dropdown(True).keep_time(True))  # noqa: FBT003
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    for number, panel in enumerate(panels, 1):
        made = made.with_panel(panel.id(number))
    return made


def lines(
    title: str,
    description: str,
    *queries: Query,
    unit: str = "short",
    span: int = HALF,
    lowest: float | None = 0,
    marks: Sequence[float] = (),
) -> timeseries.Panel:
    """Lines over time, from `lowest` upwards (None: from wherever they are); a dashed line at each of the marks."""
    panel = timeseries.Panel().title(title).description(description).datasource(_SOURCE).unit(unit).span(span).height(_HEIGHT)
    if lowest is not None:
        panel = panel.min(lowest)
    if marks:
        steps = [Threshold(color="transparent"), *(Threshold(mark, "orange") for mark in marks[:-1]), Threshold(marks[-1], "red")]
        panel = panel.thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        panel = panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphTresholdsStyleMode.DASHED))
    for query in _targets(queries):
        panel = panel.with_target(query)
    return panel


def layers(title: str, description: str, *queries: Query, unit: str = "short", span: int = HALF) -> timeseries.Panel:
    """Areas on top of each other: parts of a whole."""
    panel = lines(title, description, *queries, unit=unit, span=span)
    return panel.fill_opacity(30).stacking(common.StackingConfig().mode(StackingMode.NORMAL))


def figure(title: str, description: str, query: Query, *, unit: str = "percentunit", span: int = THIRD) -> stat.Panel:
    """One number, with its course behind it."""
    panel = stat.Panel().title(title).description(description).datasource(_SOURCE).unit(unit).span(span).height(_LOW).decimals(2)
    for target in _targets([query]):
        panel = panel.with_target(target)
    return panel


def heat(title: str, description: str, query: str, *, unit: str = "s", span: int = FULL) -> heatmap.Panel:
    """A histogram over time; the query gives the rate of each bucket."""
    target = prometheus.Dataquery().expr(query).legend_format("{{le}}").format(PromQueryFormat.HEATMAP).ref_id("A")
    panel = heatmap.Panel().title(title).description(description).datasource(_SOURCE).span(span).height(_HEIGHT)
    return panel.y_axis(heatmap.YAxisConfig().unit(unit)).with_target(target)


def _targets(queries: Sequence[Query]) -> list[prometheus.Dataquery]:
    return [
        prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(chr(ord("A") + number))
        for number, (expression, legend) in enumerate(queries)
    ]
