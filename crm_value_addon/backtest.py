"""The back-test of a run as a worker sends it: what of it is kept, and what is left out.

Its shape is documented in docs/backtest.md. A figure that cannot be told is null. A grade with anything
that is not as documented is left out as a whole: half of a grade would tell a wrong story.
"""

from .result_values import LARGEST_AMOUNT, read_count, read_day, read_kind, read_number, read_text

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
LONGEST_SERIES = 100


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
        grades = read_kind(list, backtest["grades"], "grades")
        horizon = read_count(backtest["horizon_days"], "horizon_days")
        sample = _read_sample(backtest.get("sample"))
    except (KeyError, TypeError, ValueError) as error:
        return [], [str(error) or "backtest"]
    rows, faults = {}, []
    for position, grade in enumerate(grades):
        try:
            format_id = read_kind(dict, grade, "grade").get("format")
            known = format_id is None or (type(format_id) is int and format_id in format_ids)
            if known and format_id not in rows:
                rows[format_id] = {"format_id": format_id, **sample, **_read_grade(grade, horizon)}
        except ValueError as error:
            faults.append(f"grades[{position}].{error}")
    return list(rows.values()), faults


def _read_sample(given):
    """How many customers were looked at, of how many; empty where it were all, or an older worker does not tell."""
    given = read_kind(dict, {} if given is None else given, "sample")
    return {
        "sample_customers": read_count(given.get("customers"), "sample"),
        "sample_of": read_count(given.get("of"), "sample"),
    }


def _read_grade(given, horizon):
    """The columns of a grade.

    :param horizon: the company's churn horizon in days; an older worker knows no other
    """
    rule = read_kind(dict, given.get("rule") or {}, "rule")
    missing = read_text(given.get("missing"), "missing")
    row = {
        "grade": given.get("grade"),
        # A reason that a newer worker gives is one more way of having no grade.
        "missing": missing if missing in MISSING else None,
        # Empty where customers of several horizons were judged.
        "horizon_days": read_count(given.get("horizon_days", horizon), "horizon_days"),
        "cutoff": read_day(given.get("cutoff"), "cutoff"),
        "rule_code": read_text(rule.get("code"), "rule"),
        "rule_params": read_kind(dict, rule.get("params") or {}, "rule"),
    }
    if row["grade"] not in (*GRADES, None) or (row["grade"] and missing):
        raise ValueError("grade")
    for name in COUNT_COLUMNS:
        row[name] = read_count(given.get(name), name)
    for name in MONEY_COLUMNS:
        row[name] = read_number(given.get(name), name, -LARGEST_AMOUNT, LARGEST_AMOUNT)
    for name, (low, high) in FIGURE_BOUNDS.items():
        row[name] = read_number(given.get(name), name, low, high)
    row["untold"] = [name for name in (*MONEY_COLUMNS, *FIGURE_BOUNDS) if row[name] is None]
    for name, keys in SERIES.items():
        points = read_kind(list, given.get(name) or [], name)[:LONGEST_SERIES]
        row[name] = [
            {
                key: read_number(read_kind(dict, point, name).get(key), name, -LARGEST_AMOUNT, LARGEST_AMOUNT)
                for key in keys
            }
            for point in points
        ]
    return row
