"""The back-test of a run as a worker sends it: what of it is kept, and what is left out.

Its shape is documented in docs/backtest.md. A figure that cannot be told is null. A grade with anything
that is not as documented is left out as a whole: half of a grade would tell a wrong story.
"""

from datetime import date
from math import isfinite

GRADES = ("A", "B", "C", "D")
MISSING = ("cutoffs", "customers", "outcomes")
COUNT_COLUMNS = ("customers", "churned", "listed", "found", "rule_found")
MONEY_COLUMNS = ("found_value", "rule_found_value")
# The ends of an interval may lie outside what the figure itself can be.
FIGURE_BOUNDS = {
    "chance_found": (0, 1e9),
    "auc": (0, 1),
    "auc_low": (-10, 10),
    "auc_high": (-10, 10),
    "rule_auc": (0, 1),
    "gain": (-1, 1),
    "gain_low": (-10, 10),
    "gain_high": (-10, 10),
    "brier": (0, 1),
    "base_brier": (0, 1),
    "ece": (0, 1),
    "value_log_bias": (-100, 100),
    "coverage": (0, 1),
}
SERIES = {
    "calibration": ("predicted", "actual", "customers"),
    "lift": ("share", "found", "found_value", "rule_found", "rule_found_value"),
    "deciles": ("predicted_value", "actual_value"),
}
LARGEST_COUNT = 2**31 - 1
LARGEST_AMOUNT = 1e15
LONGEST_SERIES = 100
DEEPEST = 20
ROUNDING = 1e-6


def storable(value, depth=0):
    """A value read from JSON as PostgreSQL can keep it: no infinity, no zero byte, no broken letter."""
    if depth > DEEPEST:
        return None
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, str):
        return value.replace("\0", "").encode(errors="replace").decode()
    if isinstance(value, dict):
        return {storable(str(key)): storable(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [storable(each, depth + 1) for each in value]
    return value


def read_grades(result, format_ids):
    """The grades in the result of a run.

    :param result: what the worker sent, of whatever shape
    :param format_ids: identifiers of the business formats there are; grades of others are passed over
    :return: rows as dicts of columns of ``crm_value_grade``, and what is left out, in words
    """
    backtest = result.get("backtest") if isinstance(result, dict) else None
    if backtest is None:
        return [], []
    try:
        grades = _a(list, backtest["grades"], "grades")
        horizon = _count(backtest["horizon_days"], "horizon_days")
    except (KeyError, TypeError, ValueError) as error:
        return [], [str(error) or "backtest"]
    rows, faults = {}, []
    for position, grade in enumerate(grades):
        try:
            format_id = _a(dict, grade, "grade").get("format")
            known = format_id is None or (type(format_id) is int and format_id in format_ids)
            if known and format_id not in rows:
                rows[format_id] = {"format_id": format_id, "horizon_days": horizon, **_read_grade(grade)}
        except ValueError as error:
            faults.append(f"grades[{position}].{error}")
    return list(rows.values()), faults


def _read_grade(given):
    rule = _a(dict, given.get("rule") or {}, "rule")
    missing = _text(given.get("missing"), "missing")
    row = {
        "grade": given.get("grade"),
        # A reason that a newer worker gives is one more way of having no grade.
        "missing": missing if missing in MISSING else None,
        "cutoff": _day(given.get("cutoff"), "cutoff"),
        "rule_code": _text(rule.get("code"), "rule"),
        "rule_params": _a(dict, rule.get("params") or {}, "rule"),
    }
    if row["grade"] not in (*GRADES, None) or (row["grade"] and missing):
        raise ValueError("grade")
    for name in COUNT_COLUMNS:
        row[name] = _count(given.get(name), name)
    for name in MONEY_COLUMNS:
        row[name] = _number(given.get(name), name, -LARGEST_AMOUNT, LARGEST_AMOUNT)
    for name, (low, high) in FIGURE_BOUNDS.items():
        row[name] = _number(given.get(name), name, low, high)
    row["untold"] = [name for name in (*MONEY_COLUMNS, *FIGURE_BOUNDS) if row[name] is None]
    for name, keys in SERIES.items():
        points = _a(list, given.get(name) or [], name)[:LONGEST_SERIES]
        row[name] = [
            {
                key: _number(_a(dict, point, name).get(key), name, -LARGEST_AMOUNT, LARGEST_AMOUNT)
                for key in keys
            }
            for point in points
        ]
    return row


def _a(kind, value, name):
    if not isinstance(value, kind):
        raise ValueError(name)
    return value


def _text(value, name):
    return None if value is None else _a(str, value, name)[:64]


def _number(value, name, low, high):
    if value is None or (isinstance(value, float) and not isfinite(value)):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(name)
    if not low - ROUNDING <= value <= high + ROUNDING:
        raise ValueError(name)
    return float(value)


def _count(value, name):
    number = _number(value, name, 0, LARGEST_COUNT)
    if number is not None and not number.is_integer():
        raise ValueError(name)
    return None if number is None else int(number)


def _day(value, name):
    if value is None:
        return None
    try:
        day = date.fromisoformat(_a(str, value, name))
    except ValueError:
        raise ValueError(name) from None
    return day.isoformat()
