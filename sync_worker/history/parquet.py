"""Parquet files, with their failures in words."""

from pathlib import Path

import pandas as pd

from sync_worker.history.columns import HistoryError


def read_parquet(path: Path) -> pd.DataFrame:
    """The rows of a Parquet file as they are.

    Raises:
        HistoryError: it is not one, or cannot be read.
    """
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
        reason = str(error).strip().splitlines()[0]
        raise HistoryError(
            f"{path.name} cannot be read ({reason}); check that it is a sound file."
        ) from error
