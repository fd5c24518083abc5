"""Bars, tables for the terminal and for docs/accuracy.md."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.judge.judging import OURS, TITLES

BEGIN, END = "<!-- results: written by benchmarks/accuracy --write -->", "<!-- end of results -->"
MEANS = ("auc", "auc_active", "brier", "ece", "spearman", "ngini", "top_share", "log_bias")


@dataclass
class Grid:
    """A table of texts, to be shown or written.

    Attributes:
        left: number of columns aligned to the left.
    """

    title: str
    header: list[str]
    rows: list[list[str]]
    left: int = 1

    def rich(self) -> Table:
        """For the terminal."""
        table = Table(title=self.title, title_justify="left", padding=(0, 1), collapse_padding=True)
        for at, name in enumerate(self.header):
            table.add_column(name, justify="left" if at < self.left else "right", no_wrap=at < self.left)
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        """With a heading."""
        rule = ["---" if at < self.left else "--:" for at in range(len(self.header))]
        lines = [f"| {' | '.join(row)} |" for row in (self.header, rule, *self.rows)]
        return f"### {self.title}\n\n" + "\n".join(lines) + "\n"


# --------------------------------------------------------------------------- bars


def bars(settings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was asked for beside what came out; the means are over settings, each counted once."""
    if not settings:
        return []
    mine = [one["models"][OURS] for one in settings]
    year_before = [one["models"][OURS] for one in settings if one["year_before_known"]]
    result = [
        _bar("AUC of all, less the best classical model", _gains(settings, "classical"), "at least .010", 0.01),
        _below("AUC of all, significantly below the best of anything", settings, "anything"),
        _bar("AUC of active, less the best rule in hindsight", _gains(settings, "rule_active"), "at least .020", 0.02),
        _below("AUC of active, significantly below the best rule", settings, "rule_active"),
    ]  # fmt: skip
    ece = _known(one.get("ece") for one in mine)
    result.append(_row("ECE", ece, max, "mean to .03, worst to .07", lambda m, w: m <= 0.03 and w <= 0.07))
    ngini = _known(one.get("ngini") for one in mine)
    result.append(_row("normalised Gini", ngini, min, "mean from .785", lambda m, w: m >= 0.785))
    bias = [abs(one) for one in _known(one.get("log_bias") for one in mine)]
    result.append(_row("absolute log revenue bias", bias, max, "mean to .07", lambda m, w: m <= 0.07))
    bias = [abs(one) for one in _known(one.get("log_bias") for one in year_before)]
    what = "the same where the season a year before is known"
    result.append(_row(what, bias, max, "worst to .20", lambda m, w: w <= 0.2))
    covered = _known(one.get("coverage") for one in mine)
    result.append(
        _row("coverage of the 80 % interval", covered, _farthest, "mean .75 to .85", lambda m, w: 0.75 <= m <= 0.85)
    )  # fmt: skip
    return result


def _bar(name: str, values: list[float], target: str, least: float) -> dict[str, Any]:
    return _row(name, values, min, target, lambda mean, worst: mean >= least)


def _below(name: str, settings: list[dict[str, Any]], key: str) -> dict[str, Any]:
    judged = [one["gains"][key] for one in settings if key in one["gains"]]
    count = sum(one["significantly_below"] for one in judged)
    return {
        "bar": name,
        "count": count,
        "settings": len(judged),
        "mean": None,
        "median": None,
        "worst": None,
        "target": "nowhere",
        "met": count == 0 if judged else None,
    }


def _row(name, values, worst: Callable, target: str, met: Callable[[float, float], bool]) -> dict[str, Any]:
    if not values:
        empty = dict.fromkeys(("mean", "median", "worst", "met"))
        return {"bar": name, "settings": 0, "target": target} | empty
    mean, extreme = float(np.mean(values)), float(worst(values))
    return {
        "bar": name,
        "settings": len(values),
        "mean": mean,
        "median": float(np.median(values)),  # beside the mean, which a single setting can carry
        "worst": extreme,
        "target": target,
        "met": bool(met(mean, extreme)),
    }


def _gains(settings: list[dict[str, Any]], key: str) -> list[float]:
    return [one["gains"][key]["gain"] for one in settings if key in one["gains"]]


def _farthest(values: list[float]) -> float:
    return max(values, key=lambda one: abs(one - 0.8))


def _known(values: Iterable[float | None]) -> list[float]:
    return [one for one in values if one is not None and math.isfinite(one)]


# ------------------------------------------------------------------------- tables


def grids(result: dict[str, Any]) -> list[Grid]:
    """All tables of a run."""
    settings = result["settings"]
    found = [_bars_grid(result["bars"]), _ours_grid(settings), _value_grid(settings), _gains_grid(settings)]
    found.append(_models_grid(settings))
    found.append(_guards_grid(result["guards"]))
    return [one for one in found if one.rows]


def tables(result: dict[str, Any]) -> list[Table]:
    """The same for the terminal."""
    return [one.rich() for one in grids(result)]


def _bars_grid(rows: list[dict[str, Any]]) -> Grid:
    words = {True: "yes", False: "**no**", None: "-"}
    return Grid(
        "Bars",
        ["bar", "mean", "median", "worst", "wanted", "met"],
        [
            [
                one["bar"],
                f"{one['count']} of {one['settings']}"
                if "count" in one
                else _signed(one["mean"], one["bar"]),
                _signed(one["median"], one["bar"]),
                _signed(one["worst"], one["bar"]),
                one["target"],
                words[one["met"]],
            ]
            for one in rows
        ],
    )


def _signed(value: float | None, bar: str) -> str:
    return _number(value, signed="less the" in bar)


def _ours_grid(settings: list[dict[str, Any]]) -> Grid:
    names = ("auc", "auc_active", "brier", "ece", "ece_chance", "ece_active")
    mine = [one["models"][OURS] for one in settings]
    rows = [
        [
            _setting(one),
            f"{one['customers']:,}",
            f"{one['active']:,}",
            _number(one["churn_rate"]),
            _number(one["churn_rate_active"]),
            *(_number(figures.get(name)) for name in names),
            f"{one['seconds']:.1f}",
        ]
        for one, figures in zip(settings, mine, strict=True)
    ]
    if rows:
        rows.append(["mean", "", "", "", "", *(_mean(mine, name) for name in names), ""])
    header = ["setting", "customers", "active", "churn", "of active", "AUC", "AUC active", "Brier", "ECE"]
    return Grid("Churn, ours", [*header, "by chance", "ECE active", "seconds"], rows)


def _value_grid(settings: list[dict[str, Any]]) -> Grid:
    names = ("spearman", "ngini", "top_share", "decile_error", "log_bias", "orders_log_bias")
    covered = ("coverage", "coverage_active", "coverage_honest")
    mine = [one["models"][OURS] for one in settings]
    rows = [
        [
            _setting(one),
            *(_number(figures.get(name), "bias" in name) for name in names),
            *(_number(figures.get(name)) for name in covered),
            "yes" if one["year_before_known"] else "no",
        ]
        for one, figures in zip(settings, mine, strict=True)
    ]
    if rows:
        means = [_mean(mine, name, absolute="bias" in name) for name in (*names, *covered)]
        rows.append(["mean (bias: absolute)", *means, ""])
    header = [
        "setting",
        "Spearman",
        "nGini",
        "top 20 %",
        "decile error",
        "log revenue bias",
        "log orders bias",
    ]
    return Grid("Value, ours", [*header, "coverage", "of active", "honest", "year before"], rows)


def _gains_grid(settings: list[dict[str, Any]]) -> Grid:
    rows = []
    for one in settings:
        row = [_setting(one)]
        for key in ("classical", "anything", "rule_active"):
            gain = one["gains"].get(key)
            row += (
                ["-", "-"]
                if gain is None
                else [f"{TITLES[gain['best']]} {_number(gain['auc'])}", _gain(gain)]
            )
        rows.append(row)
    header = ["setting", "best classical", "ours less it", "best of anything", "ours less it"]
    title = "Gain in AUC over the best in hindsight, with 90 % interval"
    return Grid(title, [*header, "best rule on active", "ours less it"], rows)


def _gain(gain: dict[str, Any]) -> str:
    text = f"{_number(gain['gain'], True)} [{_number(gain['low'], True)}, {_number(gain['high'], True)}]"
    return f"**{text}** below" if gain["significantly_below"] else text


def _models_grid(settings: list[dict[str, Any]]) -> Grid:
    rows = []
    for name, title in TITLES.items():
        judged = [one["models"] for one in settings if name in one["models"]]
        if not judged:
            continue
        figures = [one[name] for one in judged]
        beside = _known(one[OURS]["auc"] - one[name]["auc"] for one in judged)
        beside_active = _known(
            one[OURS]["auc_active"] - one[name]["auc_active"] for one in judged if "auc_active" in one[name]
        )
        rows.append(
            [
                title,
                str(len(judged)),
                *(_mean(figures, figure, absolute=figure == "log_bias") for figure in MEANS),
                *(
                    "" if name == OURS or not less else _number(float(np.mean(less)), True)
                    for less in (beside, beside_active)
                ),
            ]
        )
    header = ["competitor", "settings", "AUC", "AUC active", "Brier", "ECE", "Spearman", "nGini", "top 20 %"]
    return Grid(
        "Means over settings", [*header, "abs log bias", "ours less it, AUC", "ours less it, active"], rows
    )


def _guards_grid(guards: list[dict[str, Any]]) -> Grid:
    rows = []
    for one in guards:
        found = any(one[key]["skill"] for key in ("auc", "auc_active") if key in one)
        rows.append(
            [
                _setting(one),
                f"{one['customers']:,}",
                *(_guard_auc(one.get(key)) for key in ("auc", "auc_active")),
                _number(one["best_rule_auc"]),
                f"{_number(one['brier'])} / {_number(one['base_brier'])}",
                _number(one["ece"]),
                "**finds skill**" if found else "none found",
            ]
        )
    header = [
        "guard",
        "customers",
        "AUC",
        "AUC active",
        "best rule",
        "Brier / of the rate alone",
        "ECE",
        "skill",
    ]
    return Grid("Guards: nothing to be found", header, rows)


def _guard_auc(figure: dict[str, Any] | None) -> str:
    if figure is None:
        return "-"
    return f"{_number(figure['auc'])} [{_number(figure['low'])}, {_number(figure['high'])}]"


def _setting(one: dict[str, Any]) -> str:
    return f"{one['set']} {one['cutoff']} + {one['horizon_days']}"


def _mean(figures: list[dict[str, Any]], name: str, absolute: bool = False) -> str:
    values = _known(one.get(name) for one in figures)
    if absolute:
        values = [abs(one) for one in values]
    return _number(float(np.mean(values))) if values else ""


def _number(value: float | None, signed: bool = False) -> str:
    """Three decimals without the leading zero, as in the literature."""
    if value is None or not math.isfinite(value):
        return "-"
    text = f"{value:+.3f}" if signed else f"{value:.3f}"
    return re.sub(r"^([+-]?)0\.", r"\1.", text)


def one_line(figures: dict[str, Any]) -> str:
    """What is said of a setting as it is done."""
    mine = figures.get("models", {}).get(OURS)
    if mine is None:
        return f"AUC {_guard_auc(figures['auc'])} (no skill expected)"
    return (
        f"AUC {_number(mine['auc'])}, active {_number(mine.get('auc_active'))}, ECE {_number(mine['ece'])}, "
        f"nGini {_number(mine['ngini'])}, log bias {_number(mine['log_bias'], True)}"
    )


# ------------------------------------------------------------------------ remarks


def remarks(result: dict[str, Any]) -> list[str]:
    """Sentences about what took no part and what else was seen."""
    lines = [f"Absent: {line}" for line in result["absent"]]
    if not result["lifetimes"]:
        lines.append(
            "Classical models: the product's own, since the package lifetimes could not be installed."
        )
    where: dict[str, list[str]] = {}
    for one in result["settings"]:
        for note in one["notes"]:
            where.setdefault(note, []).append(_setting(one))
    lines += [f"{note}: {', '.join(settings)}." for note, settings in where.items()]
    for one in result["settings"]:
        margin = one["in_margin"]
        if margin:
            lines.append(
                f"{_setting(one)}, in margin: {margin['forecast']:,.0f} forecast, {margin['actual']:,.0f} came; "
                f"Spearman {_number(margin['spearman'])}, coverage {_number(margin['coverage'])}."
            )
    for one in result["leaks"]:
        what = (
            f"later orders change {', '.join(one['columns'])}"
            if one["columns"]
            else "later orders change nothing"
        )
        lines.append(f"Leak check, {one['setting']}: {what}.")
    return lines


def write(page: Path, result: dict[str, Any]) -> None:
    """Puts the tables between the markers of a Markdown page.

    Raises:
        ValueError: the page has no markers.
    """
    parts = [one.markdown() for one in grids(result)]
    parts.append("### Remarks\n\n" + "\n".join(f"- {line}" for line in remarks(result)) + "\n")
    parts.append(f"{len(result['settings'])} settings in {result['seconds'] / 60:.1f} minutes.\n")
    between(page, BEGIN, END, "\n".join(parts))


def between(page: Path, begin: str, end: str, content: str) -> None:
    """Puts the content between two markers of a Markdown page.

    Raises:
        ValueError: the page lacks them.
    """
    text = page.read_text()
    first, last = text.find(begin), text.find(end)
    if not 0 <= first < last:
        raise ValueError(f"{page} lacks the markers {begin} and {end}")
    page.write_text(f"{text[:first]}{begin}\n\n{content}\n{text[last:]}")
