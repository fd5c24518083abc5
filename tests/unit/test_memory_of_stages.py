"""Stages of loyalty and life cycle: silence moves them one way, and noise about a border moves none."""

import numpy as np
import pandas as pd
from conftest import AS_OF, orders_of, uncomplaining
from hypothesis import given, settings
from hypothesis import strategies as st
from memories import OFF, POLICY
from test_labels import BASE, days_ago, facts_of

from sync_worker.scoring import lifecycle, loyalty


@settings(max_examples=40)
@given(days_ago, st.lists(st.integers(1, 60), min_size=1, max_size=6))
def test_between_orders_silence_moves_stages_one_way(days, steps):
    """Nothing but silence changes loyalty and life cycle between two orders, and that goes one way, day by day;
    retention and extension are no grade of silence."""
    worse = {"acquisition": 0, "won_back": 0, "retention": 0, "extension": 0, "dormant": 1, "lost": 2}
    stages, grades = [], []
    for later in np.cumsum([0, *steps]):
        facts, rhythms = facts_of(BASE, orders_of(1, days), today=AS_OF + pd.Timedelta(days=int(later)))
        row = facts.table.index[facts.table["customer_id"] == 1][0]
        today = int((AS_OF + pd.Timedelta(days=int(later))).timestamp() // 86400)
        alive = lambda at, facts=facts, today=today: np.exp(-(today - facts.days.day[at]) / 200)  # noqa: E731
        stage = loyalty.classify(facts, rhythms, alive, today, POLICY, **uncomplaining(facts))[row]
        stages.append(loyalty.STAGES.index(stage))
        grades.append(worse[lifecycle.classify(facts, rhythms, POLICY)["lifecycle_stage"][row]])
    assert stages == sorted(stages, reverse=True)
    assert grades == sorted(grades)


def spending(recent, earlier, recent_breadth=5.0, earlier_breadth=5.0, silence=30.0):
    """A buyer with these sums in the last two comparison windows, dormant after 100 days and lost after 200."""
    return pd.DataFrame(
        {
            "format": [None],
            "recent_spend": recent,
            "earlier_spend": earlier,
            "recent_orders": 3,
            "earlier_orders": 3,
            "recent_breadth": recent_breadth,
            "earlier_breadth": earlier_breadth,
            "silence": silence,
            "dormant_after": 100.0,
            "lost_after": 200.0,
        }
    )


def stage_of(table, was, policy=POLICY, by_rule="retention"):
    table = table.assign(stage_by_rule=pd.Categorical([by_rule], lifecycle.STAGES))
    return lifecycle.settled(table, policy, pd.Series([was], dtype=object))[0]


def test_spend_about_the_border_neither_makes_nor_ends_an_extension():
    for spend, after_retention, after_extension in (
        (107, "retention", "retention"),
        (109, "retention", "extension"),
        (131, "retention", "extension"),
        (133, "extension", "extension"),
    ):
        assert stage_of(spending(spend, 100.0), "retention") == after_retention, spend
        assert stage_of(spending(spend, 100.0), "extension") == after_extension, spend
    for was in ("acquisition", "won_back", "dormant"):
        assert stage_of(spending(121, 100.0), was) == "extension"
        assert stage_of(spending(119, 100.0), was) == "retention"
    narrower = spending(150, 100.0, 9.0, 10.0)
    assert stage_of(narrower, "extension") == "extension" and stage_of(narrower, "retention") == "retention"
    assert stage_of(spending(150, 100.0, np.nan, np.nan), "retention") == "extension"
    assert stage_of(spending(150, 100.0), "retention", by_rule="won_back") == "won_back"
    assert stage_of(spending(121, 100.0), "retention", OFF, "extension") == "extension"


def test_who_is_gone_stays_so_while_peers_move_the_border():
    of = lambda silence, was: stage_of(spending(0.0, 0.0, silence=silence), was)  # noqa: E731
    for silence, was, expected in (
        (89.0, "dormant", "retention"),
        (91.0, "dormant", "dormant"),
        (91.0, "lost", "dormant"),
        (91.0, "retention", "retention"),
        (99.0, None, "retention"),
        (101.0, "retention", "dormant"),  # told no later than by the rule
        (179.0, "lost", "dormant"),
        (181.0, "lost", "lost"),
        (181.0, "dormant", "dormant"),
        (201.0, "dormant", "lost"),
        (0.0, "lost", "retention"),  # an order
    ):
        assert of(silence, was) == expected, (silence, was)


@given(
    st.floats(0, 300),
    st.floats(0, 300),
    st.integers(0, 12),
    st.integers(0, 12),
    st.floats(0, 300),
    st.sampled_from([*lifecycle.STAGES, None]),
)
def test_a_stage_stays_when_judged_again(recent, earlier, broad, before_broad, silence, was):
    table = spending(recent, earlier, float(broad), float(before_broad), silence)
    by_rule = "extension" if stage_of(table.assign(silence=0.0), "lost") == "extension" else "retention"
    by_rule = "lost" if silence > 200 else "dormant" if silence > 100 else by_rule
    now = stage_of(table, was, by_rule=by_rule)
    assert stage_of(table, now, by_rule=by_rule) == now
    assert stage_of(table, was, OFF, by_rule) == by_rule
