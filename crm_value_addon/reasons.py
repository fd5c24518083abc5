"""Reasons in the reader's language; the worker sends codes and figures only."""

import json
from pathlib import Path

from markupsafe import Markup

REASON_SCHEMA = json.loads(
    (Path(__file__).parent / "data" / "reason_schema.json").read_text(encoding="utf-8")
)
# Reasons that tell a margin, for those who see amounts only.
AMOUNT_CODES = {"poor_net_value"}
ICONS = {
    "up": "fa-arrow-up text-danger",
    "down": "fa-arrow-down text-success",
    "advice": "fa-lightbulb-o text-warning",
}


def reason_text(env, code, params):
    """One sentence for a reason.

    :param env: environment whose language is used
    :param str code: a key of the reason schema
    :param dict params: the figures the schema names for it
    :raise KeyError: for an unknown code or a missing figure
    """
    texts = {
        "late_against_rhythm": lambda: env._(
            "Last order %(days_since)s days ago; usually orders every %(typical_gap)s days", **params
        ),
        "on_rhythm": lambda: env._(
            "Orders in its usual rhythm: last %(days_since)s days ago, usually every %(typical_gap)s days",
            **params,
        ),
        "long_silence": lambda: env._("Silent for %(days_since)s days", **params),
        "recent_order": lambda: env._("Ordered only %(days_since)s days ago", **params),
        "frequent_buyer": lambda: env._("Ordered on %(order_days)s days in %(months)s months", **params),
        "rare_buyer": lambda: env._("Orders seldom: on %(order_days)s days in %(months)s months", **params),
        "one_order_only": lambda: env._("Ordered once, %(days_since)s days ago", **params),
        "spend_rising": lambda: env._("Spends %(percent)s %% more than in the period before", **params),
        "spend_falling": lambda: env._("Spends %(percent)s %% less than in the period before", **params),
        "small_orders": lambda: env._(
            "Small orders: %(percent)s %% of what its peers spend on one", **params
        ),
        "large_orders": lambda: env._(
            "Large orders: %(percent)s %% of what its peers spend on one", **params
        ),
        "fewer_orders": lambda: env._(
            "Fewer orders: %(recent)s, after %(before)s in the period before", **params
        ),
        "more_orders": lambda: env._(
            "More orders: %(recent)s, after %(before)s in the period before", **params
        ),
        "broad_basket": lambda: env._("Buys in %(categories)s categories, its peers in %(peers)s", **params),
        "narrow_basket": lambda: env._(
            "Buys in only %(categories)s categories, its peers in %(peers)s", **params
        ),
        "discount_dependent": lambda: env._("%(percent)s %% of its purchases were discounted", **params),
        "returns_share": lambda: env._("Returned %(percent)s %% of what it bought", **params),
        "top_share": lambda: env._("Number %(rank)s by value among %(peers)s peers", **params),
        "won_back": lambda: env._("Came back after %(silence_days)s days of silence", **params),
        "poor_net_value": lambda: env._("Leaves only %(percent)s %% of its sales as margin", **params),
        "order_brings_low": lambda: env._(
            "An order within %(days)s days would bring the risk to low", **params
        ),
        "order_brings_medium": lambda: env._(
            "An order within %(days)s days would bring the risk to medium", **params
        ),
        "little_history": lambda: env._(
            "Little history: %(order_days)s days with orders, %(needed)s are needed", **params
        ),
        "few_customers": lambda: env._(
            "Scored by simple rules, not by a model: %(have)s customers have ordered, %(needed)s are needed",
            **params,
        ),
        "few_days": lambda: env._(
            "Scored by simple rules, not by a model: orders span %(have)s days, %(needed)s are needed",
            **params,
        ),
        "few_repeat_buyers": lambda: env._(
            "Scored by simple rules, not by a model: %(have)s customers ordered again, %(needed)s are needed",
            **params,
        ),
    }
    return texts[code]()


def render_reasons(env, reasons):
    """The reasons of a profile as a list in HTML, as far as the reader may know them.

    A code this version does not know is left out.
    """
    hidden = set() if env.user.has_group("crm_value_addon.group_user") else AMOUNT_CODES
    titles = {
        "up": env._("Raises the risk"),
        "down": env._("Lowers the risk"),
        "advice": env._("What would help"),
    }
    items = []
    for reason in reasons or []:
        code, params = reason.get("code"), reason.get("params")
        if not isinstance(code, str) or code not in REASON_SCHEMA or not isinstance(params, dict):
            continue
        if code in hidden or set(REASON_SCHEMA[code]["params"]) - set(params):
            continue
        items.append(
            Markup('<li><i class="fa %s me-1" role="img" title="%s"></i>%s</li>')
            % (
                ICONS.get(reason.get("direction"), "fa-circle-o text-muted"),
                titles.get(reason.get("direction"), ""),
                reason_text(env, code, params),
            )
        )
    return items and Markup('<ul class="list-unstyled mb-0">%s</ul>') % Markup("").join(items)
