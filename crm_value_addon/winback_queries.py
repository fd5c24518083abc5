"""Who may be won back, what it bought before, and what came of a plan, each by one query."""

from odoo.tools import SQL

# How many customers the assumed chance weighs as much as; with few of our own it leads.
WEIGHT_OF_ASSUMPTION = 20

# Untaxed, in the company's currency; of the customer as a whole.
SALES = SQL(
    """SELECT partner.commercial_partner_id AS customer, sales.date_order,
              sales.amount_untaxed / COALESCE(NULLIF(sales.currency_rate, 0), 1) AS amount
         FROM sale_order sales
         JOIN res_partner partner ON partner.id = sales.partner_id
        WHERE sales.state = 'sale' AND sales.amount_untaxed > 0"""
)


def read_candidates(env, company, kinds):
    """Customers that left or may leave, whom it makes sense to go after.

    Not: who was dropped on purpose or costs more than it brings, and who is in another plan already.

    :param company: a root company
    :param kinds: of ``lost``, ``dormant`` and ``at_risk``
    :return: ``[{"partner_id", "kind", "lost_type", "value_class", "probability", "sales"}]``, sales of the year
        before the last order
    """
    env.flush_all()
    return env.execute_query_dict(
        SQL(
            """
            WITH candidate AS (
                SELECT profile.partner_id, profile.effective_lost_type AS lost_type,
                       profile.effective_value_class AS value_class, profile.churn_probability AS probability,
                       profile.last_order_date,
                       CASE WHEN profile.effective_lifecycle_stage IN ('lost', 'dormant')
                            THEN profile.effective_lifecycle_stage ELSE 'at_risk' END AS kind
                  FROM crm_value_profile profile
                 WHERE profile.company_id = %(company)s AND profile.effective_value_class <> 'unprofitable'
                   AND NOT COALESCE(profile.burden, FALSE)
                   AND COALESCE(profile.effective_lost_type, '') <> 'deliberately_dropped'
                   AND (profile.effective_lifecycle_stage IN ('lost', 'dormant')
                        OR profile.effective_churn_risk = 'high' AND NOT COALESCE(profile.churn_withheld, FALSE)
                           AND profile.churn_probability IS NOT NULL)
                   AND NOT EXISTS (
                       SELECT FROM crm_value_winback_line line JOIN crm_value_winback plan ON plan.id = line.plan_id
                        WHERE line.partner_id = profile.partner_id AND plan.company_id = profile.company_id
                          AND plan.state = 'running')
            )
            SELECT candidate.partner_id, candidate.kind, candidate.lost_type, candidate.value_class,
                   candidate.probability, COALESCE(sum(sales.amount), 0)::float8 AS sales
              FROM candidate
              LEFT JOIN (%(sales)s AND sales.company_id IN %(branches)s) sales
                ON sales.customer = candidate.partner_id
               AND sales.date_order > candidate.last_order_date - 364
               AND sales.date_order < candidate.last_order_date + 2
             WHERE candidate.kind IN %(kinds)s
             GROUP BY 1, 2, 3, 4, 5
            """,
            company=company.id,
            branches=tuple(company._crm_value_branches()),
            sales=SALES,
            kinds=tuple(kinds),
        )
    )


def read_base_rates(env, company, window_days):
    """How many of those gone on the last month-end that is a window ago came back within a window.

    :return: ``{"lost": {"customers", "back"}, "dormant": ...}``
    """
    env.flush_all()
    rows = env.execute_query(
        SQL(
            """
            WITH month_end AS (
                SELECT max(date) AS day FROM crm_value_snapshot
                 WHERE company_id = %(company)s AND date <= %(today)s::date - %(window)s
            )
            SELECT snapshot.lifecycle_stage, count(*), count(*) FILTER (WHERE EXISTS (
                   SELECT FROM (%(sales)s AND sales.company_id IN %(branches)s) sales
                    WHERE sales.customer = snapshot.partner_id AND sales.date_order >= snapshot.date + 1
                      AND sales.date_order < snapshot.date + 1 + %(window)s))
              FROM crm_value_snapshot snapshot JOIN month_end ON month_end.day = snapshot.date
             WHERE snapshot.company_id = %(company)s AND snapshot.lifecycle_stage IN ('lost', 'dormant')
             GROUP BY snapshot.lifecycle_stage
            """,
            company=company.id,
            today=company._crm_value_today(),
            window=window_days,
            sales=SALES,
            branches=tuple(company._crm_value_branches()),
        )
    )
    found = {stage: {"customers": customers, "back": back} for stage, customers, back in rows}
    return {stage: found.get(stage, {"customers": 0, "back": 0}) for stage in ("lost", "dormant")}


def chance_of(base, assumed):
    """The share of ``read_base_rates``, drawn towards what is assumed where there are few."""
    return (base["back"] + WEIGHT_OF_ASSUMPTION * assumed) / (base["customers"] + WEIGHT_OF_ASSUMPTION)


def follow_lines(env, plan):
    """Keep on the lines of a running plan when each customer first ordered in its window, and for how much."""
    env.flush_all()
    env.cr.execute(
        SQL(
            """
            UPDATE crm_value_winback_line line SET ordered_on = found.day, sales = found.amount
              FROM (SELECT line.id, min(sales.date_order)::date AS day, COALESCE(sum(sales.amount), 0) AS amount
                      FROM crm_value_winback_line line
                      LEFT JOIN (%(sales)s AND sales.company_id IN %(branches)s
                                 AND sales.date_order >= %(start)s AND sales.date_order < %(end)s) sales
                        ON sales.customer = line.partner_id
                     WHERE line.plan_id = %(plan)s GROUP BY line.id) found
             WHERE found.id = line.id
               AND (line.ordered_on, line.sales) IS DISTINCT FROM (found.day, found.amount)
            """,
            sales=SALES,
            branches=tuple(plan.company_id._crm_value_branches()),
            start=plan.started_at,
            end=plan._window_end(),
            plan=plan.id,
        )
    )
    env.invalidate_all(flush=False)


def read_arms(env, plan):
    """``{"act" | "control": {"customers", "ordered", "sales", "squares"}}`` of a plan."""
    arms = {arm: {"customers": 0, "ordered": 0, "sales": 0.0, "squares": 0.0} for arm in ("act", "control")}
    rows = env.execute_query_dict(
        SQL(
            """SELECT arm, count(*) AS customers, count(ordered_on) AS ordered,
                      COALESCE(sum(sales), 0)::float8 AS sales, COALESCE(sum(sales ^ 2), 0)::float8 AS squares
                 FROM crm_value_winback_line WHERE plan_id = %s GROUP BY arm""",
            plan.id,
        )
    )
    return {**arms, **{row.pop("arm"): row for row in rows}}
