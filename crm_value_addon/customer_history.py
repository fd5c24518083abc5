"""How the labels of a customer changed: the list on its page, and the views that tell the whole of it."""

from itertools import islice

from odoo.exceptions import UserError
from odoo.tools import groupby
from odoo.tools.misc import format_date

from .labels import GROUP_USER

MOST_ENTRIES = 10
TOLD_IN_NOTE = ("user_id", "reason", "until", "policy_number", "merged_from")
ACTIONS = {
    "changes": "crm_value_addon.crm_value_change_action",
    "values": "crm_value_addon.crm_value_snapshot_action_customer",
}


def customer_history(env, changes):
    """The latest changes, those of one day and cause together.

    :param env: environment of the reader: language, groups
    :param list changes: rows of ``crm.value.change``, the latest first
    :return: ``[{"date", "cause", "note", "changes": [{"label", "from", "to"}]}]``, at most ``MOST_ENTRIES``; ``from``
        is empty for what was said the first time, ``to`` for what is no longer said
    """
    if not changes:
        return []
    names = {
        field: dict(env["crm.value.change"]._fields[field]._description_selection(env))
        for field in ("label", "from_value", "to_value", "cause")
    }

    def told_together(row):
        return tuple(row[name] for name in ("date", "cause", *TOLD_IN_NOTE))

    entries = []
    for _key, latest_first in islice(groupby(changes, told_together), MOST_ENTRIES):
        rows = latest_first[::-1]  # of a state with its first label first
        entries.append(
            {
                "date": format_date(env, rows[0]["date"]),
                "cause": names["cause"].get(rows[0]["cause"], ""),
                "note": _note(env, rows[0]),
                "changes": [
                    {
                        "label": names["label"].get(row["label"], ""),
                        "from": names["from_value"].get(row["from_value"], ""),
                        "to": names["to_value"].get(row["to_value"], ""),
                    }
                    for row in rows
                ],
            }
        )
    return entries


def _note(env, row):
    """By whom and why, and by which version of the policy."""
    notes = []
    if row["user_id"] and env.user.has_group(GROUP_USER):
        notes.append(env["res.users"].browse(row["user_id"]).sudo().name)
        notes.append(row["reason"])
    if row["until"]:
        notes.append(env._("until %s", format_date(env, row["until"])))
    if row["policy_number"]:
        notes.append(env._("policy version %s", row["policy_number"]))
    if row["merged_from"]:
        notes.append(env._("of a customer merged into this one"))
    return ", ".join(filter(None, notes))


def open_history(env, partner, company, what):
    """The action that shows the changes of a customer's labels, or its values over the month-ends.

    :param str what: ``changes`` or ``values``
    :raise UserError: when there is no such view
    """
    if what not in tuple(ACTIONS):
        raise UserError(env._("There is no such history."))
    action = env["ir.actions.act_window"]._for_xml_id(ACTIONS[what])
    titles = {
        "changes": env._("History of %s", partner.display_name),
        "values": env._("Values of %s", partner.display_name),
    }
    measure = "lifetime_value" if env.user.has_group(GROUP_USER) else "churn_probability"
    return {
        **action,
        "name": titles[what],
        "display_name": titles[what],
        "domain": [("partner_id", "=", partner.id), ("company_id", "=", company.id)],
        "context": {"graph_measure": measure} if what == "values" else {},
    }
