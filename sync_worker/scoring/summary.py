"""What a run found, in one page: counts, totals, and the model in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sync_worker.scoring.forecast import Forecast

LABELS = (
    "value_class",
    "value_segment",
    "loyalty_stage",
    "lifecycle_stage",
    "churn_risk",
    "confidence",
    "value_basis",
)
TOTALS = (
    "historical_value",
    "current_value",
    "potential_value",
    "lifetime_value",
    "expected_value",
    "expected_orders",
)


def summarise(customers: pd.DataFrame, as_of: pd.Timestamp, forecast: Forecast | None) -> dict[str, Any]:
    """Counts per label, totals and the models' parameters; ready for JSON.

    Args:
        customers: the result's table.
        forecast: None where nobody has ordered yet.
    """
    bought = customers["order_days"].notna().to_numpy()
    buyers = int(bought.sum())
    return {
        "as_of": f"{as_of:%Y-%m-%d}",
        "customers": len(customers),
        "buyers": buyers,
        "prospects": len(customers) - buyers,
        "counts": {
            name: {str(label): int(count) for label, count in customers[name].value_counts().items()}
            for name in LABELS
        },
        "burdens": int(customers["burden"].sum()),
        "totals": {name: _rounded(customers.loc[bought, name].sum()) for name in TOTALS},
        "mean_churn_probability": _rounded(customers.loc[bought, "churn_probability"].mean()),
        "model": _model(forecast),
    }


def _model(forecast: Forecast | None) -> dict[str, Any]:
    if forecast is None:
        return {"tier": None, "words": "no customer has ordered yet"}
    parameters = {name: _rounded(number, 6) for name, number in forecast.parameters().items()}
    spend = forecast.spend
    if not spend.fallback_:
        fitted = {"spend_p": spend.p_, "spend_q": spend.q_, "spend_gamma": spend.gamma_}
        parameters |= {name: _rounded(number, 6) for name, number in fitted.items()}
    return {
        "tier": forecast.name,
        "words": forecast.words,
        "season": _rounded(forecast.season.orders),
        "spend": "shrunken mean" if spend.fallback_ else "gamma_gamma",
        "parameters": parameters,
    }


def _rounded(number: float, digits: int = 4) -> float | None:
    return round(float(number), digits) if np.isfinite(number) else None
