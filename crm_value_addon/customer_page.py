"""The page “Customer value” of a partner or profile: what is known of a customer, in groups, in words.

A fact that is not known is left out, and so is a group without any. The screens show what is here and
decide nothing; amounts are only here for those who may see them.
"""

from datetime import date

from odoo.tools.misc import format_date

from .categories import category_names
from .customer_history import customer_history
from .customer_texts import (
    anomaly_text,
    attitude_text,
    channel_text,
    contact_text,
    next_action_text,
    value_trend_text,
    value_type_text,
)
from .formatting import amount_text, number_text, percent_text
from .incentives import incentive_text
from .labels import GROUP_USER, LABELS, MARGIN_LEVELS, SATISFACTIONS, SERVICE_STRATEGIES, VALUE_BASES
from .peer_places import peer_places
from .publish_columns import PERCENTILE_COLUMNS, RATING_COLUMNS
from .reasons import leading_topic, render_reasons
from .strategy_texts import recommended_strategy_text

# Columns of crm_value_profile that the page is made from.
PAGE_COLUMNS = (
    *(f"{kind}_{label}" for label in LABELS for kind in ("effective", "computed")),
    "company_id",
    "format_id",
    "currency_id",
    "value_basis",
    "value_percentile",
    "margin_level",
    "composite_rating",
    *RATING_COLUMNS,
    *PERCENTILE_COLUMNS,
    "net_value",
    "cost_to_serve",
    "historical_value",
    "current_value",
    "potential_value",
    "lifetime_value",
    "next_class_gap",
    "value_slope",
    "value_trend",
    "expected_value",
    "expected_value_low",
    "expected_value_high",
    "satisfaction",
    "attitude",
    "promise_kept",
    "last_contact_date",
    "initiator",
    "preferred_channel",
    "recommendations",
    "replacement_due",
    "share_of_customer",
    "customisation",
    "service_strategy",
    "anomaly",
    "anomaly_percent",
    "anomaly_since",
    "reasons",
)
# Where the reasons of each topic are told; those of an anomaly stand in its banner.
TOPICS_OF_GROUPS = {
    "who": ("value", "value_type", "rating"),
    "relation": ("loyalty", "satisfaction", "service", "strategy"),
    "life_cycle": ("life_cycle", "products"),
    "risk": ("lost", "churn"),
}


def customer_page(env, profile, changes=()):
    """The page of a customer.

    A group is ``{"name", "title", "facts", "pair", "note", "reasons"}``, a fact ``{"name", "label", "text"}``
    with perhaps a ``note`` that explains it and a ``share`` of one to be drawn as a bar. The two facts of a
    ``pair`` stand side by side.

    :param env: environment of the reader: language, groups, rights
    :param dict profile: values of ``PAGE_COLUMNS``, empty for a customer that is not scored
    :param list changes: changes of its labels, the latest first
    :return: ``{"banner", "next_action", "why", "groups", "history"}``; the banner of a sudden change is ``{"kind",
        "text", "reasons"}``, ``why`` the topic that matters first, and ``history`` as of ``customer_history``
    """
    if not profile:
        return {}
    currency = env["res.currency"].browse(profile["currency_id"])
    topics = {each["topic"]: each for each in render_reasons(env, profile["reasons"], currency)}
    anomaly = anomaly_text(env, profile["anomaly"], profile["anomaly_percent"], profile["anomaly_since"])

    def reasons(*names):
        return [reason for name in names if name in topics for reason in topics[name]["reasons"]]

    page = _Page(env, profile, currency)
    groups = [page.who(), page.value(), page.relation(), page.life_cycle(), page.risk(), page.peers()]
    if page.is_lost:
        groups.insert(0, groups.pop(4))
    for group in groups:
        group["reasons"] = reasons(*TOPICS_OF_GROUPS.get(group["name"], ()))
    return {
        "banner": anomaly and {"kind": profile["anomaly"], "text": anomaly, "reasons": reasons("anomaly")},
        "next_action": page.next_action(),
        "why": topics.get(leading_topic(topics)),
        "groups": [group for group in groups if group["facts"] or group["pair"] or group["reasons"]],
        "history": customer_history(env, changes),
    }


def _fact(name, label, text, **more):
    """A fact of a group; ``share`` of one is drawn as a bar, ``note`` explains it."""
    return {"name": name, "label": label, "text": text, **more}


def _group(name, title, facts, **more):
    return {"name": name, "title": title, "facts": [fact for fact in facts if fact], "pair": [], **more}


class _Page:
    """The groups of one customer's page."""

    def __init__(self, env, profile, currency):
        self.env = env
        self.currency = currency
        self.profile = profile
        self.sees_amounts = env.user.has_group(GROUP_USER)
        self.is_lost = profile["effective_lifecycle_stage"] == "lost"

    # ------------------------------------------------------------------ groups

    def who(self):
        stands = self._share(
            "value_percentile",
            self.env._("Among its peers"),
            # The first of its peers is among them, and above none of itself.
            lambda share: self.env._("above %s of them", percent_text(self.env, min(share, 0.99))),
        )
        facts = [
            self._label("value_segment", self.env._("Segment")),
            self._label("value_class", self.env._("Class")),
            stands,
            self._value_type(),
            self._composite_rating(),
            self._share("rating_contribution", self.env._("Contribution")),
            self._share("rating_compliance", self.env._("Compliance")),
            self._share("rating_integrity", self.env._("Integrity")),
            self._share("rating_influence", self.env._("Influence")),
        ]
        return _group("who", self.env._("Who it is"), facts)

    def value(self):
        facts = [
            self._amount("net_value", self.env._("Net value")),
            self._amount("cost_to_serve", self.env._("Cost to serve")),
            self._code("margin_level", self.env._("Margin"), MARGIN_LEVELS),
            self._amount("historical_value", self.env._("Historical value")),
            self._amount("current_value", self.env._("Current value")),
            self._amount("potential_value", self.env._("Potential value")),
            self._amount("lifetime_value", self.env._("Lifetime value")),
            self._value_trend(),
            self._amount("next_class_gap", self.env._("Missing to Key (A)")),
            self._incentive(),
            self._first_year(),
        ]
        if self.sees_amounts and any(facts):
            facts.append(self._code("value_basis", self.env._("Measured in"), VALUE_BASES))
        return _group("value", self.env._("What it is worth"), facts)

    def relation(self):
        loyalty = self._label("loyalty_stage", self.env._("Loyalty"))
        satisfaction = self._code("satisfaction", self.env._("Satisfaction"), SATISFACTIONS)
        contact = self.profile["last_contact_date"]
        facts = [
            self._service_strategy(),
            self._share("customisation", self.env._("Sales in products kept for it")),
            self._share("promise_kept", self.env._("Promises we kept")),
            contact
            and _fact(
                "last_contact_date",
                self.env._("Last contact"),
                contact_text(self.env, contact, self.profile["initiator"]),
            ),
            self.profile["preferred_channel"]
            and _fact(
                "preferred_channel",
                self.env._("Prefers"),
                channel_text(self.env, self.profile["preferred_channel"]),
            ),
        ]
        return _group(
            "relation",
            self.env._("How we stand with it"),
            facts,
            pair=[each for each in (loyalty, satisfaction) if each],
            note=attitude_text(self.env, self.profile["attitude"]),
        )

    def life_cycle(self):
        facts = [
            self._label("lifecycle_stage", self.env._("Stage")),
            self._next_action(),
            *self._recommendations(),
            self._share(
                "share_of_customer",
                self.env._("Share of customer"),
                lambda share: self.env._("about %s (estimate)", percent_text(self.env, share)),
            ),
        ]
        return _group("life_cycle", self.env._("What comes next"), facts)

    def risk(self):
        facts = [
            self._label("churn_risk", self.env._("Churn risk")),
            self._label("lost_type", self.env._("Lost type")),
        ]
        return _group(
            "risk", self.env._("Why it was lost") if self.is_lost else self.env._("Whether it stays"), facts
        )

    def peers(self):
        return _group(
            "peers",
            self.env._("Among its peers"),
            peer_places(self.env, self.profile),
            note=self.env._("In brackets the share of its peers that are at or below it."),
        )

    # ------------------------------------------------------------------- facts

    def next_action(self):
        return next_action_text(
            self.env,
            self.profile["effective_lifecycle_stage"],
            self.profile["effective_value_class"],
            anomaly=self.profile["anomaly"],
            attitude=self.profile["attitude"],
        )

    def _next_action(self):
        text = self.next_action()
        return text and _fact("next_action", self.env._("Next action"), text)

    def _label(self, name, title):
        """A label in force; where a person overrides the engine, what the engine says."""
        value, computed = self.profile[f"effective_{name}"], self.profile[f"computed_{name}"]
        if not value:
            return None
        fact = _fact(name, title, self._name_of(f"effective_{name}", value))
        if computed and computed != value:
            fact["note"] = self.env._(
                "stated by a person; computed: %s", self._name_of(f"computed_{name}", computed)
            )
        return fact

    def _name_of(self, field, value):
        names = dict(self.env["crm.value.profile"]._fields[field]._description_selection(self.env))
        return names.get(value, value)

    def _code(self, name, title, selection):
        value = self.profile[name]
        known = value in dict(selection)
        return _fact(name, title, self._name_of(name, value)) if known else None

    def _value_type(self):
        fact = self._label("value_type", self.env._("Value type"))
        if fact:
            meaning = value_type_text(self.env, self.profile["effective_value_type"])
            fact["note"] = "; ".join(filter(None, [meaning, fact.get("note")]))
        return fact

    def _service_strategy(self):
        fact = self._code("service_strategy", self.env._("Service strategy"), SERVICE_STRATEGIES)
        if fact:
            fact["note"] = recommended_strategy_text(self.env, self.profile["service_strategy"])
        return fact

    def _amount(self, name, title):
        amount = self.profile[name]
        if amount is None or not self.sees_amounts:
            return None
        return _fact(name, title, amount_text(self.env, amount, self.currency))

    def _value_trend(self):
        """Where its value is going; how much that is for those who see amounts."""
        slope, trend = self.profile["value_slope"], self.profile["value_trend"]
        text = trend and value_trend_text(
            self.env, trend, slope if self.sees_amounts else None, self.currency
        )
        return text and _fact("value_trend", self.env._("Value trend"), text)

    def _first_year(self):
        """What a prospect may bring; of customers the expected value is of another time."""
        if self.profile["effective_lifecycle_stage"] != "selection":
            return None
        fact = self._amount("expected_value", self.env._("First year, if it is won as others are"))
        low, high = self.profile["expected_value_low"], self.profile["expected_value_high"]
        if fact and low is not None and high is not None:
            fact["note"] = self.env._(
                "%(low)s to %(high)s",
                low=amount_text(self.env, low, self.currency),
                high=amount_text(self.env, high, self.currency),
            )
        return fact

    def _incentive(self):
        text = incentive_text(self.env, self.profile)
        return text and _fact("incentive", self.env._("To say to it"), text)

    def _share(self, name, title, text=None):
        share = self.profile[name]
        if share is None:
            return None
        return _fact(name, title, text(share) if text else percent_text(self.env, share), share=share)

    def _composite_rating(self):
        rating = self.profile["composite_rating"]
        if rating is None:
            return None
        text = self.env._("%s of 100", number_text(self.env, rating))
        return _fact("composite_rating", self.env._("Rating"), text, share=rating / 100)

    def _recommendations(self):
        """What its peers buy and it does not, and what it is time to buy again."""
        given = self.profile["recommendations"] or []
        names = category_names(self.env, [each["category_id"] for each in given])
        known = [each for each in given if each["category_id"] in names]
        gap = [names[each["category_id"]] for each in known if each["kind"] == "cross_sell"]
        due = [
            self._due_text(names[each["category_id"]], each.get("due"))
            for each in known
            if each["kind"] == "replacement"
        ]
        if not due and self.profile["replacement_due"]:
            due = [format_date(self.env, self.profile["replacement_due"])]
        return [
            gap and _fact("cross_sell", self.env._("Peers buy, it does not"), ", ".join(gap)),
            due and _fact("replacement_due", self.env._("Due again"), ", ".join(due)),
        ]

    def _due_text(self, name, due):
        try:
            day = date.fromisoformat(due or "")
        except ValueError:
            return name
        return self.env._("%(category)s (%(day)s)", category=name, day=format_date(self.env, day))
