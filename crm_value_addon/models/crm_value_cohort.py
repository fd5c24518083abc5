from odoo import fields, models
from odoo.tools import SQL

from ..empty_labels import NOT_SCORED
from ..labels import LIFECYCLE_STAGES


class CrmValueCohort(models.Model):
    """Customers by the quarter of their first order, in each quarter since: who ordered, and for how much.

    From the confirmed sales orders that the reader may see, whenever the product was installed; one row per
    customer and quarter, also of those without an order, so that their average is the share that ordered.
    """

    _name = "crm.value.cohort"
    _inherit = ["crm.value.ordered"]
    _description = "Customer Cohort"
    _auto = False
    _order = "first_quarter desc, quarter, id"
    _rec_name = "partner_id"
    _ordered = ("lifecycle_stage",)
    _depends = {
        "sale.order": [
            "partner_id",
            "company_id",
            "date_order",
            "amount_untaxed",
            "currency_id",
            "currency_rate",
            "state",
        ],
        "res.partner": ["commercial_partner_id"],
        "crm.value.profile": ["effective_lifecycle_stage"],
        "crm.value.objection": ["partner_id"],
    }

    partner_id = fields.Many2one("res.partner", string="Customers", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    first_quarter = fields.Date(string="First Order", readonly=True, help="Quarter of the first order.")
    quarter = fields.Date(readonly=True)
    quarters_after = fields.Integer(string="Quarters Since", readonly=True, aggregator=None)
    is_over = fields.Boolean(string="Quarter Is Over", readonly=True)
    lifecycle_stage = fields.Selection(
        LIFECYCLE_STAGES,
        string="Present Stage",
        readonly=True,
        falsy_value_label=NOT_SCORED,
        help="Life-cycle stage by the last run.",
    )
    ordered = fields.Integer(
        string="Customers Who Ordered", readonly=True, help="In each quarter for itself; quarters add up."
    )
    ordered_share = fields.Float(
        string="Share That Ordered", readonly=True, aggregator="avg", help="Of all who began in that quarter."
    )
    sales = fields.Monetary(readonly=True, help="Untaxed, at the rate of each order.")

    @property
    def _table_query(self):
        companies = self.env.companies.sudo()
        orders = self.env["sale.order"]._search([("state", "=", "sale")])
        # Quarters are numbers until the end: there are as many rows as customers times quarters.
        return SQL(
            """
            WITH place (company_id, root_id, present) AS (VALUES %(places)s),
            sold AS (
                SELECT contact.commercial_partner_id AS partner_id, place.root_id AS company_id,
                       %(quarter)s AS quarter,
                       sum(CASE WHEN sale.currency_id = company.currency_id THEN sale.amount_untaxed
                                ELSE sale.amount_untaxed / COALESCE(NULLIF(sale.currency_rate, 0), 1)::numeric
                           END) AS sales
                  FROM sale_order sale
                  JOIN place ON place.company_id = sale.company_id
                  JOIN res_company company ON company.id = place.root_id
                  JOIN res_partner contact ON contact.id = sale.partner_id
                 WHERE sale.id IN %(orders)s AND NOT EXISTS (
                       SELECT FROM crm_value_objection objection
                        WHERE objection.partner_id IN (contact.id, contact.commercial_partner_id))
                 GROUP BY contact.commercial_partner_id, place.root_id, 3
            ),
            begun AS (
                SELECT partner_id, company_id, min(quarter) AS quarter FROM sold GROUP BY partner_id, company_id
            )
            SELECT (begun.company_id::bigint * 100000000 + begun.partner_id) * 1000 + since.quarter - begun.quarter
                       AS id,
                   begun.partner_id, begun.company_id, company.currency_id,
                   %(first_quarter)s AS first_quarter, %(since_quarter)s AS quarter,
                   since.quarter - begun.quarter AS quarters_after, since.quarter < root.present AS is_over,
                   profile.effective_lifecycle_stage AS lifecycle_stage,
                   CASE WHEN sold.quarter IS NULL THEN 0 ELSE 1 END AS ordered,
                   CASE WHEN sold.quarter IS NULL THEN 0.0 ELSE 1.0 END::float8 AS ordered_share,
                   COALESCE(sold.sales, 0) AS sales
              FROM begun
              JOIN (SELECT DISTINCT root_id, present FROM place) root ON root.root_id = begun.company_id
              JOIN res_company company ON company.id = begun.company_id
             CROSS JOIN LATERAL generate_series(begun.quarter, GREATEST(root.present, begun.quarter)) AS since (quarter)
              LEFT JOIN sold ON sold.partner_id = begun.partner_id AND sold.company_id = begun.company_id
                            AND sold.quarter = since.quarter
              LEFT JOIN crm_value_profile profile
                ON profile.partner_id = begun.partner_id AND profile.company_id = begun.company_id
            """,
            places=SQL(", ").join(
                SQL(
                    "(%s, %s, %s)",
                    company.id,
                    company.root_id.id,
                    _quarter(company.root_id._crm_value_today()),
                )
                for company in companies
            ),
            quarter=_quarter_sql(self._local_time_sql(companies)),
            orders=orders.subselect(),
            first_quarter=_first_day_sql(SQL("begun.quarter")),
            since_quarter=_first_day_sql(SQL("since.quarter")),
        )

    def _local_time_sql(self, companies):
        """The time of an order on the clock of its main company."""
        zones = {company.id: company.root_id._crm_value_timezone() for company in companies}
        if set(zones.values()) == {"UTC"}:
            return SQL("sale.date_order")
        return SQL(
            "(sale.date_order AT TIME ZONE 'UTC' AT TIME ZONE CASE sale.company_id %s END)",
            SQL(" ").join(SQL("WHEN %s THEN %s", company, zone) for company, zone in zones.items()),
        )


def _quarter(day):
    """The number of a day's quarter since the year 0."""
    return day.year * 4 + (day.month - 1) // 3


def _quarter_sql(time):
    return SQL("(date_part('year', %s)::integer * 4 + (date_part('month', %s)::integer - 1) / 3)", time, time)


def _first_day_sql(quarter):
    return SQL("make_date(%s / 4, %s %% 4 * 3 + 1, 1)", quarter, quarter)
