"""The figures of a back-test as SVG to be put into a page.

Colours are told apart by colour-blind readers (Okabe and Ito's palette), and every line also has a dash and a mark of
its own, so that a black-and-white print reads the same.
"""

import io
import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

INK, QUIET = "#1f2933", "#52606d"
FORECAST: dict[str, Any] = {"color": "#0072B2", "linestyle": "-", "marker": "o"}
RULE: dict[str, Any] = {"color": "#D55E00", "linestyle": "--", "marker": "s"}
ACTUAL: dict[str, Any] = {"color": "#000000", "linestyle": "-.", "marker": "D"}
REFERENCE: dict[str, Any] = {"color": QUIET, "linestyle": ":", "linewidth": 1.4}
STYLE = {
    "svg.fonttype": "none",  # text stays text: searched, read aloud, in the font of the page
    "text.parse_math": False,
    "font.family": "DejaVu Sans",  # comes with matplotlib; the page puts its own in
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#9aa5b1",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e7eb",
    "grid.linewidth": 0.8,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "lines.linewidth": 2,
    "lines.markersize": 5,
    "legend.facecolor": "#ffffff",
    "legend.edgecolor": "none",
}
SMALL, WIDE = (5.4, 4.3), (11, 4.2)


def calibration(bins: Sequence[dict[str, Any]], name: str) -> str:
    """Forecast churn probability against the share that did not come back, in equal groups."""
    known = [each for each in bins if each["predicted"] is not None and each["actual"] is not None]
    predicted, actual = _column(known, "predicted"), _column(known, "actual")
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}):
        figure, [axes] = _figure(SMALL)
        end = min(1.0, 1.1 * max([0.05, *predicted, *actual]))
        axes.plot([0, end], [0, end], label="exact", **REFERENCE)
        axes.plot(predicted, actual, label="forecast", **FORECAST)
        axes.set(xlabel="forecast probability", ylabel="did not come back", xlim=(0, end), ylim=(0, end))
        _percent(axes.xaxis, axes.yaxis)
        axes.legend(loc="upper left")
        return _svg(figure, name)


def lift(points: Sequence[dict[str, Any]], name: str) -> str:
    """Shares found among so many most at risk, in customers and in money, beside the best rule and chance."""
    shares = [0.0, *_column(points, "share")]
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}):
        figure, panels = _figure(WIDE, 2)
        for axes, title, what, key in (
            (panels[0], "Customers", "of those who did not come back, found", "found"),
            (panels[1], "Money", "of the money they had spent, found", "found_value"),
        ):
            axes.plot([0, 1], [0, 1], label="drawn by lot", **REFERENCE)
            for label, column, style in (
                ("best simple rule", f"rule_{key}", RULE),
                ("forecast", key, FORECAST),
            ):
                axes.plot(shares, [0.0, *_column(points, column)], label=label, **style)
            axes.set(title=title, xlabel="share of customers listed, most at risk first", ylabel=what)
            axes.set(xlim=(0, 1), ylim=(0, 1.02))
            _percent(axes.xaxis, axes.yaxis)
            axes.legend(*(reversed(part) for part in axes.get_legend_handles_labels()), loc="lower right")
        return _svg(figure, name)


def deciles(means: Sequence[dict[str, Any]], name: str, currency: str = "") -> str:
    """Mean forecast and actual value of each tenth of the customers, by rising forecast."""
    with mpl.rc_context({**STYLE, "svg.hashsalt": name, "hatch.linewidth": 0.8}):
        figure, [axes] = _figure(SMALL)
        places = range(1, len(means) + 1)
        axes.bar(
            [place - 0.2 for place in places],
            _column(means, "predicted_value"),
            0.38,
            label="forecast",
            color=FORECAST["color"],
        )
        axes.bar(
            [place + 0.2 for place in places],
            _column(means, "actual_value"),
            0.38,
            label="actual",
            color="#ffffff",
            edgecolor=INK,
            hatch="////",
        )
        axes.set(
            xlabel="tenth of the customers, by rising forecast",
            ylabel="mean value" + (f", {currency}" if currency else ""),
            xticks=list(places),
        )
        axes.grid(visible=False, axis="x")
        _thousands(axes)
        axes.legend(loc="upper left")
        return _svg(figure, name)


def tracking(periods: Sequence[dict[str, Any]], cutoffs: Iterable[str], name: str, currency: str = "") -> str:
    """Orders and value of all customers, forecast and actual, period by period."""
    days = [date.fromisoformat(each["date"]) for each in periods]
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}):
        figure, panels = _figure(WIDE, 2)
        for axes, title, unit, suffix in (
            (panels[0], "Orders", "orders in a period", ""),
            (panels[1], "Value", "value in a period" + (f", {currency}" if currency else ""), "_value"),
        ):
            for index, cutoff in enumerate(cutoffs):
                axes.axvline(
                    date.fromisoformat(cutoff), label="cut-off" if index == 0 else None, zorder=1, **REFERENCE
                )
            axes.plot(days, _column(periods, f"actual{suffix}"), label="actual", **ACTUAL)
            axes.plot(days, _column(periods, f"predicted{suffix}"), label="forecast", **FORECAST)
            axes.set(title=title, ylabel=unit)
            # From zero: a forecast that is off by little must not look as if it was off by much.
            axes.set_ylim(min(0, axes.get_ylim()[0]) if axes.dataLim.y0 < 0 else 0, 1.08 * axes.get_ylim()[1])
            locator = AutoDateLocator(maxticks=7)
            axes.xaxis.set_major_locator(locator)
            axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
            _thousands(axes)
            axes.legend(loc="lower right")
        return _svg(figure, name)


def _figure(size: tuple[float, float], panels: int = 1) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=size, layout="constrained")
    return figure, [figure.add_subplot(1, panels, place + 1) for place in range(panels)]


def _column(rows: Iterable[dict[str, Any]], key: str) -> list[float]:
    """A number for each row; one that is null leaves a gap."""
    return [float("nan") if row[key] is None else float(row[key]) for row in rows]


def _percent(*all_axis: Any) -> None:
    for axis in all_axis:
        axis.set_major_formatter(PercentFormatter(1, symbol=" %"))


def _thousands(axes: Axes) -> None:
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:,.10g}"))


def _svg(figure: Figure, name: str) -> str:
    """The figure as one `svg` element whose ids begin with a name, since a page has only one of each id."""
    target = io.StringIO()
    # No metadata: a page made again of the same result is the same to the byte.
    figure.savefig(target, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    text = target.getvalue()
    text = text[text.index("<svg") :]
    return re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text).strip()
