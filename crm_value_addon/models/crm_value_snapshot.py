from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.date_utils import end_of

from ..labels import (
    CHURN_RISKS,
    CONFIDENCES,
    GROUP_USER,
    LABELS,
    LIFECYCLE_STAGES,
    LOYALTY_STAGES,
    VALUE_CLASSES,
    VALUE_SEGMENTS,
    VALUE_TYPES,
)
from ..publish_columns import columns_sql

MONEY_COLUMNS = ("historical_value", "current_value", "potential_value", "lifetime_value")
FIGURES = ("format_id", "confidence", "churn_probability", *MONEY_COLUMNS)


class CrmValueSnapshot(models.Model):
    """What a customer was like at the end of a month: its labels, as people saw them, and its values.

    History begins a new state when a label changes; values move without that. What held at a month-end is
    what the last run by then left, so it is kept when the first run of a later month is taken up: before that
    run changes anything, and not in the transaction that closes it, which people wait for.
    """

    _name = "crm.value.snapshot"
    _inherit = ["crm.value.protected", "crm.value.ordered"]
    _description = "Month-End Snapshot"
    _order = "date desc, id desc"
    _rec_name = "partner_id"
    _log_access = False
    _ordered = (*LABELS, "confidence")

    partner_id = fields.Many2one("res.partner", string="Customer", required=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one(related="partner_id.user_id", string="Salesperson")
    date = fields.Date(string="Month-End", required=True)
    format_id = fields.Many2one("crm.value.format", string="Business Format", ondelete="set null")
    value_class = fields.Selection(VALUE_CLASSES)
    value_segment = fields.Selection(VALUE_SEGMENTS)
    loyalty_stage = fields.Selection(LOYALTY_STAGES)
    lifecycle_stage = fields.Selection(LIFECYCLE_STAGES, string="Life-Cycle Stage")
    churn_risk = fields.Selection(CHURN_RISKS)
    value_type = fields.Selection(VALUE_TYPES)
    lost_type = fields.Selection(LABELS["lost_type"])
    confidence = fields.Selection(CONFIDENCES)
    churn_probability = fields.Float(aggregator="avg")
    historical_value = fields.Monetary(groups=GROUP_USER)
    current_value = fields.Monetary(groups=GROUP_USER)
    potential_value = fields.Monetary(groups=GROUP_USER)
    lifetime_value = fields.Monetary(groups=GROUP_USER)

    _partner_company_date_unique = models.Constraint(
        "UNIQUE(partner_id, company_id, date)", "A customer has one snapshot per company and month-end."
    )
    _company_date = models.Index("(company_id, date)")

    @api.model
    def _take(self, run):
        """Keep what held at the last month-end, when a run that begins is the first of a later month.

        Where months went by without a run, their month-ends were all alike, and the first of them stands for
        them. A run that is taken up again keeps nothing again.
        """
        if run.kind != "score":
            return
        company = run.company_id
        done = [("company_id", "=", company.id), ("kind", "=", "score"), ("state", "=", "done")]
        last = self.env["crm.value.run"].sudo().search(done, order="as_of desc, id desc", limit=1).as_of
        if not last or end_of(last, "month") >= run.as_of:
            return
        day = end_of(last, "month")
        if self.sudo().search_count([("company_id", "=", company.id), ("date", "=", day)], limit=1):
            return
        labels = SQL(", ").join(
            SQL("COALESCE(held.%s, profile.%s)", SQL.identifier(label), SQL.identifier(f"computed_{label}"))
            for label in LABELS
        )
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO crm_value_snapshot (partner_id, company_id, date, %(labels)s, %(figures)s)
                SELECT profile.partner_id, profile.company_id, %(day)s, %(label_values)s, %(figure_values)s
                  FROM crm_value_profile profile
                  LEFT JOIN (%(held)s) held ON held.partner_id = profile.partner_id
                 WHERE profile.company_id = %(company)s
                """,
                labels=columns_sql(LABELS),
                figures=columns_sql(FIGURES),
                day=day,
                label_values=labels,
                figure_values=columns_sql(FIGURES, "profile"),
                held=self.env["crm.value.override"]._held_labels_sql(LABELS, company, day),
                company=company.id,
            )
        )
        self.invalidate_model()

    @api.model
    def _merge_customers(self, stays, partners):
        """Leave one snapshot per company and month-end of customers that become one.

        Its labels are those of the customer that stays where there are any, its values those of all together.

        :param int stays: the customer that stays
        :param tuple partners: identifiers of all of them
        """
        self.env.cr.execute(
            SQL(
                """
                WITH ranked AS (
                    SELECT id, row_number() OVER one AS rank, %(sums)s
                      FROM crm_value_snapshot WHERE partner_id IN %(partners)s
                    WINDOW one AS (PARTITION BY company_id, date ORDER BY partner_id <> %(stays)s, id),
                           together AS (PARTITION BY company_id, date)
                ), dropped AS (
                    DELETE FROM crm_value_snapshot WHERE id IN (SELECT id FROM ranked WHERE rank > 1)
                )
                UPDATE crm_value_snapshot snapshot SET %(assignments)s
                  FROM ranked WHERE ranked.id = snapshot.id AND ranked.rank = 1
                """,
                sums=SQL(", ").join(
                    SQL("sum(%s) OVER together AS %s", SQL.identifier(name), SQL.identifier(name))
                    for name in MONEY_COLUMNS
                ),
                partners=partners,
                stays=stays,
                assignments=SQL(", ").join(
                    SQL("%s = %s", SQL.identifier(name), SQL.identifier("ranked", name))
                    for name in MONEY_COLUMNS
                ),
            )
        )
