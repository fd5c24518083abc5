"""What a metric of goals is: one query each, of a company, for all customers or some."""

from datetime import timedelta
from typing import Any, NamedTuple

from odoo.tools import SQL

from .policy_values import by_format_sql

LABELS_READ = ("lifecycle_stage", "value_class", "loyalty_stage")
ACTIVE = ("acquisition", "won_back", "retention", "extension")
GONE = ("dormant", "lost")


class Scope(NamedTuple):
    """Of which customers, leads and orders a metric is told.

    `company`: a root company. `business_format`, `salesperson`: records, empty for all. Customers are the
    salesperson's by the customer, leads and orders by their own salesperson.
    """

    company: Any
    business_format: Any
    salesperson: Any


def figure(env, metric, scope, first, day):
    """What a metric is at the end of a day.

    Satisfaction and cost to serve are known as they are now only.

    :param str metric: a code of ``METRICS``
    :param date first: the first day of the period
    :param date day: its last day, or one within
    :return: a number; None where there is nothing to tell it from
    """
    env.flush_all()
    query = {
        "retention": lambda: _become_sql(env, scope, first, day, ACTIVE),
        "key_retention": lambda: _become_sql(env, scope, first, day, ACTIVE, "key"),
        "reactivation": lambda: _become_sql(env, scope, first, day, GONE),
        "loyalty": lambda: _loyalty_sql(env, scope, day),
        "lead_days": lambda: _lead_days_sql(env, scope, first, day),
        "order_cost": lambda: _order_cost_sql(env, scope, day),
        "opportunities": lambda: _opportunities_sql(env, scope, first, day),
        "satisfied": lambda: _satisfied_sql(scope),
        "margin": lambda: _margin_sql(env, scope, first, day),
    }[metric]()
    if query is None:
        return None
    env.cr.execute(query)
    (value,) = env.cr.fetchone()
    return None if value is None else float(value)


# ------------------------------------------------------------------------- customers


def _states_sql(env, company, day):
    return SQL("(%s)", env["crm.value.history"].sudo()._states_sql(LABELS_READ, company, day))


def _customers_sql(scope, alias):
    """Condition that rows with partner_id and format_id are within a scope."""
    conditions = [SQL("TRUE")]
    if scope.business_format:
        conditions.append(SQL("%s = %s", SQL.identifier(alias, "format_id"), scope.business_format.id))
    if scope.salesperson:
        conditions.append(
            SQL(
                "EXISTS (SELECT FROM res_partner partner WHERE partner.id = %s AND partner.user_id = %s)",
                SQL.identifier(alias, "partner_id"),
                scope.salesperson.id,
            )
        )
    return SQL(" AND ").join(conditions)


def _become_sql(env, scope, first, day, stages, value_class=None):
    """Of the customers of some stages when a period began, the share that is active at the end of a day.

    Who is no longer scored counts neither way.
    """
    return SQL(
        """SELECT avg((closing.lifecycle_stage IN %(active)s)::integer)
             FROM %(opening)s opening JOIN %(closing)s closing ON closing.partner_id = opening.partner_id
            WHERE opening.lifecycle_stage IN %(stages)s AND %(of_class)s AND %(within)s""",
        active=ACTIVE,
        opening=_states_sql(env, scope.company, first - timedelta(days=1)),
        closing=_states_sql(env, scope.company, day),
        stages=stages,
        of_class=SQL("opening.value_class = %s", value_class) if value_class else SQL("TRUE"),
        within=_customers_sql(scope, "opening"),
    )


def _loyalty_sql(env, scope, day):
    return SQL(
        """SELECT avg((state.loyalty_stage = 'loyalty')::integer) FROM %s state
            WHERE state.lifecycle_stage IN %s AND %s""",
        _states_sql(env, scope.company, day),
        ACTIVE,
        _customers_sql(scope, "state"),
    )


def _satisfied_sql(scope):
    return SQL(
        """SELECT avg((profile.satisfaction = 'satisfied')::integer) FROM crm_value_profile profile
            WHERE profile.company_id = %s AND %s""",
        scope.company.id,
        _customers_sql(scope, "profile"),
    )


def _order_cost_sql(env, scope, day):
    """Cost to serve over orders, of the customers whose cost is known, in the current window of their format."""
    window, longest = by_format_sql(
        env, scope.company, "current_window_days", SQL.identifier("profile", "format_id")
    )
    return SQL(
        """
        SELECT sum(cost) / NULLIF(sum(orders), 0) FROM (
               SELECT max(profile.cost_to_serve) AS cost, count(sold.id) AS orders
                 FROM crm_value_profile profile
                 LEFT JOIN (
                      SELECT sale.id, contact.commercial_partner_id AS partner_id, %(sold_on)s AS day
                        FROM sale_order sale JOIN res_partner contact ON contact.id = sale.partner_id
                       WHERE sale.state = 'sale' AND sale.amount_untaxed > 0 AND sale.company_id IN %(companies)s
                         AND sale.date_order >= %(earliest)s
                      ) sold
                   ON sold.partner_id = profile.partner_id
                  AND sold.day > %(day)s - %(window)s AND sold.day <= %(day)s
                WHERE profile.company_id = %(company)s AND profile.cost_to_serve IS NOT NULL AND %(within)s
                GROUP BY profile.id
               ) served
        """,
        sold_on=_day_sql(env, scope, SQL("sale.date_order")),
        companies=tuple(scope.company._crm_value_branches()),
        earliest=day - timedelta(days=longest + 1),
        day=day,
        window=window,
        company=scope.company.id,
        within=_customers_sql(scope, "profile"),
    )


# ------------------------------------------------------------------ leads and orders


def _day_sql(env, scope, column):
    return env["crm.value.sync"]._local_date_sql(scope.company, column)


def _documents_sql(env, scope, alias):
    """Condition that a document joined to its ``contact`` is within a scope, and of nobody who objected."""
    conditions = [env["crm.value.sync"]._not_objecting_sql(SQL.identifier(alias, "partner_id"))]
    if scope.salesperson:
        conditions.append(SQL("%s = %s", SQL.identifier(alias, "user_id"), scope.salesperson.id))
    if scope.business_format:
        conditions.append(
            SQL(
                """EXISTS (SELECT FROM crm_value_profile profile
                            WHERE profile.partner_id = contact.commercial_partner_id
                              AND profile.company_id = %s AND profile.format_id = %s)""",
                scope.company.id,
                scope.business_format.id,
            )
        )
    return SQL(" AND ").join(conditions)


def _opportunities_sql(env, scope, first, day):
    """A lead that becomes an opportunity begins to be one then. Those of no company are of each."""
    return SQL(
        """SELECT count(*) FROM crm_lead lead LEFT JOIN res_partner contact ON contact.id = lead.partner_id
            WHERE lead.type = 'opportunity' AND %(begun)s BETWEEN %(first)s AND %(day)s
              AND (lead.company_id IN %(companies)s OR lead.company_id IS NULL) AND %(within)s""",
        begun=_day_sql(env, scope, SQL("COALESCE(lead.date_conversion, lead.create_date)")),
        first=first,
        day=day,
        companies=tuple(scope.company._crm_value_branches()),
        within=_documents_sql(env, scope, "lead"),
    )


def _lead_days_sql(env, scope, first, day):
    """Half of the leads won in a period took no longer from their creation to their first confirmed order."""
    return SQL(
        """
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY GREATEST(ordered_on - created_on, 0)) FROM (
               SELECT %(created_on)s AS created_on, min(%(ordered_on)s) AS ordered_on
                 FROM crm_lead lead
                 JOIN sale_order sale ON sale.opportunity_id = lead.id AND sale.state = 'sale'
                  AND sale.company_id IN %(companies)s
                 LEFT JOIN res_partner contact ON contact.id = lead.partner_id
                WHERE lead.won_status = 'won' AND %(won_on)s BETWEEN %(first)s AND %(day)s AND %(within)s
                GROUP BY lead.id
               ) won
         WHERE ordered_on <= %(day)s
        """,
        created_on=_day_sql(env, scope, SQL("lead.create_date")),
        ordered_on=_day_sql(env, scope, SQL("sale.date_order")),
        companies=tuple(scope.company._crm_value_branches()),
        won_on=_day_sql(env, scope, SQL("lead.date_closed")),
        first=first,
        day=day,
        within=_documents_sql(env, scope, "lead"),
    )


def _margin_sql(env, scope, first, day):
    """Margin over sales of the confirmed orders whose margin is known, by the very query that scores rest on."""
    sync = env["crm.value.sync"].sudo()
    if not sync._installed("sale.order.line", "margin"):
        return None
    low, high = _orders_between(env, scope.company, first, day)
    return SQL(
        """
        SELECT CASE WHEN sum(sold.amount) > 0 THEN sum(sold.margin) / sum(sold.amount) END
          FROM (%(orders)s) sold (order_id, partner_id, day, amount, margin)
          JOIN sale_order sale ON sale.id = sold.order_id
          JOIN res_partner contact ON contact.id = sale.partner_id
         WHERE sold.margin IS NOT NULL AND sold.day BETWEEN %(first)s AND %(day)s AND %(within)s
        """,
        orders=sync._export_orders_sql(scope.company, low, high),
        first=first,
        day=day,
        within=_documents_sql(env, scope, "sale"),
    )


def _orders_between(env, company, first, day):
    """The identifiers after and up to which all orders of a period lie, so that no other is looked at."""
    env.cr.execute(
        SQL(
            """SELECT COALESCE(min(id) - 1, 0), COALESCE(max(id), 0) FROM sale_order
                WHERE state = 'sale' AND company_id IN %s AND date_order BETWEEN %s AND %s""",
            tuple(company._crm_value_branches()),
            first - timedelta(days=1),
            day + timedelta(days=2),
        )
    )
    return env.cr.fetchone()
