"""Values in the result of a run, as a worker sends them: each is as documented, or refused by its name."""

from datetime import date
from math import isfinite

LARGEST_COUNT = 2**31 - 1
LARGEST_ID = 2**31 - 1
LARGEST_AMOUNT = 1e15
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


def is_id(value):
    """Whether a value could be the id of a record."""
    return type(value) is int and 0 < value <= LARGEST_ID


def read_kind(kind, value, name):
    """The value, which is of that type.

    :raise ValueError: with the name, when it is not; so do the others
    """
    if not isinstance(value, kind):
        raise ValueError(name)
    return value


def read_text(value, name):
    """A short text, or None."""
    return None if value is None else read_kind(str, value, name)[:64]


def read_number(value, name, low, high):
    """A number within bounds, or None for what is no number."""
    if value is None or (isinstance(value, float) and not isfinite(value)):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(name)
    if not low - ROUNDING <= value <= high + ROUNDING:
        raise ValueError(name)
    return float(value)


def read_count(value, name):
    """A whole number from zero, or None."""
    number = read_number(value, name, 0, LARGEST_COUNT)
    if number is not None and not number.is_integer():
        raise ValueError(name)
    return None if number is None else int(number)


def read_day(value, name):
    """An ISO day, or None."""
    if value is None:
        return None
    try:
        day = date.fromisoformat(read_kind(str, value, name))
    except ValueError:
        raise ValueError(name) from None
    return day.isoformat()
