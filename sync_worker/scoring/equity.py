"""Customer equity: what all customers together are worth, and what changed it between two states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sync_worker.sentences import sentence

COLUMNS = ["customer_id", "lifetime_value", "lifecycle_stage"]
#: What a customer can have done to the equity; each is counted in one of them.
CHANGES = ("acquired", "won_back", "growth", "decline", "lost")
#: The difference of two such values still fits into 64 bits. No order comes near it, and Odoo takes far less.
MOST_UNITS = 2.0**61


UNTOLD = "what changed customer equity cannot be told."


def basis(previous: pd.DataFrame | None) -> str | None:
    """What the values of the last run were measured in, `margin` or `revenue`; None where it is not known."""
    if previous is None:
        return None
    told = previous.loc[previous["lifetime_value"].notna(), "value_basis"].dropna()
    return None if told.empty else str(told.mode()[0])


def before(previous: pd.DataFrame | None, now: str) -> tuple[pd.DataFrame | None, list[str]]:
    """The state of the last run that values of the basis `now` can be compared with, and sentences.

    None where there was no customer, and where values were measured otherwise: the difference would be no growth or
    decline of the customers.
    """
    if previous is None or previous.empty:
        return None, []
    then = basis(previous)
    if then is None or then == now:
        return previous, []
    words = f"Value was measured in {then} at the last run and in {now} now: {UNTOLD}"
    return None, [sentence("equity_basis_changed", words, then=then, now=now)]


def bridge(before: pd.DataFrame | None, now: pd.DataFrame, decimals: int = 2) -> dict[str, Any]:
    """The sum of lifetime values and its way from the previous state; ready for JSON.

    opening + acquired + won back + growth - decline - lost = closing, exactly in the currency's smallest unit: every
    customer's value is rounded to it first.

    - *acquired*: the value of those who had none before;
    - *won back*: the change of those who were lost and are not;
    - *lost*: the fall of those who were not lost and are, and the whole value of those who are gone;
    - *growth*, *decline*: rise and fall of everyone else.

    Acquired, won back and lost are sums over their customers, so that one at a loss lowers them.

    Args:
        before: `COLUMNS`, one row per customer; None where there is no previous state.
        now: the same. A missing value is that of a prospect: no customer yet.
        decimals: digits of the currency.

    Returns:
        `opening`, `CHANGES`, `closing`, and `customers`: their counts (`opening`, each change, `unchanged`,
        `closing`). Without a previous state all but the closing ones are None.
    """
    closing = _units(now, decimals)
    if before is None:
        nothing = dict.fromkeys(["opening", *CHANGES])
        counts = {**nothing, "unchanged": None, "closing": int(now["lifetime_value"].notna().sum())}
        return {**nothing, "closing": _money(_sum(closing), decimals), "customers": counts}
    both = _joined(before, now)
    opening, closing = _units(both, decimals, "_before"), _units(both, decimals)
    had, has = both["lifetime_value_before"].notna().to_numpy(), both["lifetime_value"].notna().to_numpy()
    was_lost, is_lost = (
        both[name].eq("lost").to_numpy(dtype=bool, na_value=False)
        for name in ("lifecycle_stage_before", "lifecycle_stage")
    )
    change = closing - opening
    kind = np.select(
        [~had & has, had & (~has | (is_lost & ~was_lost)), had & was_lost & ~is_lost, change > 0, change < 0],
        ["acquired", "lost", "won_back", "growth", "decline"],
        "unchanged",
    )
    kind[~had & ~has] = "prospect"
    sign = {"decline": -1, "lost": -1}
    moved = {name: sign.get(name, 1) * _sum(change[kind == name]) for name in CHANGES}
    counts = {name: int((kind == name).sum()) for name in (*CHANGES, "unchanged")}
    return {
        "opening": _money(_sum(opening), decimals),
        **{name: _money(amount, decimals) for name, amount in moved.items()},
        "closing": _money(_sum(closing), decimals),
        "customers": {"opening": int(had.sum()), **counts, "closing": int(has.sum())},
    }


def _joined(before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """One row per customer of either state. Identifiers of two kinds are compared as text."""
    before, now = before[COLUMNS], now[COLUMNS]
    if before["customer_id"].dtype != now["customer_id"].dtype:
        before, now = (table.assign(customer_id=table["customer_id"].astype(str)) for table in (before, now))
    return now.merge(before, on="customer_id", how="outer", suffixes=("", "_before"), validate="one_to_one")


def _units(table: pd.DataFrame, decimals: int, suffix: str = "") -> np.ndarray:
    """Lifetime values in the currency's smallest unit, int64, 0 where there is none, at most `MOST_UNITS`."""
    values = np.nan_to_num(table[f"lifetime_value{suffix}"].to_numpy(dtype=float, na_value=np.nan))
    most = MOST_UNITS / 10**decimals
    return np.rint(values.clip(-most, most) * 10**decimals).astype("int64")


def _sum(units: np.ndarray) -> int:
    """The exact sum: many customers may come to more than 64 bits hold."""
    return sum(units.tolist())


def _money(units: int, decimals: int) -> float:
    return round(units / 10**decimals, decimals)
