"""`sync-worker score`: a history from a file, scores to a file."""

from collections.abc import Callable
from pathlib import Path

from sync_worker.errors import InputError
from sync_worker.history.facts import STANDING
from sync_worker.history.file import parse_mapping, read_history, write_scores
from sync_worker.history.schema import History, HistoryError, as_day
from sync_worker.policy import Policy, PolicyError, read_policy
from sync_worker.scoring.pipeline import Result, score


def score_file(
    file: Path,
    as_of: str,
    horizon: int | None,
    out: Path,
    *,
    mapping: str,
    policy_file: Path | None = None,
    progress: Callable[[float, str], None],
) -> Result:
    """Scores a file as of a day and writes the scores.

    Args:
        horizon: churn horizon in days; None for that of the policy.
        policy_file: rules as a run keeps them beside its export (`exports`); None for the defaults.

    Raises:
        InputError: for whatever the user can mend.
    """
    if out.suffix not in (".parquet", ".csv"):
        raise InputError(
            f"{out} ends neither in .parquet nor in .csv.", "Name the output with one of the two."
        )
    if not out.parent.is_dir():
        raise InputError(f"There is no folder {out.parent} to write to.", "Make it, or name another output.")
    try:
        policy = read_policy(policy_file) if policy_file else Policy()
        if horizon is not None:
            policy = policy.replace(churn_horizon_days=horizon)
        progress(0, "reading")
        history = read_history(file, parse_mapping(mapping))
        result = score(history, as_of, policy, progress=progress)
        result.warnings += _of_today(history, as_of)
        progress(100, "writing")
        write_scores(result.customers, out)
    except (HistoryError, PolicyError) as error:
        raise InputError(str(error)) from error
    except OSError as error:
        raise InputError(f"{error.filename or out} cannot be used: {error.strerror or error}.") from error
    return result


def _of_today(history: History, as_of: str) -> list[str]:
    """A warning where scores of the past rest on what is stated of customers without a date."""
    dated = [history.orders["date"], *(table["known"] for table in history.facts.values())]
    stated = [name for name in STANDING if name in history.customers]
    if not stated or not any((days > as_day(as_of)).any() for days in dated):
        return []
    return [f"{', '.join(stated)} of the customers are as they are today, not as on {as_of}."]
