from odoo import api, fields, models
from odoo.tools import SQL

from ..case_texts import CAUSES, KINDS, ORDER_AFTER, STATES
from ..labels import GROUP_USER

# How long after a case was resolved an order still shows that the customer stayed.
ORDER_AFTER_DAYS = 90


class CrmValueCaseReport(models.Model):
    """How we recover: how long cases take, whether in time, and whether customers order again."""

    _name = "crm.value.case.report"
    _inherit = ["crm.value.mixin", "crm.value.ordered"]
    _description = "Service Recovery"
    _auto = False
    _order = "id desc"
    _rec_name = "kind"
    _ordered = ("kind", "cause", "state")
    _depends = {
        "crm.value.case": [
            *("partner_id", "company_id", "user_id", "kind", "cause", "state", "occurred_on"),
            *("due_date", "resolved_at", "compensation_amount"),
        ],
        "sale.order": ["partner_id", "company_id", "state", "date_order", "amount_untaxed"],
        "res.partner": ["commercial_partner_id"],
    }

    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one("res.users", string="Responsible", readonly=True)
    kind = fields.Selection(KINDS, readonly=True)
    cause = fields.Selection(CAUSES, readonly=True)
    state = fields.Selection(STATES, readonly=True)
    occurred_on = fields.Date(readonly=True)
    due_date = fields.Date(readonly=True)
    resolved_at = fields.Datetime(string="Resolved On", readonly=True)
    resolution_hours = fields.Float(
        string="Hours to Resolve",
        aggregator="avg",
        readonly=True,
        help="From when the case was opened until it was resolved.",
    )
    in_time = fields.Float(
        string="Resolved in Time",
        aggregator="avg",
        readonly=True,
        help="Share resolved by the due date, of the cases that are resolved, given up or overdue.",
    )
    order_after = fields.Selection(ORDER_AFTER, readonly=True)
    order_after_share = fields.Float(
        string="Ordered Again",
        aggregator="avg",
        readonly=True,
        help="Share of the cases after which the customer ordered within 90 days, of those resolved longer ago.",
    )
    compensation_amount = fields.Monetary(string="Compensation", readonly=True, groups=GROUP_USER)

    @property
    def _table_query(self):
        # A share counts nobody before the days are over, not those either who ordered soon: it would be of them alone.
        return SQL(
            """
            SELECT told.*,
                   CASE WHEN told.resolved_at + %(days)s * interval '1 day' < %(now)s
                        THEN CASE told.order_after WHEN 'ordered' THEN 1.0 ELSE 0.0 END END AS order_after_share
              FROM (
                SELECT entry.id, entry.partner_id, entry.company_id, entry.user_id, entry.kind, entry.cause,
                       entry.state, entry.occurred_on, entry.due_date, entry.resolved_at,
                       entry.compensation_amount,
                       CASE WHEN entry.resolved_at IS NOT NULL
                            THEN GREATEST(EXTRACT(EPOCH FROM entry.resolved_at - entry.create_date) / 3600, 0)
                             END AS resolution_hours,
                       %(in_time)s AS in_time,
                       %(order_after)s AS order_after
                  FROM crm_value_case entry
                   ) told
            """,
            days=ORDER_AFTER_DAYS,
            now=fields.Datetime.now(),
            in_time=self._in_time_sql(),
            order_after=self._order_after_sql(),
        )

    @api.model
    def _in_time_sql(self):
        """1, 0 or nothing: days end where the company is."""
        companies = self.env["res.company"].sudo().search([("parent_id", "=", False)])
        zone = SQL(
            "CASE entry.company_id %s ELSE 'UTC' END",
            SQL(" ").join(
                SQL("WHEN %s THEN %s", company.id, company._crm_value_timezone()) for company in companies
            ),
        )

        def day(moment):
            return SQL("(%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date", moment, zone)

        return SQL(
            """CASE WHEN entry.due_date IS NULL THEN NULL
                    WHEN entry.state = 'resolved'
                    THEN CASE WHEN %(resolved)s > entry.due_date THEN 0.0 ELSE 1.0 END
                    WHEN entry.state = 'given_up' OR entry.due_date < %(today)s THEN 0.0 END""",
            resolved=day(SQL("entry.resolved_at")),
            today=day(SQL("%s::timestamp", fields.Datetime.now())),
        )

    @api.model
    def _order_after_sql(self):
        """Whether the customer bought afterwards, at any branch and by any contact, as each company counts sales."""
        until = SQL("entry.resolved_at + %s * interval '1 day'", ORDER_AFTER_DAYS)
        sync = self.env["crm.value.sync"].sudo()
        companies = [
            company for [company] in self.env["crm.value.case"].sudo()._read_group([], ["company_id"])
        ]
        bought = SQL(" ").join(
            SQL(
                """WHEN %s THEN EXISTS (
                        SELECT FROM (%s) sales
                         WHERE sales.customer = entry.partner_id AND sales.amount > 0
                           AND sales.moment > entry.resolved_at AND sales.moment <= %s)""",
                company.id,
                sync._sales_sql(company),
                until,
            )
            for company in companies
        )
        return SQL(
            """CASE WHEN entry.resolved_at IS NULL THEN NULL
                    WHEN %(bought)s THEN 'ordered'
                    WHEN %(until)s < %(now)s THEN 'none' ELSE 'open' END""",
            bought=SQL("CASE entry.company_id %s END", bought) if companies else SQL("FALSE"),
            until=until,
            now=fields.Datetime.now(),
        )

    def action_open_case(self):
        """The case itself."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.value.case",
            "res_id": self.id,
            "views": [[False, "form"]],
        }
