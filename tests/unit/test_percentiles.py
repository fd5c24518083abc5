"""Places among peers, by hand."""

import numpy as np
import pandas as pd
import pytest
from test_labels import buyers

from sync_worker.policy import Policy
from sync_worker.scoring import percentiles
from sync_worker.scoring.peers import Peers

POLICY = Policy()


def placed(rated=None, formats=None, **values):
    table = buyers(**values)
    table["format"] = formats if formats is not None else table["format"]
    names = [f"rating_{name}" for name in percentiles.OF_RATING]
    rated = pd.DataFrame(rated if rated is not None else {}, index=table.index).reindex(columns=names)
    return percentiles.among_peers(table, rated.astype(float), Peers(table["format"], POLICY))


def test_places_are_the_share_of_the_peers_at_or_below():
    found = placed(
        {"rating_integrity": [0.2, 0.9, np.nan, 0.9], "rating_compliance": [1.0] * 4},
        current_order_days=[1, 3, 2, 4],
        current_revenue=[10.0, 40, 30, 20],
        known_revenue=[10.0, 40, 30, 0],
        known_margin=[5.0, 10, 3, 0],
        loyalty_stage=["awareness", "loyalty", "approval", "preference"],
    )
    assert list(found) == [f"percentile_{name}" for name in percentiles.CRITERIA]
    assert found["percentile_frequency"].tolist() == [0.25, 0.75, 0.5, 1]
    assert found["percentile_volume"].tolist() == [0.25, 1, 0.75, 0.5]
    assert found["percentile_loyalty"].tolist() == [0.25, 1, 0.5, 0.75]
    # what is not known has no place and takes none; who are level share theirs
    assert found["percentile_margin"].tolist() == pytest.approx([1, 0.67, 0.33, np.nan], nan_ok=True)
    assert found["percentile_integrity"].tolist() == pytest.approx([0.33, 0.83, np.nan, 0.83], nan_ok=True)
    assert found["percentile_compliance"].tolist() == [0.62] * 4  # 2.5 of 4
    assert found["percentile_influence"].isna().all()


def test_peers_are_those_of_the_format():
    found = placed(
        formats=["shop"] * 30 + ["wholesale"] * 30,
        current_revenue=[*range(30), *range(1000, 1030)],
    )
    place = found["percentile_volume"].to_numpy()
    assert (place[:30] == place[30:]).all() and place[29] == 1 and place[0] == 0.03
