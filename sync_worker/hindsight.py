"""A day that is over, seen from today: what was known then, and what is only known of today."""

from sync_worker.history.columns import HistoryError, as_day
from sync_worker.history.facts import STANDING
from sync_worker.history.schema import History
from sync_worker.sentences import sentence


def known_then(history: History, as_of: str) -> History:
    """The history without what became known after a day, and without the lost types that people say today.

    What is stated of customers without a date stays as it is today, with a warning. A history of which nothing was
    known by then comes back as it is.
    """
    try:
        then = history.until(as_of)
    except HistoryError:
        return history
    then.warnings = [*history.warnings, *of_today(history, as_of)]
    if then.previous is not None:
        then.previous = then.previous.assign(lost_type_by_hand=None)
    return then


def of_today(history: History, as_of: str) -> list[str]:
    """A warning where scores of the past rest on what is stated of customers without a date."""
    dated = [history.orders["date"], *(table["known"] for table in history.facts.values())]
    stated = [name for name in STANDING if name in history.customers]
    if not stated or not any((days > as_day(as_of)).any() for days in dated):
        return []
    words = f"{', '.join(stated)} of the customers are as they are today, not as on {as_of}."
    return [sentence("stated_today", words, columns=stated, day=str(as_of))]
