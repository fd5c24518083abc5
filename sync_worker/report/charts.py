"""Which figures a back-test has, each with its title, how to read it, its numbers as a table and the drawing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sync_worker.report import plots
from sync_worker.report.words import money, number, of_sample, percent


@dataclass(frozen=True)
class Chart:
    """A figure of the page. `reading` says how to read it, `finding` what it shows, for those who do not see it."""

    name: str
    title: str
    reading: str
    finding: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    svg: str
    wide: bool = False


def of_grade(grade: dict[str, Any], prefix: str, currency: str = "") -> list[Chart]:
    """The figures of one grade; none for what the result leaves empty."""
    charts = []
    if grade["lift"]:
        charts.append(_lift(grade["lift"], f"{prefix}-lift"))
    if grade["calibration"]:
        charts.append(_calibration(grade["calibration"], f"{prefix}-calibration"))
    if grade["deciles"]:
        charts.append(_deciles(grade["deciles"], f"{prefix}-deciles", currency))
    return charts


def tracking(
    periods: Sequence[dict[str, Any]],
    cutoffs: Iterable[str],
    currency: str = "",
    sample: dict[str, int] | None = None,
) -> Chart | None:
    """Totals over time, or nothing where the result has none.

    Args:
        sample: of the customers whose totals they are; None where they are those of all.
    """
    if not periods:
        return None
    orders, value = _totals(periods, ""), _totals(periods, "_value")
    return Chart(
        name="tracking",
        title="Totals over time",
        reading=f"What {'the' if sample else 'all'} customers known at a cut-off ordered in each period after it, "
        "each within its own churn horizon, and what had been forecast. Lines that run together mean the totals can be "
        "planned with.",
        finding=of_sample(
            sample,
            f"Over {len(periods)} periods {number(orders[0])} orders were forecast and {number(orders[1])} came; "
            f"a value of {money(value[0], currency)} was forecast and {money(value[1], currency)} came.",
        ),
        columns=("Period until", "Orders forecast", "Orders that came", "Value forecast", "Value that came"),
        rows=[
            (
                each["date"],
                number(each["predicted"]),
                number(each["actual"]),
                money(each["predicted_value"], currency),
                money(each["actual_value"], currency),
            )
            for each in periods
        ],
        svg=plots.tracking(periods, cutoffs, "tracking", currency),
        wide=True,
    )


def _lift(points: Sequence[dict[str, Any]], name: str) -> Chart:
    fifth = next((each for each in points if each["share"] >= 0.199), points[-1])
    return Chart(
        name=name,
        title="Found by calling the most at risk first",
        reading="Go through the customers of the latest cut-off from the most at risk down: how many of those who did "
        "not come back are on the list by then, and how much of their money. The higher above the dotted line the "
        "better; the dashed line is the best simple rule.",
        finding=f"The {percent(fifth['share'])} of customers most at risk hold {percent(fifth['found'])} of those who "
        f"did not come back and {percent(fifth['found_value'])} of their money; by the best simple rule "
        f"{percent(fifth['rule_found'])} and {percent(fifth['rule_found_value'])}; by lot {percent(fifth['share'])}.",
        columns=("Customers listed", "Found", "Found by the rule", "Money found", "Money found by the rule"),
        rows=[
            tuple(
                percent(each[key])
                for key in ("share", "found", "rule_found", "found_value", "rule_found_value")
            )
            for each in points
        ],
        svg=plots.lift(points, name),
        wide=True,
    )


def _calibration(bins: Sequence[dict[str, Any]], name: str) -> Chart:
    first, last = bins[0], bins[-1]
    return Chart(
        name=name,
        title="Are the probabilities right?",
        reading="Customers in ten equal groups by their churn probability. On the dotted line exactly as many did not "
        "come back as was forecast; below it the forecast was too dark, above it too bright.",
        finding=f"In the group of the lowest probabilities {percent(first['predicted'])} was forecast and "
        f"{percent(first['actual'])} did not come back, in that of the highest {percent(last['predicted'])} and "
        f"{percent(last['actual'])}.",
        columns=("Forecast", "Did not come back", "Customers"),
        rows=[
            (percent(each["predicted"]), percent(each["actual"]), number(each["customers"])) for each in bins
        ],
        svg=plots.calibration(bins, name),
    )


def _deciles(means: Sequence[dict[str, Any]], name: str, currency: str) -> Chart:
    last = means[-1]
    return Chart(
        name=name,
        title="Is the forecast value right?",
        reading="Customers in ten equal groups by their forecast value. Pairs of equal height mean that large "
        "customers and small ones are told apart by the right amount.",
        finding="The tenth with the highest forecast was expected to bring "
        f"{money(last['predicted_value'], currency)} each on average and brought "
        f"{money(last['actual_value'], currency)}.",
        columns=("Tenth", "Forecast", "Actual"),
        rows=[
            (
                str(place),
                money(each["predicted_value"], currency),
                money(each["actual_value"], currency),
            )
            for place, each in enumerate(means, 1)
        ],
        svg=plots.deciles(means, name, currency),
    )


def _totals(periods: Iterable[dict[str, Any]], suffix: str) -> tuple[float, float]:
    """Sums of forecast and actual over the periods where both are known."""
    known = [
        (each[f"predicted{suffix}"], each[f"actual{suffix}"])
        for each in periods
        if each[f"predicted{suffix}"] is not None and each[f"actual{suffix}"] is not None
    ]
    return sum(predicted for predicted, _ in known), sum(actual for _, actual in known)
