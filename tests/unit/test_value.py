import numpy as np
import pytest
from leavers import Leavers, spend_model

from sync_worker.scoring.distribution import SalesDistribution
from sync_worker.scoring.forecast import Forecast
from sync_worker.scoring.rates import Rate
from sync_worker.scoring.situation import Situation
from sync_worker.scoring.value import Prospects, expected_value


def money_of(spend, *rates):
    mean = np.array(rates)
    return Prospects(np.full(len(mean), spend), Rate(mean, 0.0, mean, mean))


@pytest.fixture
def customers():
    full = np.ones(3)
    where = Situation(9 * full, 200 * full, 200 * full, full, full, mean_spend=24 * full)
    return Forecast(Leavers(0.02), spend_model(), spread=1.5), np.array([60.0, 5.0, 400.0]), where


def test_expected_value_is_sales_less_returns_and_costs(customers):
    forecast, horizon, where = customers
    money = money_of(40.0, 0.5, 0.25, -0.1)
    told = expected_value(horizon, forecast, where, money)
    sales = forecast.expected_sales(horizon, where)
    none, orders = forecast.outlook(horizon, where)
    assert told["churn_probability"].to_numpy() == pytest.approx(none)
    assert told["expected_orders"].to_numpy() == pytest.approx(orders)
    assert told["expected_value"].to_numpy() == pytest.approx(sales * money.rate.mean)
    of_sales = SalesDistribution.of(forecast, horizon, where).worth(money_of(40.0, 1.0, 1.0, 1.0).rate)
    ends = np.stack(of_sales.interval(1.5)) * money.rate.mean
    assert told["expected_value_low"][:2].tolist() == pytest.approx(ends[0, :2])
    assert told["expected_value_high"][:2].tolist() == pytest.approx(ends[1, :2])
    # who costs money costs the more the more it buys
    assert (told["expected_value_low"][2], told["expected_value_high"][2]) == pytest.approx(
        (ends[1, 2], ends[0, 2])
    )
    assert (told["expected_value_low"] <= told["expected_value"]).all()
    assert (told["expected_value"] <= told["expected_value_high"]).all()


def test_the_interval_never_leaves_out_the_expected_value(customers):
    _forecast, horizon, where = customers
    left = Forecast(Leavers(0.97), spend_model())
    told = expected_value(horizon, left, where, money_of(40.0, 1.0, 1.0, 1.0))
    assert (told["expected_value"] > 0).all() and (told["expected_value_low"] == 0).all()
    assert told["expected_value_high"].tolist() == told["expected_value"].tolist()


def test_worth():
    money = money_of(40.0, 0.25)
    assert money.worth(np.array([3.0])).tolist() == [30]
