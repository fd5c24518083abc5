"""Reasons in the reader's language; the worker sends codes and figures only."""

import json
from pathlib import Path

from odoo.exceptions import UserError

from .categories import category_names
from .formatting import amount_text
from .labels import GROUP_USER
from .reason_texts import reason_text
from .reason_titles import direction_text, records_text, topic_title
from .result_values import is_id

REASON_SCHEMA = json.loads(
    (Path(__file__).parent / "data" / "reason_schema.json").read_text(encoding="utf-8")
)
# The order in which topics are told.
TOPICS = (
    "churn",
    "anomaly",
    "lost",
    "value",
    "value_type",
    "rating",
    "loyalty",
    "satisfaction",
    "service",
    "life_cycle",
    "products",
    "strategy",
)
# Reasons that tell a margin are for those who see amounts, as all that tell money are.
MARGIN_CODES = {"poor_net_value", "margin_above_peers", "margin_below_peers", "lost_poor_margin"}
DIRECTIONS = ("up", "down", "advice")
# Odoo's form of these shows records of another model too, and is an error of access to who may not read those.
SHOWN_IN_FORM = {"account.move": "account.payment"}


def money_figures(code):
    """Names of the figures of a reason that are money, in whole units: those of that type, and any `amount`."""
    return {
        name for name, kind in REASON_SCHEMA[code]["params"].items() if kind == "money" or name == "amount"
    }


def tells_amounts(code):
    """Whether a reason is for those who see amounts only."""
    return code in MARGIN_CODES or bool(money_figures(code))


def category_figures(code):
    """Names of the figures of a reason that are ids of product categories."""
    return {name for name, kind in REASON_SCHEMA[code]["params"].items() if kind == "category"}


def categories_of(reasons):
    """What known reasons give as ids of product categories."""
    return [reason["params"].get(name) for reason in reasons for name in category_figures(reason["code"])]


def figures_of(env, reason, currency, categories):
    """The figures of a reason as its sentence tells them, money with the currency and categories by name.

    :param dict categories: names that the reader may read by id; a category without one is told as None
    """
    params = reason["params"]
    named = {
        name: categories.get(params[name]) if is_id(params.get(name)) else None
        for name in category_figures(reason["code"])
    }
    money = {
        name: amount_text(env, params[name], currency)
        for name in money_figures(reason["code"])
        if isinstance(params[name], int | float)
    }
    return {**params, **named, **money}


def known_reasons(env, reasons):
    """The reasons that this version knows, complete, and that the reader may know."""
    sees_amounts = env.user.has_group(GROUP_USER)
    for reason in reasons if isinstance(reasons, list) else []:
        code, params = reason.get("code"), reason.get("params")
        if not isinstance(code, str) or code not in REASON_SCHEMA or not isinstance(params, dict):
            continue
        complete = not set(REASON_SCHEMA[code]["params"]) - set(params) - category_figures(code)
        if complete and (sees_amounts or not tells_amounts(code)):
            yield reason


def records_of(reason):
    """``{model: ids}`` of the records behind a reason; the schema says what they are, and the reason which of the two
    where they are sales: orders or invoices, by the policy it was told by."""
    spec, given = REASON_SCHEMA[reason["code"]], reason.get("record_ids")
    invoiced = "invoiced" in spec and reason.get("model") == spec["invoiced"]
    model = spec["invoiced"] if invoiced else spec["model"]
    ids = [number for number in (given if isinstance(given, list) else []) if is_id(number)]
    return {model: ids} if model and ids else {}


def may_open(env, model):
    """Whether there is such a model here, and the reader may read any record of it."""
    return model in env and env[model].has_access("read")


def may_open_form(env, model):
    """Whether the reader may open the form of a record of a model that it may read."""
    return model not in SHOWN_IN_FORM or env[SHOWN_IN_FORM[model]].has_access("read")


def render_reasons(env, reasons, currency):
    """The reasons of a profile by topic, as far as the reader may know them.

    A code this version does not know is left out.

    :param currency: record of the currency in which money is told
    :return: ``[{"topic", "title", "reasons": [{"code", "text", "direction", "meaning", "links"}]}]``, the
        topics in their order and the reasons in the order they were sent; a link is ``{"model", "text"}``
    """
    topics = {}
    known = list(known_reasons(env, reasons))
    categories = category_names(env, categories_of(known))
    for reason in known:
        code = reason["code"]
        direction = next((each for each in DIRECTIONS if each == reason.get("direction")), "")
        links = [
            {"model": model, "text": records_text(env, model, len(ids))}
            for model, ids in records_of(reason).items()
            if may_open(env, model)
        ]
        topics.setdefault(REASON_SCHEMA[code]["topic"], []).append(
            {
                "code": code,
                "text": reason_text(env, code, figures_of(env, reason, currency, categories)),
                "direction": direction,
                "meaning": direction_text(env, direction),
                "links": links,
            }
        )
    return [
        {"topic": topic, "title": topic_title(env, topic), "reasons": topics[topic]}
        for topic in TOPICS
        if topic in topics
    ]


def leading_topic(topics):
    """The topic to tell first of those there are: why a customer was lost, else the first in order; None of none."""
    return "lost" if "lost" in topics else next((topic for topic in TOPICS if topic in topics), None)


def main_reason(env, reasons, *, at_risk=False):
    """The strongest reason of those that the reader may know, the first on the page of the customer; None of none.

    :param bool at_risk: what raises the risk comes first, even if something else is stronger
    """
    topics = {}
    for reason in known_reasons(env, reasons):
        topics.setdefault(REASON_SCHEMA[reason["code"]]["topic"], []).append(reason)
    told = topics.get(leading_topic(topics), [])
    if at_risk:
        told = sorted(told, key=lambda reason: reason.get("direction") != "up")
    return told[0] if told else None


def open_records(env, profile, code, model):
    """The action that lists the records of a model behind a reason, as far as the reader may see them.

    Who may not open a single one sees the list alone, and is told why.

    :param dict profile: `reasons` and `currency_id` of the customer, empty when it is not scored
    :raise UserError: when the reader may not know the reason, it is there no more, or has no such records
    """
    reason = next((each for each in known_reasons(env, profile.get("reasons")) if each["code"] == code), None)
    ids = records_of(reason).get(model) if reason and isinstance(model, str) else None
    if not ids or not may_open(env, model):
        raise UserError(env._("There are no such records behind this reason any more: reload the page."))
    currency = env["res.currency"].browse(profile["currency_id"])
    categories = category_names(env, categories_of([reason]))
    title = reason_text(env, code, figures_of(env, reason, currency, categories))
    # Lost leads are archived, and still what a reason rests on.
    found = env[model].with_context(active_test=False).search([("id", "in", ids)])
    if not found:
        message = env._("The records behind this were deleted, or are not yours to see.")
        return _notification(title, message, "warning")
    openable = may_open_form(env, model)
    action = {
        "type": "ir.actions.act_window",
        "name": title,
        "res_model": model,
        "views": [[False, "list"], [False, "form"]] if openable else [[False, "list"]],
        "domain": [["id", "in", found.ids]],
        "context": {"active_test": False, "create": False},
    }
    if openable:
        return action
    message = env._("Only people with rights in accounting can open a single one: here is the list of them.")
    return _notification(title, message, "info", next=action)


def _notification(title, message, kind, **more):
    params = {"type": kind, "title": title, "message": message, **more}
    return {"type": "ir.actions.client", "tag": "display_notification", "params": params}
