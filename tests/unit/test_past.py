import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shops import TODAY, past_of, shop, without_formats

from sync_worker.policy import Policy
from sync_worker.scoring import past as past_module
from sync_worker.scoring.features import Sales
from sync_worker.scoring.past import Past, cutoffs, needed


@pytest.fixture(scope="module")
def sales():
    return shop(150, seed=2, span=600)


@given(st.integers(0, 2000), st.integers(14, 365))
def test_cutoffs_have_their_past_before_and_their_whole_horizon_after_them(length, horizon):
    start, day = 1000, 1000 + length
    found = cutoffs(start, day, horizon)
    assert len(found) <= 6 and found == sorted(found, reverse=True)
    for earlier in found:
        assert earlier + horizon <= day
        assert earlier - start >= max(0.5 * horizon, 45)
    assert all(gap >= max(0.5 * horizon - 1, 15) for gap in -np.diff(found))
    if length >= 1.5 * horizon + 46:
        assert found[0] == day - horizon
    if length < horizon + needed(horizon):
        assert found == []


def test_trial_days_are_a_longest_horizon_apart_and_their_outcome_is_known(sales):
    past = past_of(sales, horizon=60)
    assert past.trial_days(3) == [TODAY - 180, TODAY - 120, TODAY - 60]
    many = past.trial_days(99)
    assert set(np.diff(many)) == {60}
    assert many[0] - past.start >= 45 > many[0] - 60 - past.start
    longer = Policy([{"key": "churn_horizon_days", "format_id": 1, "value": 150}])
    mixed = Past(sales, without_formats(sales), longer, TODAY)
    assert mixed.trial_days(2) == [TODAY - 300, TODAY - 150]


def facts(lessons):
    for lesson in lessons:
        s, came = lesson.situation, lesson.outcome
        yield from (s.x, s.t_x, s.T, s.mu, s.sigma, s.recent_spend, s.last_spend, s.revenue)
        yield from (came.churned, came.orders, came.sales, came.value)
        yield np.array([lesson.horizon, *lesson.base.transactions.parameters().values()])
        yield np.array([*lesson.base.rhythm.parameters().values(), lesson.base.spend.population_mean_])


def test_lessons_teach_what_was_known_by_the_day_and_no_later(sales):
    day = TODAY - 100
    late = sales.day > day
    rng = np.random.default_rng(0)
    changed = Sales(sales.row, sales.day, np.where(late, rng.normal(0, 1e4, len(late)), sales.amount))
    alone = Sales(sales.row[~late], sales.day[~late], sales.amount[~late])
    expected = list(facts(past_of(sales).lessons(day)))
    assert len(expected) == 6 * 14
    formats = without_formats(sales)
    for other in (changed, alone):
        found = facts(Past(other, formats, Policy().replace(churn_horizon_days=60), TODAY).lessons(day))
        for mine, theirs in zip(found, expected, strict=True):
            assert mine.tolist() == theirs.tolist()


def test_lessons_depend_on_sales_up_to_the_day(sales):
    """The check above would miss a day that is too early."""
    day = TODAY - 100
    last = sales.day == day - 5
    assert last.any()
    changed = Sales(sales.row, sales.day, np.where(last, -1.0, sales.amount))
    one, other = (list(facts(past_of(which).lessons(day))) for which in (sales, changed))
    assert any(a.tolist() != b.tolist() for a, b in zip(one, other, strict=True))


def test_outcomes_seen_are_those_of_the_horizon_after_each_cutoff(sales):
    past = past_of(sales, horizon=60)
    found = past.seen(TODAY)
    assert [snapshot.day for snapshot, _base, _came in found] == cutoffs(past.start, TODAY, 60)
    for snapshot, base, came in found:
        assert snapshot.horizon == 60
        then = (sales.day > snapshot.day) & (sales.day <= snapshot.day + 60) & (sales.amount > 0)
        assert came.churned.tolist() == (~np.isin(snapshot.rows, sales.row[then])).tolist()
        # fitted on the snapshot: the likelihood is that of its customers
        s = snapshot.situation
        again = past_module.base_models.fit(s).transactions.parameters()
        assert base.transactions.parameters() == pytest.approx(again)


def test_each_moment_is_made_once(sales):
    past = past_of(sales)
    assert past.moment(TODAY - 60) is past.moment(TODAY - 60)
    assert past.moment(TODAY - 60, 30) is not past.moment(TODAY - 60)
    assert past.moment(TODAY - 60, 30)[0].horizon == 30


def test_too_little_past_is_no_moment(sales):
    past = past_of(sales)
    assert past.moment(past.start + 20) is None
    assert past.moment(past.start - 1) is None


def test_a_short_past_teaches_on_a_shorter_horizon():
    past = past_of(shop(300, seed=5, span=200, gap=12.0), horizon=180)
    seen = past.seen(TODAY)
    assert seen and {snapshot.horizon for snapshot, _base, _came in seen} == {int((TODAY - past.start) / 2.5)}
    for snapshot, _base, _came in seen:
        assert snapshot.day + snapshot.horizon <= TODAY


def test_returns_long_before_the_first_purchase_are_no_hindrance():
    known = shop(120, seed=6, span=300)
    start = int(known.day.min())
    sales = Sales(np.append(0, known.row), np.append(start - 200, known.day), np.append(-5.0, known.amount))
    past = past_of(sales, horizon=60)
    days = [snapshot.day for snapshot, _base, _came in past.seen(start + 20)]
    assert days == []
    assert len(past.lessons(TODAY)) > 0


def test_no_past_teaches_nothing():
    past = past_of(shop(60, seed=5, span=32, gap=5.0), horizon=90)
    assert past.lessons(TODAY) == []


def test_what_was_spent_is_net_sales_of_the_window_up_to_the_day(sales):
    day = TODAY - 50
    returned = Sales(
        np.append(sales.row, sales.row[-1]),
        np.append(sales.day, max(sales.day[-1], day - 3)),
        np.append(sales.amount, -9.5),
    )
    past = past_of(returned)
    snapshot = past.moment(day)[0]
    window = np.where(snapshot.rows % 2, 90.0, 365.0)
    found = past.spent(snapshot, window)
    for place, row in enumerate(snapshot.rows):
        own = (returned.row == row) & (returned.day <= day) & (returned.day > day - window[place])
        assert found[place] == pytest.approx(returned.amount[own].sum(), abs=1e-9)


def test_large_companies_are_looked_at_in_a_sample_that_is_the_same_each_time(sales, monkeypatch):
    monkeypatch.setattr(past_module, "SAMPLE", 100)
    past, again = past_of(sales), past_of(sales)
    assert len(past.formats) == 100
    assert past.sales.row.tolist() == again.sales.row.tolist()
    # whole customers: each one of them has all of its sales
    sizes = np.unique(np.unique(past.sales.row, return_counts=True)[1], return_counts=True)
    whole = np.unique(np.unique(sales.row, return_counts=True)[1], return_counts=True)
    assert sizes[1].sum() == 100 and set(sizes[0]) <= set(whole[0])
    assert past.moment(TODAY)[0].rows.max() < 100


def test_lessons_are_a_sample_where_rows_are_many(sales, monkeypatch):
    monkeypatch.setattr(past_module, "LESSON_ROWS", 200)
    past = past_of(sales)
    everyone = sum(len(snapshot.rows) for snapshot, _base, _came in past.seen(TODAY))
    lessons = past.lessons(TODAY)
    assert everyone > 400
    assert 150 < sum(len(lesson.situation) for lesson in lessons) < 250
    for lesson in lessons:
        assert len(lesson.outcome.churned) == len(lesson.situation)
        repeat = past_of(sales).lessons(TODAY)
    assert [one.situation.T.tolist() for one in repeat] == [one.situation.T.tolist() for one in lessons]
