"""The figures of the dashboard, each found by one pass over the profiles of a company."""

from odoo.tools import SQL

# Whose sales may go: buys at present, and the forecast of the customer is good enough to be shown.
AT_RISK = [
    ("churn_withheld", "=", False),
    ("churn_probability", ">", 0),
    ("current_value", ">", 0),
    ("effective_lifecycle_stage", "not in", ("dormant", "lost", "selection")),
]
AT_RISK_SQL = SQL(
    """NOT COALESCE(profile.churn_withheld, FALSE) AND profile.churn_probability > 0 AND profile.current_value > 0
       AND COALESCE(profile.effective_lifecycle_stage, '') NOT IN ('dormant', 'lost', 'selection')"""
)
# By what customers are added up: each set is one block of tiles.
GROUPINGS = {
    "all": (),
    "segment": ("segment",),
    "satisfaction": ("value_class", "satisfaction"),
    "user": ("user_id",),
    "team": ("team_id",),
    "format": ("format_id",),
}


def read_groups(env, company):
    """Customers and money of a company by everything the dashboard groups by.

    Money at risk is the sum of what each customer brought in the current window, times its churn probability;
    its spread is one standard deviation of that sum, were customers to leave independently of each other.

    :param company: a root company
    :return: ``{grouping of GROUPINGS: [{"key": tuple, "customers", "buying", "current_value",
        "lifetime_value", "risky", "leaving", "at_risk", "spread"}]}``
    """
    columns = ("segment", "value_class", "satisfaction", "user_id", "team_id", "format_id")
    env.flush_all()
    env.cr.execute(
        SQL(
            """
            WITH customer AS (
                SELECT profile.effective_value_segment AS segment, profile.effective_value_class AS value_class,
                       profile.satisfaction, profile.format_id, partner.user_id, salesperson.sale_team_id AS team_id,
                       profile.current_value, profile.lifetime_value,
                       CASE WHEN %(at_risk)s THEN profile.churn_probability END AS p
                  FROM crm_value_profile profile
                  JOIN res_partner partner ON partner.id = profile.partner_id
                  LEFT JOIN res_users salesperson ON salesperson.id = partner.user_id
                 WHERE profile.company_id = %(company)s
            )
            SELECT GROUPING(%(columns)s), %(columns)s, count(*), count(*) FILTER (WHERE current_value > 0),
                   COALESCE(sum(current_value), 0)::float8, COALESCE(sum(lifetime_value), 0)::float8,
                   count(p), COALESCE(sum(p), 0), COALESCE(sum(p * current_value), 0),
                   sqrt(COALESCE(sum(p * (1 - p) * current_value ^ 2), 0))::float8
              FROM customer GROUP BY GROUPING SETS (%(sets)s)
            """,
            at_risk=AT_RISK_SQL,
            company=company.id,
            columns=_columns_sql(columns),
            sets=SQL(", ").join(SQL("(%s)", _columns_sql(names)) for names in GROUPINGS.values()),
        )
    )
    # PostgreSQL tells the columns a row is not grouped by as bits, the last column lowest.
    bits = {
        sum(1 << place for place, column in enumerate(reversed(columns)) if column not in names): grouping
        for grouping, names in GROUPINGS.items()
    }
    groups = {grouping: [] for grouping in GROUPINGS}
    names = (
        "customers",
        "buying",
        "current_value",
        "lifetime_value",
        "risky",
        "leaving",
        "at_risk",
        "spread",
    )
    for mask, *row in env.cr.fetchall():
        grouping = bits[mask]
        by = dict(zip(columns, row[: len(columns)], strict=True))
        figures = dict(zip(names, row[len(columns) :], strict=True))
        groups[grouping].append({"key": tuple(by[name] for name in GROUPINGS[grouping]), **figures})
    return groups


def read_month_end(env, company):
    """What the customers of a company were worth at the last month-end that is kept; None without any."""
    env.cr.execute(
        SQL(
            """
            SELECT date, count(*) FILTER (WHERE value_segment = 'key_at_risk'), COALESCE(sum(current_value), 0)::float8,
                   COALESCE(sum(lifetime_value), 0)::float8
              FROM crm_value_snapshot
             WHERE company_id = %(company)s
               AND date = (SELECT max(date) FROM crm_value_snapshot WHERE company_id = %(company)s)
             GROUP BY date
            """,
            company=company.id,
        )
    )
    found = env.cr.fetchone()
    names = ("date", "key_at_risk", "current_value", "lifetime_value")
    return found and dict(zip(names, found, strict=True))


def _columns_sql(names):
    return SQL(", ").join(map(SQL.identifier, names))
