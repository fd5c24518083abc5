"""When a customer ordered, when it is expected again, and how its risk went from month-end to month-end."""

from odoo import fields
from odoo.tools import SQL
from odoo.tools.misc import format_date

from .formatting import number_text, percent_text

DAYS_BACK = 365
MOST_MONTH_ENDS = 24
# Of a probability; less is noise.
NOTICED = 0.05
TIMELINE_COLUMNS = (
    "churn_probability",
    "churn_withheld",
    "expected_next_order_low",
    "expected_next_order_high",
)


def value_timeline(env, customer, company, profile):
    """What the timeline of a customer draws and says.

    :param customer: a commercial partner
    :param company: a root company
    :param dict profile: values of ``TIMELINE_COLUMNS``, empty for a customer that is not scored
    :return: ``{"today", "since", "orders": [day], "low", "high", "text", "trend", "month_ends"}``, days as
        text; the orders are those that the reader may see, the trend is ``{"direction", "text"}`` or None, month-ends
        ``[{"date", "risk"}]`` with the oldest first
    """
    if not profile:
        return {}
    today = company._crm_value_today()
    since = fields.Date.subtract(today, days=DAYS_BACK)
    orders = _order_days(env, customer, company, since)
    low, high = profile["expected_next_order_low"], profile["expected_next_order_high"]
    month_ends = _month_ends(env, customer, company)
    risk = None if profile["churn_withheld"] else profile["churn_probability"]
    return {
        "today": fields.Date.to_string(today),
        "since": fields.Date.to_string(since),
        "orders": [fields.Date.to_string(day) for day in orders],
        "low": fields.Date.to_string(low) or None,
        "high": fields.Date.to_string(high) or None,
        "text": _text(env, orders, low, high, today),
        "trend": _trend(env, risk, month_ends),
        "month_ends": month_ends,
    }


def _order_days(env, customer, company, since):
    orders = env["sale.order"]
    if not orders.has_access("read"):
        return []
    # A branch that is a customer itself has a timeline of its own; a day is one of the company, as in the scores.
    days = orders.with_context(tz=company._crm_value_timezone())._read_group(
        [
            ("partner_id.commercial_partner_id", "=", customer.id),
            ("company_id", "child_of", company.id),
            ("state", "=", "sale"),
            ("date_order", ">=", since),
        ],
        ["date_order:day"],
    )
    return [fields.Date.to_date(day) for (day,) in days]


def _month_ends(env, customer, company):
    # By SQL the empty is not zero.
    snapshots = env["crm.value.snapshot"]
    snapshots.check_access("read")
    env.cr.execute(
        SQL(
            """SELECT date, churn_probability FROM crm_value_snapshot
                WHERE partner_id = %s AND company_id = %s ORDER BY date DESC LIMIT %s""",
            customer.id,
            company.id,
            MOST_MONTH_ENDS,
        )
    )
    return [{"date": fields.Date.to_string(day), "risk": risk} for day, risk in reversed(env.cr.fetchall())]


def _text(env, orders, low, high, today):
    told = (
        env._("Ordered on 1 day in the last %(days)s days", days=DAYS_BACK)
        if len(orders) == 1
        else env._(
            "Ordered on %(count)s days in the last %(days)s days",
            count=number_text(env, len(orders)),
            days=DAYS_BACK,
        )
    )
    if not low or not high:
        return told
    days = {"told": told, "low": format_date(env, low), "high": format_date(env, high)}
    if high < today:
        return env._("%(told)s; next was due %(low)s to %(high)s", **days)
    return env._("%(told)s; next expected %(low)s to %(high)s", **days)


def next_order_label(env, high, today):
    """What the days of the next order are called: once they are past, it is late.

    :param date high: the last of them
    """
    return env._("Next order was due") if high < today else env._("Next order expected")


def _trend(env, risk, month_ends):
    """How the probability moved since the last month-end that has one."""
    before = next((each for each in reversed(month_ends) if each["risk"] is not None), None)
    if risk is None or not before:
        return None
    change = risk - before["risk"]
    direction = "up" if change >= NOTICED else "down" if change <= -NOTICED else "same"
    texts = {
        "up": lambda: env._("Risk up from %(before)s on %(day)s", **told),
        "down": lambda: env._("Risk down from %(before)s on %(day)s", **told),
        "same": lambda: env._("Risk about as on %(day)s", **told),
    }
    told = {"before": percent_text(env, before["risk"]), "day": format_date(env, before["date"])}
    return {"direction": direction, "text": texts[direction]()}
