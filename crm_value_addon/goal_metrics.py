"""What goals can be about, and what can be told of a goal from its measures alone."""

from datetime import timedelta
from typing import NamedTuple

UNITS = [("share", "Share"), ("days", "Days"), ("amount", "Amount"), ("count", "Count")]
# From how many measures on a line through them says where it leads.
LINE_FROM = 3
_NEARLY = 1e-9


class Metric(NamedTuple):
    """How a metric behaves.

    `higher`: more is better. `past`: what it was on a past day can still be told. `level`: it has a value before a
    goal begins, so that a target can be reached already. `start`: where it stands when a goal begins, whatever the
    customers do; None where that has to be measured.
    """

    name: str
    unit: str
    higher: bool = True
    past: bool = True
    level: bool = False
    start: float | None = None


METRICS = {
    "retention": Metric("Retention", "share", start=1.0),
    "key_retention": Metric("Retention of Key Customers", "share", start=1.0),
    "reactivation": Metric("Reactivation", "share", start=0.0),
    "loyalty": Metric("Share at Loyalty", "share", level=True),
    "lead_days": Metric("Days from Lead to Order", "days", higher=False),
    "order_cost": Metric("Cost per Order", "amount", higher=False, past=False, level=True),
    "opportunities": Metric("New Opportunities", "count", start=0.0),
    "satisfied": Metric("Satisfied Customers", "share", past=False, level=True),
    "margin": Metric("Margin Rate", "share"),
}


def meets(metric, actual, target):
    """Whether a figure is at least as good as a target."""
    if METRICS[metric].higher:
        return actual >= target - _NEARLY
    return actual <= target + _NEARLY


def bounded(metric, figure):
    """A figure taken back to what the metric can be."""
    if METRICS[metric].unit == "share":
        figure = min(figure, 1.0)
    return figure if metric == "margin" else max(figure, 0.0)


def forecast(metric, measures, first, last):
    """What a metric will be on the last day of a goal; None where that cannot be told yet.

    :param list measures: ``(day, actual)``, in order of their days
    :param date first: the first day of the goal
    :param date last: its last day
    """
    if not measures:
        return None
    if METRICS[metric].unit == "count":
        day, actual = measures[-1]
        return actual * ((last - first).days + 1) / ((day - first).days + 1)
    if len(measures) < LINE_FROM:
        return None
    return bounded(metric, _on_line([((day - last).days, actual) for day, actual in measures]))


def _on_line(points):
    """Where the straight line nearest to all points is at 0."""
    count = len(points)
    mean_x, mean_y = (sum(values) / count for values in zip(*points, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _y in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    return mean_y - slope * mean_x


def on_track(metric, measures, target, first, last):
    """Whether a goal under way is likely to be reached.

    By its forecast; while there is none, whether it is as far as on the straight way from its start to the target.

    :param list measures: ``(day, actual)``, at least one, in order of their days
    """
    expected = forecast(metric, measures, first, last)
    if expected is not None:
        return meets(metric, expected, target)
    day, actual = measures[-1]
    start, begun = METRICS[metric].start, first - timedelta(days=1)
    if start is None:
        begun, start = measures[0]
        # Nothing to get better at, or no day left to do so.
        if begun == last or meets(metric, start, target):
            return meets(metric, actual, target)
    way = (day - begun).days / (last - begun).days
    return meets(metric, actual, start + (target - start) * way)
