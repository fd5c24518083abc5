"""One column of a history's tables as days, numbers or identifiers; what is none is refused with its row and value."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from sync_worker.sentences import sentence

#: No system holds an order of an earlier day: such a date was never set, and exported as 1970-01-01 or year 1.
EARLIEST = pd.Timestamp("1980-01-01")
#: The largest figure that Odoo takes of a run (`LARGEST_AMOUNT` in `result_values.py` of the addon).
LARGEST_FIGURE = 1e15
#: The largest amount or quantity of an order: a hundred of them are no more than Odoo takes.
LARGEST_AMOUNT = LARGEST_FIGURE / 100
TOO_LARGE = f"beyond {LARGEST_AMOUNT:,.0f}, the largest that is taken;"


class HistoryError(ValueError):
    """A history that cannot be scored; the message is one sentence: what is wrong and how to mend it."""


def as_day(value: date | str | pd.Timestamp) -> pd.Timestamp:
    """A day as a Timestamp without time.

    Raises:
        HistoryError: not a date.
    """
    try:
        day = pd.Timestamp(value).tz_localize(None).normalize()
    except (ValueError, TypeError):
        day = pd.NaT
    if day is pd.NaT:
        raise HistoryError(f"“{value}” is not a date; write it as YYYY-MM-DD.") from None
    return day


def as_days(values: pd.Series, required: bool = True) -> pd.Series:
    """Dates floored to days, as datetime64 without time zone: the day as written, whatever its offset.

    Args:
        values: datetimes, dates or ISO text (YYYY-MM-DD..., or YYYYMMDD).
        required: refuse missing values too.

    Raises:
        HistoryError: naming the first row (counted from 1 in the data) and value that is no ISO date.
    """
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        days = values.dt.tz_localize(None).dt.normalize()
    elif pd.api.types.is_datetime64_any_dtype(values):
        days = values.dt.normalize()
    else:
        text = values.where(values.isna(), values.astype(str).str.strip())
        iso = (
            text.str.extract(r"^(\d{4}-\d{2}-\d{2}|\d{8})(?:[T ]\d.*)?$", expand=False) if len(text) else text
        )
        days = pd.to_datetime(
            iso.str.replace("-", "") if len(text) else text, format="%Y%m%d", errors="coerce"
        )
    bad = days.isna() & (values.notna() | required)
    if bad.any():
        row = int(np.flatnonzero(bad.to_numpy())[0])
        value = values.iloc[row]
        missing = bool(pd.isna(value))
        what = "has no date" if missing else f"has the date “{value}”, which is not an ISO date"
        words = f"Row {row + 1} {what}; write dates as YYYY-MM-DD."
        if missing:
            raise HistoryError(sentence("row_without_date", words, row=row + 1))
        raise HistoryError(sentence("row_bad_date", words, row=row + 1, value=str(value)))
    return days.astype("datetime64[s]")


def possible_days(values: pd.Series) -> pd.Series:
    """Days as by `as_days`, those before `EARLIEST` missing like those that are not given.

    Raises:
        HistoryError: a value is no date.
    """
    days = as_days(values, required=False)
    return days.mask(days < EARLIEST)


def numbers(values: pd.Series, column: str) -> pd.Series:
    """Numbers as float64, missing values kept; `HistoryError` names the first row and value that is none."""
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    bad = (numbers.isna() & values.notna()) | np.isinf(numbers)
    if bad.any():
        row = int(np.flatnonzero(bad.to_numpy())[0])
        value = str(values.iloc[row])
        words = (
            f"Row {row + 1} has the {column} “{value}”, which is not a number; "
            "write it with digits and a decimal point."
        )
        raise HistoryError(sentence("row_bad_number", words, row=row + 1, column=column, value=value))
    return numbers


def amounts(values: pd.Series, column: str) -> pd.Series:
    """Numbers (`numbers`) of orders or their lines; `HistoryError` names the first row and value beyond
    `LARGEST_AMOUNT` too."""
    known = numbers(values, column)
    beyond = (known.abs() > LARGEST_AMOUNT).to_numpy()
    if beyond.any():
        row = int(np.flatnonzero(beyond)[0])
        value = str(values.iloc[row])
        words = f"Row {row + 1} has the {column} “{value}”, {TOO_LARGE} correct it in the order."
        raise HistoryError(
            sentence("row_too_large", words, row=row + 1, column=column, value=value, largest=LARGEST_AMOUNT)
        )
    return known


def identifiers(values: pd.Series) -> pd.Series:
    """Integers where every identifier is one (floats of a column that once had gaps included), else text."""
    if pd.api.types.is_integer_dtype(values):
        return values.astype("int64")
    if pd.api.types.is_float_dtype(values):
        whole: Any = values.astype("int64")
        return whole if (whole == values).all() else values.astype(str)
    return values.astype(str)
