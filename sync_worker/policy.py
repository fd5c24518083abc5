"""The policy a manager keeps: thresholds and settings, per company and, where wanted, per business format.

`policy_schema.json` is the one list of keys with unit, bounds, default and meaning; the addon keeps an
equal copy.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sync_worker.sentences import sentence

WEIGHTS = ("weight_frequency", "weight_volume", "weight_margin", "weight_loyalty")
RATING_WEIGHTS = (
    "rating_weight_contribution",
    "rating_weight_compliance",
    "rating_weight_integrity",
    "rating_weight_influence",
)
#: (key, key that must be greater): a crossing pair would leave a label that nobody can reach.
ORDERED = (
    ("risk_medium_from", "risk_high_from"),
    ("dormant_factor", "lost_factor"),
    ("dormant_days", "lost_days"),
    ("approval_order_days", "preference_order_days"),
    ("preference_order_days", "loyalty_order_days"),
    ("unsatisfied_below", "satisfied_from"),
)


#: What sales are counted from, by the value of `sales_basis`; and the words for it.
SALES = ("orders", "invoices")
SALES_WORDS = {"orders": "confirmed orders", "invoices": "posted invoices"}


class PolicyError(ValueError):
    """A policy that cannot be used; the message is one sentence for the manager."""


@cache
def schema() -> dict[str, dict[str, Any]]:
    """The keys of a policy: ``{key: {type, unit, minimum, maximum, default, label, meaning}}``.

    A key of the scope `company` takes no value for a business format.
    """
    return json.loads(files("sync_worker").joinpath("policy_schema.json").read_text(encoding="utf-8"))


class Policy:
    """Values of one policy version, with inheritance by absence: format rule, company rule, schema default.

    Args:
        rules: mappings with `key`, `value` and optionally `format_id` (None = the whole company), in any
            order. `format_id` is whatever the history calls its formats: an integer from Odoo, a text from
            a file.
        version: identifier of the policy version in Odoo, None where there is none: of what is read from a file, and
            of a policy that was altered.
        before: the policy of the run before, where it was another: what it called customers is remembered as far as
            it would be told alike by both (`scoring.memory`).

    Raises:
        PolicyError: unknown key, value of the wrong type or out of bounds, two rules for the same key and
            format, a format's own value of what is one for the company, or values that contradict each other.
    """

    def __init__(
        self,
        rules: Iterable[Mapping[str, Any]] = (),
        version: int | None = None,
        before: Policy | None = None,
    ) -> None:
        self.version, self.before = version, before
        self._values: dict[tuple[str, Any], float | int] = {}
        for rule in rules:
            key, format_id = rule["key"], rule.get("format_id")
            if (key, format_id) in self._values:
                words = f"The policy has two rules for {_name(key, format_id)}; keep one of them."
                raise PolicyError(sentence("policy_rule_twice", words, rule=key))
            self._values[key, format_id] = _checked(key, format_id, rule["value"])
        self.formats = tuple(sorted({f for _, f in self._values if f is not None}, key=str))
        for format_id in (None, *self.formats):
            self._check_consistency(format_id)

    @property
    def keys(self) -> frozenset[str]:
        """The keys a policy can set."""
        return frozenset(schema())

    @property
    def rules(self) -> list[dict[str, Any]]:
        """The rules this policy was built from, sorted; `Policy(policy.rules)` is an equal policy."""
        ordered = sorted(self._values.items(), key=lambda item: (item[0][0], str(item[0][1] or "")))
        return [{"key": key, "format_id": format_id, "value": value} for (key, format_id), value in ordered]

    @property
    def sales(self) -> str:
        """What sales are counted from: `orders` or `invoices`."""
        return SALES[int(self.value("sales_basis"))]

    def value(self, key: str, format_id: Any = None) -> float | int:
        """The value of a key for a format (None: the company)."""
        if key not in schema():
            raise PolicyError(f"The policy has no key “{key}”.")
        for scope in (format_id, None):
            if (key, scope) in self._values:
                return self._values[key, scope]
        return schema()[key]["default"]

    def column(self, key: str, formats: pd.Series) -> np.ndarray:
        """The value of a key for each customer.

        Args:
            formats: (n,) format of each customer, missing where it has none.

        Returns:
            (n,) float64 array.
        """
        values = np.full(len(formats), float(self.value(key)))
        for format_id in self.formats:
            if (key, format_id) in self._values:
                values[(formats == format_id).to_numpy(dtype=bool, na_value=False)] = self._values[
                    key, format_id
                ]
        return values

    def replace(self, **values: float) -> Policy:
        """A policy with these values for every format, e.g. `policy.replace(churn_horizon_days=90)`."""
        kept = [rule for rule in self.rules if rule["key"] not in values]
        return Policy(
            [*kept, *({"key": key, "format_id": None, "value": value} for key, value in values.items())]
        )

    def differing(self, other: Policy) -> frozenset[str]:
        """The keys whose value is another by the other policy, for the company or for a format."""
        formats = (None, *self.formats, *other.formats)
        return frozenset(
            key for key in schema() if any(self.value(key, f) != other.value(key, f) for f in formats)
        )

    def _check_consistency(self, format_id: Any) -> None:
        for lower, upper in ORDERED:
            if self.value(lower, format_id) >= self.value(upper, format_id):
                low, high = self.value(lower, format_id), self.value(upper, format_id)
                words = (
                    f"{_name(lower, format_id)} is {low} and must be below "
                    f"“{schema()[upper]['label']}”, which is {high}."
                )
                raise PolicyError(
                    sentence("policy_out_of_order", words, lower=lower, low=low, upper=upper, high=high)
                )
        for keys, what, code in (
            (WEIGHTS, "value index", "policy_weights_zero"),
            (RATING_WEIGHTS, "composite rating", "policy_rating_weights_zero"),
        ):
            if not any(self.value(key, format_id) for key in keys):
                words = (
                    f"The four weights of the {what}{_of(format_id)} are all zero; set at least one of them."
                )
                raise PolicyError(sentence(code, words))
        if self.value("key_rule", format_id) == 1 and not self.value("key_value_minimum", format_id):
            words = f"{_name('key_value_minimum', format_id)} must be above 0 where key customers are taken by value."
            raise PolicyError(sentence("policy_key_value_missing", words))


def read_policy(path: Path) -> Policy:
    """The policy in a JSON file: a list of rules with `key`, `value` and optionally `format_id`; or `{"version_id",
    "rules"}`, as Odoo describes one, with the one of the run before as `before` where it was another.

    Raises:
        PolicyError: the file cannot be read, holds no such list, or `Policy` refuses the rules.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not JSON"
        raise PolicyError(f"The policy {path} cannot be read: {reason}.") from error
    described = found if isinstance(found, dict) else {"rules": found}
    rules, version = described.get("rules"), described.get("version_id")
    usable = (
        isinstance(version, int | None)
        and isinstance(rules, list)
        and all(isinstance(rule, dict) and {"key", "value"} <= set(rule) for rule in rules)
    )
    if not usable:
        raise PolicyError(f"The policy {path} is no list of rules; each has a key and a value.")
    return Policy(rules, version, policy_before(described.get("before")))


def policy_before(described: Mapping[str, Any] | None) -> Policy | None:
    """The policy of the run before as Odoo describes it, None where there is none or it cannot be read any more."""
    try:
        return Policy(described["rules"], described.get("version_id")) if described else None
    except PolicyError:  # made under bounds that are narrower now
        return None


def _checked(key: str, format_id: Any, value: Any) -> float | int:
    if key not in schema():
        raise PolicyError(f"The policy has no key “{key}”; its keys are {', '.join(sorted(schema()))}.")
    spec = schema()[key]
    if format_id is not None and spec.get("scope") == "company":
        raise PolicyError(
            f"{_name(key, format_id)} is one for the whole company: remove the format from the rule."
        )
    whole = spec["type"] == "integer"
    valid = isinstance(value, Real) and not isinstance(value, bool) and np.isfinite(value)
    if not valid or (whole and not isinstance(value, Integral) and value != int(value)):
        kind = "a whole number" if whole else "a number"
        raise PolicyError(f"{_name(key, format_id)} must be {kind} ({spec['unit']}), not {value!r}.")
    if not spec["minimum"] <= value <= spec["maximum"]:
        raise PolicyError(
            f"{_name(key, format_id)} is {value} and must lie between "
            f"{spec['minimum']} and {spec['maximum']} ({spec['unit']})."
        )
    return int(value) if whole else float(value)


def _name(key: str, format_id: Any) -> str:
    return f"“{schema()[key]['label']}” ({key}){_of(format_id)}"


def _of(format_id: Any) -> str:
    return "" if format_id is None else f" of format {format_id}"
