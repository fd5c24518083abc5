"""What people said and did in the months that script/demo scores one after the other; in `odoo shell` between them.

Some overrides are made by people who know what is coming: of customers who then did buy, or did not. The others are
made by what was known on the day, and some of them prove wrong.
"""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from odoo import Command, fields
from odoo.tools import SQL

from demo import policy
from demo.people import HOME, WHOLESALE

KEY_SHARE = 0.7
NOTE = "Fewer key customers, so that each can have a person of its own"


class Word(NamedTuple):
    """Overrides that somebody made: of which company, by whom, of so many customers with this label, to what and why;
    so many days after the second month-end, for so many days; `early` for one that was ended by hand half-way. `buys`:
    only customers who bought afterwards, or only such who did not.
    """

    company: int
    login: str
    count: int
    label: str
    computed: str
    value: str
    reason: str
    after: int
    length: int
    early: bool = False
    buys: bool | None = None


WORDS = (
    Word(WHOLESALE, "nora", 2, "churn_risk", "high", "low", "Buyer was on leave", 4, 60, buys=True),
    Word(WHOLESALE, "mia", 2, "churn_risk", "high", "low", "Always orders late in summer", 5, 60),
    Word(
        WHOLESALE, "mia", 2, "lifecycle_stage", "dormant", "retention", "Rebuilds the shop", 6, 75, buys=True
    ),
    Word(
        WHOLESALE, "nora", 2, "lifecycle_stage", "retention", "dormant", "Closes for good", 9, 100, buys=False
    ),
    Word(WHOLESALE, "nora", 1, "lifecycle_stage", "retention", "lost", "Buys elsewhere, by phone", 10, 75),
    Word(WHOLESALE, "mia", 3, "value_class", "key", "growth", "Has a second supplier now", 11, 60),
    Word(
        WHOLESALE,
        "nora",
        1,
        "value_segment",
        "promising",
        "key_stable",
        "Opens two branches",
        12,
        60,
        early=True,
    ),
    Word(WHOLESALE, "nora", 1, "value_class", "standard", "growth", "Takes over a competitor", 16, 365),
    Word(HOME, "mia", 2, "churn_risk", "medium", "high", "Complained at the counter twice", 5, 50),
    Word(HOME, "mia", 2, "lifecycle_stage", "dormant", "retention", "Was travelling", 7, 60, buys=True),
    Word(HOME, "admin", 3, "value_class", "key", "growth", "Children have moved out", 13, 70),
    Word(
        HOME,
        "mia",
        1,
        "loyalty_stage",
        "preference",
        "loyalty",
        "Recommended us to others",
        15,
        40,
        early=True,
    ),
)
GROUND = "By letter: wants no profile to be made"


def begin(env):
    """Forgets what runs and the people of this module left, and makes the first policy anew: the data have moved."""
    env["crm.value.override"].search([("reason", "in", [word.reason for word in WORDS])]).unlink()
    env["crm.value.goal"].search([]).unlink()
    # What they are about has moved too, and would open none again.
    env["crm.value.case"].search([]).unlink()
    env.flush_all()
    for table in ("winback", "agreement", "alert", "profile", "history", "snapshot", "staging", "run"):
        env.cr.execute(SQL("DELETE FROM %s", SQL.identifier(f"crm_value_{table}")))
    env.invalidate_all(flush=False)
    env["crm.value.policy.version"].search([("note", "in", (NOTE, policy.NOTE))]).write({"state": "draft"})
    env["crm.value.policy.version"].search([("note", "in", (NOTE, policy.NOTE))]).unlink()
    policy.make(env, env["res.company"].browse([HOME, WHOLESALE]))
    env.cr.commit()


def go_on(env, first, second, third):
    """The first three month-ends (ISO) are scored: overrides follow the second, an objection and another policy the
    third."""
    first, second, third = map(fields.Date.to_date, (first, second, third))
    users = {user.login: user for user in env["res.users"].search([])}
    taken = set()
    for word in WORDS:
        _say(env, word, users[word.login], second + timedelta(days=word.after), taken)
    _object(env, users["mia"], third + timedelta(days=3))
    _change_policy(env, users["mia"], first - timedelta(days=12), third + timedelta(days=5))
    env.cr.commit()


def _say(env, word, user, day, taken):
    """Makes the overrides of a word on customers that had its label on that day, nearest to what it says, and are not
    taken."""
    company = env["res.company"].browse(word.company)
    states = env["crm.value.history"].search(
        [
            ("company_id", "=", company.id),
            (word.label, "=", word.computed),
            ("valid_from", "<=", day),
            "|",
            ("valid_to", "=", False),
            ("valid_to", ">", day),
            ("partner_id", "not in", list(taken)),
        ],
        order="current_value, id" if word.computed == "key" else "current_value desc, id",
    )
    if word.buys is not None:
        buyers = _buyers(env, company, day)
        states = states.filtered(lambda state: (state.partner_id in buyers) == word.buys)
    until = day + timedelta(days=word.length)
    ended = min(until, day + timedelta(days=word.length // 2)) if word.early else until
    over = ended < company._crm_value_today()
    for state in states[: word.count]:
        taken.add(state.partner_id.id)
        override = env["crm.value.override"].create(
            {
                "partner_id": state.partner_id.id,
                "company_id": company.id,
                "label": word.label,
                "value": word.value,
                "reason": word.reason,
                "user_id": user.id,
                "date_from": day,
                "date_until": until,
                "ended_at": _noon(ended + timedelta(days=1)) if over else False,
            }
        )
        override.computed_then = word.computed
        _date_back(env, override, create_date=_noon(day))


def _buyers(env, company, day):
    """Customers of a company who ordered after a day."""
    ordered = [("company_id", "=", company.id), ("state", "=", "sale"), ("date_order", ">", _noon(day))]
    groups = env["sale.order"]._read_group(ordered, ["partner_id"])
    return env["res.partner"].union(*(partner.commercial_partner_id for (partner,) in groups))


def _object(env, user, day):
    """The customer that is worth least objects to profiling, which erases what is kept about it."""
    if env["crm.value.objection"].search_count([]):
        return
    profile = env["crm.value.profile"].search(
        [("company_id", "=", HOME), ("current_value", ">", 0)], order="current_value, id", limit=1
    )
    env["crm.value.objection"].create(
        {"partner_id": profile.partner_id.id, "user_id": user.id, "date": day, "ground": GROUND}
    )


def _change_policy(env, user, before, day):
    """Activates a second version in each company, and dates the activations of both back."""
    versions = env["crm.value.policy.version"]
    for first in versions.search([("state", "=", "active")]):
        second = first.with_user(user).copy(
            {
                "note": NOTE,
                "rule_ids": [*_rules(first), Command.create({"key": "key_share", "value": KEY_SHARE})],
            }
        )
        second.action_activate()
        _date_back(env, first, activated_at=_noon(before))
        _date_back(env, second, activated_at=_noon(day))


def _rules(version):
    return [
        Command.create({"key": rule.key, "format_id": rule.format_id.id, "value": rule.value})
        for rule in version.rule_ids
    ]


def _date_back(env, record, **moments):
    env.flush_all()
    for name, moment in moments.items():
        env.cr.execute(
            SQL(
                "UPDATE %s SET %s = %s WHERE id = %s",
                SQL.identifier(record._table),
                SQL.identifier(name),
                moment,
                record.id,
            )
        )
    record.invalidate_recordset()


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12))
