"""What each company wants to reach: goals under way and one that is over; in `odoo shell` once the past is scored."""

from typing import NamedTuple

from odoo import fields
from odoo.tools.date_utils import add, end_of, start_of

from demo.people import HOME, WHOLESALE


class Wish(NamedTuple):
    """A goal of a company and its owner: from the first day of a month so many months ago, for so many months."""

    company: int
    login: str
    metric: str
    target: float
    ago: int
    months: int


WISHES = (
    Wish(HOME, "mia", "retention", 0.95, 3, 6),
    Wish(HOME, "alex", "opportunities", 150, 3, 6),
    Wish(HOME, "mia", "reactivation", 0.5, 4, 3),
    Wish(WHOLESALE, "nora", "key_retention", 0.95, 3, 6),
    Wish(WHOLESALE, "otto", "satisfied", 0.75, 1, 4),
    Wish(WHOLESALE, "nora", "margin", 0.3, 4, 3),
)


def make(env):
    users = {user.login: user for user in env["res.users"].search([])}
    for wish in WISHES:
        company = env["res.company"].browse(wish.company)
        first = add(start_of(company._crm_value_today(), "month"), months=-wish.ago)
        env["crm.value.goal"].create(
            {
                "company_id": company.id,
                "user_id": users[wish.login].id,
                "metric": wish.metric,
                "target": wish.target,
                "date_from": first,
                "date_to": fields.Date.to_date(end_of(add(first, months=wish.months - 1), "month")),
            }
        )
    env.cr.commit()
