"""Who may be won back, what it bought before, and how many come back by themselves, each by one query."""

from odoo.tools import SQL

# How many customers the assumed chance weighs as much as; with few of our own it leads.
WEIGHT_OF_ASSUMPTION = 20


def read_candidates(env, company, kinds):
    """Customers that left or may leave, whom it makes sense to go after.

    Not: who was dropped on purpose or costs more than it brings, and who is in another plan already.

    :param company: a root company
    :param kinds: of ``lost``, ``dormant`` and ``at_risk``
    :return: ``[{"partner_id", "kind", "lost_type", "probability", "sales"}]``, sales of the year before the last
        order, less what came back
    """
    return env.execute_query_dict(
        SQL(
            """
            WITH candidate AS (
                SELECT profile.partner_id, profile.effective_lost_type AS lost_type,
                       profile.churn_probability AS probability, profile.last_order_date,
                       CASE WHEN profile.effective_lifecycle_stage IN ('lost', 'dormant')
                            THEN profile.effective_lifecycle_stage ELSE 'at_risk' END AS kind
                  FROM crm_value_profile profile
                 WHERE profile.company_id = %(company)s
                   AND profile.effective_value_class IS DISTINCT FROM 'unprofitable'
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
            SELECT partner_id, kind, lost_type, probability,
                   COALESCE((SELECT sum(sales.amount) FROM (%(sales)s) sales
                              WHERE sales.customer = candidate.partner_id
                                AND sales.day > candidate.last_order_date - 364
                                AND sales.day <= candidate.last_order_date), 0)::float8 AS sales
              FROM candidate WHERE kind IN %(kinds)s
            """,
            company=company.id,
            sales=env["crm.value.sync"]._sales_sql(company),
            kinds=tuple(kinds),
        )
    )


def read_base_rates(env, company, window_days):
    """How many of those gone on the last month-end that is a window ago came back within a window.

    :return: ``{"lost": {"customers", "back"}, "dormant": ...}``
    """
    rows = env.execute_query(
        SQL(
            """
            WITH month_end AS (
                SELECT max(date) AS day FROM crm_value_snapshot
                 WHERE company_id = %(company)s AND date <= %(today)s::date - %(window)s
            )
            SELECT snapshot.lifecycle_stage, count(*), count(*) FILTER (WHERE EXISTS (
                   SELECT FROM (%(sales)s) sales
                    WHERE sales.customer = snapshot.partner_id AND sales.day > snapshot.date
                      AND sales.day <= snapshot.date + %(window)s AND sales.amount > 0))
              FROM crm_value_snapshot snapshot JOIN month_end ON month_end.day = snapshot.date
             WHERE snapshot.company_id = %(company)s AND snapshot.lifecycle_stage IN ('lost', 'dormant')
             GROUP BY snapshot.lifecycle_stage
            """,
            company=company.id,
            today=company._crm_value_today(),
            window=window_days,
            sales=env["crm.value.sync"]._sales_sql(company),
        )
    )
    found = {stage: {"customers": customers, "back": back} for stage, customers, back in rows}
    return {stage: found.get(stage, {"customers": 0, "back": 0}) for stage in ("lost", "dormant")}


def chance_of(base, assumed):
    """The share of ``read_base_rates``, drawn towards what is assumed where there are few."""
    return (base["back"] + WEIGHT_OF_ASSUMPTION * assumed) / (base["customers"] + WEIGHT_OF_ASSUMPTION)
