"""`sync-worker score`: a history from a file, scores to a file."""

from collections.abc import Callable
from pathlib import Path

from sync_worker import hindsight
from sync_worker.errors import InputError
from sync_worker.history.columns import HistoryError
from sync_worker.history.file import parse_mapping, read_history, write_scores
from sync_worker.memory import give_back_large_arrays
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
        give_back_large_arrays(len(history.customers))
        stated = hindsight.of_today(history, as_of)
        result = score(history, as_of, policy, progress=progress, last_use=True)
        result.warnings += stated
        progress(100, "writing")
        write_scores(result.customers, out)
    except (HistoryError, PolicyError) as error:
        raise InputError(str(error)) from error
    except OSError as error:
        raise InputError(f"{error.filename or out} cannot be used: {error.strerror or error}.") from error
    return result
