"""What in a company's own records keeps scores from being good, and where to mend it."""

from odoo.fields import Datetime
from odoo.tools import SQL

# More would not fit into what the web client asks with, nor into an afternoon.
MOST_OPENED = 1000
# A company whose customers mostly began at once did not: its records begin later than its customers.
MIGRATED_SHARE = 0.4
MIGRATED_CUSTOMERS = 20
# What is behind a finding; behind all others are customers.
FINDING_MODELS = {"without_amount": "sale.order", "in_future": "sale.order", "without_customer": "pos.order"}


def read_counts(env, company):
    """Counts of the records of a root company that are worth a look.

    :return: ``{"customers", "orders", "first_day", "began_at_once", "no_format", "no_salesperson", "same_tax_id",
        "same_email", "without_amount", "in_future", "without_customer"}``; ``began_at_once`` is the share of customers
        whose first order lies within a month of the first of all, ``without_customer`` sales at the counter
    """
    companies = tuple(company._crm_value_branches())
    env.flush_all()
    env.cr.execute(
        SQL(
            """
            WITH sold AS MATERIALIZED (
                SELECT contact.commercial_partner_id AS id, min(sale.date_order) AS first, count(*) AS orders,
                       count(*) FILTER (WHERE sale.amount_untaxed = 0) AS without_amount,
                       count(*) FILTER (WHERE sale.date_order > %(tomorrow)s) AS in_future
                  FROM sale_order sale JOIN res_partner contact ON contact.id = sale.partner_id
                 WHERE sale.company_id IN %(companies)s AND sale.state = 'sale'
                 GROUP BY contact.commercial_partner_id
            ), customer AS (
                SELECT sold.*, partner.user_id, %(tax_id)s AS tax_id, lower(btrim(partner.email)) AS email,
                       format.id IS NULL AS no_format
                  FROM sold JOIN res_partner partner ON partner.id = sold.id
                  LEFT JOIN %(formats)s format ON format.partner_id = sold.id
            )
            SELECT count(*), COALESCE(sum(orders), 0)::int, min(first)::date,
                   avg((first < (SELECT min(first) FROM sold) + interval '1 month')::int)::float8,
                   count(*) FILTER (WHERE no_format), count(*) FILTER (WHERE user_id IS NULL),
                   count(tax_id) - count(DISTINCT tax_id), count(email) - count(DISTINCT email),
                   COALESCE(sum(without_amount), 0)::int, COALESCE(sum(in_future), 0)::int
              FROM customer
            """,
            companies=companies,
            tomorrow=company._crm_value_end_of(company._crm_value_today()),
            tax_id=_tax_id_sql(SQL("partner")),
            formats=env["crm.value.sync"]._partner_format_sql(),
        )
    )
    names = (
        "customers",
        "orders",
        "first_day",
        "began_at_once",
        "no_format",
        "no_salesperson",
        "same_tax_id",
        "same_email",
        "without_amount",
        "in_future",
    )
    counts = dict(zip(names, env.cr.fetchone(), strict=True))
    counts["without_customer"] = 0
    if "pos.order" in env:
        counts["without_customer"] = env["pos.order"].sudo().search_count(_counter_domain(companies))
    return counts


def looks_migrated(counts):
    """Whether the history seems to begin on the day of a migration, and customers to be older than it tells."""
    return counts["customers"] >= MIGRATED_CUSTOMERS and counts["began_at_once"] >= MIGRATED_SHARE


def finding_domain(env, company, finding):
    """The domain of the records behind a count of ``read_counts``; None where there is nothing to open."""
    companies = tuple(company._crm_value_branches())
    confirmed = [("company_id", "in", companies), ("state", "=", "sale")]
    if finding == "without_amount":
        return [*confirmed, ("amount_untaxed", "=", 0)]
    if finding == "in_future":
        end = company._crm_value_end_of(company._crm_value_today())
        return [*confirmed, ("date_order", ">", Datetime.to_string(end))]
    if finding == "without_customer" and "pos.order" in env:
        return _counter_domain(companies)
    condition = {
        "no_format": lambda: SQL("format.id IS NULL"),
        "no_salesperson": lambda: SQL("partner.user_id IS NULL"),
        "same_tax_id": lambda: _shared_sql(_tax_id_sql(SQL("partner"))),
        "same_email": lambda: _shared_sql(SQL("lower(btrim(partner.email))")),
    }.get(finding)
    if not condition:
        return None
    env.flush_all()
    env.cr.execute(
        SQL(
            """
            SELECT id FROM (
                SELECT sold.id, %(condition)s AS found
                  FROM (SELECT DISTINCT contact.commercial_partner_id AS id
                          FROM sale_order sale JOIN res_partner contact ON contact.id = sale.partner_id
                         WHERE sale.company_id IN %(companies)s AND sale.state = 'sale') sold
                  JOIN res_partner partner ON partner.id = sold.id
                  LEFT JOIN %(formats)s format ON format.partner_id = sold.id) customer
             WHERE found ORDER BY id LIMIT %(most)s
            """,
            condition=condition(),
            companies=companies,
            formats=env["crm.value.sync"]._partner_format_sql(),
            most=MOST_OPENED,
        )
    )
    return [("id", "in", [partner for (partner,) in env.cr.fetchall()])]


def _tax_id_sql(alias):
    # A slash says that there is none.
    return SQL("NULLIF(NULLIF(btrim(%s.vat), ''), '/')", alias)


def _shared_sql(column):
    return SQL("(count(%s) OVER (PARTITION BY %s) > 1)", column, column)


def _counter_domain(companies):
    return [
        ("company_id", "in", companies),
        ("partner_id", "=", False),
        ("state", "in", ("paid", "done")),
    ]
