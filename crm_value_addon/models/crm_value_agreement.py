from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL

# What is measured.
AUTOMATIC = frozenset(("sold", "overdue", "state"))
STATES = [("on_pace", "On pace"), ("behind", "Behind"), ("kept", "Kept"), ("broken", "Broken")]


class CrmValueAgreement(models.Model):
    """What a customer and we agreed on: how much it buys and how it pays, and what it gets for that."""

    _name = "crm.value.agreement"
    _inherit = ["crm.value.companywide"]
    _description = "Agreement with a Customer"
    _order = "date_to desc, id desc"
    _rec_name = "partner_id"
    # A contract is no profile: only what was measured by it goes.
    _outlives_objection = True

    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        index=True,
        ondelete="cascade",
        domain=["|", ("is_company", "=", True), ("parent_id", "=", False)],
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one(related="partner_id.user_id", string="Salesperson")
    date_from = fields.Date(required=True, default=fields.Date.context_today)
    date_to = fields.Date(required=True)
    volume = fields.Monetary(required=True, help="What it buys in the period, untaxed.")
    payment_days = fields.Integer(help="Days in which it pays; 0: not agreed.")
    incentive = fields.Char(required=True, help="What it gets for that: a price, a bonus, a delivery.")
    sold = fields.Monetary(
        readonly=True,
        copy=False,
        help="Confirmed orders or posted invoices of the period, as the policy counts sales.",
    )
    forecast = fields.Monetary(compute="_compute_forecast", help="At the end, if it goes on as until now.")
    kept_share = fields.Float(compute="_compute_forecast", string="Bought", help="Of the volume agreed on.")
    overdue = fields.Monetary(
        string="Paid Late",
        readonly=True,
        copy=False,
        help="Of invoices of the period: what was not paid in the days agreed on, be it paid since or not.",
    )
    state = fields.Selection(STATES, readonly=True, copy=False)

    _period = models.Constraint("CHECK(date_from <= date_to)", "An agreement ends after it begins.")
    _volume_positive = models.Constraint("CHECK(volume > 0)", "Agree on a volume above zero.")
    _payment_days_positive = models.Constraint("CHECK(payment_days >= 0)", "Days to pay begin at 0.")

    @api.constrains("partner_id", "company_id", "date_from", "date_to")
    def _check_no_other(self):
        for agreement in self:
            others = self.search_count(
                [
                    ("id", "!=", agreement.id),
                    ("partner_id", "=", agreement.partner_id.id),
                    ("company_id", "=", agreement.company_id.id),
                    ("date_from", "<=", agreement.date_to),
                    ("date_to", ">=", agreement.date_from),
                ],
                limit=1,
            )
            if others:
                raise ValidationError(
                    self.env._(
                        "There is another agreement with %s in these days: end it first.",
                        agreement.partner_id.display_name,
                    )
                )

    @api.depends("sold", "volume", "date_from", "date_to")
    def _compute_forecast(self):
        for agreement in self:
            done, whole = agreement._days()
            agreement.forecast = agreement.sold * whole / done if done else 0.0
            agreement.kept_share = agreement.sold / agreement.volume if agreement.volume else 0.0

    def _days(self):
        """Days of the period that are over, and all of them."""
        if not self.date_from or not self.date_to:
            return 0, 0
        whole = (self.date_to - self.date_from).days + 1
        today = self.company_id._crm_value_today()
        return min(max((today - self.date_from).days, 0), whole), whole

    @api.model_create_multi
    def create(self, vals_list):
        self._check_by_hand(set().union(*vals_list))
        agreements = super().create(vals_list)
        agreements._measure()
        return agreements

    def write(self, vals):
        self._check_by_hand(vals)
        result = super().write(vals)
        if {"partner_id", "company_id", "date_from", "date_to", "volume", "payment_days"} & set(vals):
            self._measure()
        return result

    def _check_by_hand(self, names):
        if not self.env.su and AUTOMATIC & set(names):
            raise AccessError(
                self.env._("What was bought and paid is measured; change what was agreed on instead.")
            )

    @api.model
    def _measure_all(self, company):
        """See how the agreements of a company go; those that are over stay as they ended."""
        since = fields.Date.subtract(company._crm_value_today(), days=1)
        running = [
            ("company_id", "=", company.id),
            "|",
            ("date_to", ">=", since),
            ("state", "in", [False, "on_pace", "behind"]),
        ]
        self.sudo().search(running)._measure()

    def _measure(self):
        """Bring what was sold, what is overdue and the state up to date; nothing of who objected to profiling."""
        objecting = self.env["crm.value.objection"].sudo().search([("partner_id", "in", self.partner_id.ids)])
        silent = self.sudo().filtered(lambda agreement: agreement.partner_id in objecting.partner_id)
        silent.write({"sold": 0.0, "overdue": 0.0, "state": False})
        for company, agreements in (self - silent).sudo().grouped("company_id").items():
            sold = agreements._read_sold(company)
            overdue = agreements._read_overdue(company)
            for agreement in agreements:
                values = {
                    "sold": sold.get(agreement.id, 0.0),
                    "overdue": overdue.get(agreement.id, 0.0),
                }
                agreement.write({**values, "state": agreement._state(**values)})

    def _state(self, sold, overdue):
        done, whole = self._days()
        today = self.company_id._crm_value_today()
        over = today > self.date_to
        # What was bought on the last day may be paid in the days agreed on.
        if today > self.date_to + timedelta(days=self.payment_days):
            return "kept" if sold >= self.volume and not overdue else "broken"
        if overdue or sold * whole < self.volume * done:
            return "broken" if over else "behind"
        return "on_pace"

    def _read_sold(self, company):
        """``{agreement id: amount}`` in the company's currency."""
        sales = self.env["crm.value.sync"]._sales_sql(company)
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT agreement.id, sum(sales.amount)::float8
                      FROM crm_value_agreement agreement
                     CROSS JOIN LATERAL (
                           SELECT sales.amount FROM (%s) sales
                            WHERE sales.customer = agreement.partner_id
                              AND sales.day BETWEEN agreement.date_from AND agreement.date_to) sales
                     WHERE agreement.id IN %s GROUP BY agreement.id
                    """,
                    sales,
                    tuple(self.ids),
                )
            )
        )

    def _read_overdue(self, company):
        """``{agreement id: amount}`` of invoices dated in the period that was not paid in the days agreed on: what was
        paid later, and what is still open.

        What a credit note took away was not to be paid.
        """
        if not self.env["crm.value.sync"]._has_invoices():
            return {}
        self.env.flush_all()
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT agreement.id,
                           sum(bill.late + CASE WHEN bill.due < %(today)s THEN bill.open ELSE 0 END)::float8
                      FROM crm_value_agreement agreement
                     CROSS JOIN LATERAL (
                           SELECT days.due, GREATEST(move.amount_residual_signed, 0) AS open, COALESCE((
                                  SELECT sum(part.amount)
                                    FROM account_move_line item
                                    JOIN account_account account
                                      ON account.id = item.account_id AND account.account_type = 'asset_receivable'
                                    JOIN account_partial_reconcile part ON part.debit_move_id = item.id
                                    JOIN account_move_line money ON money.id = part.credit_move_id
                                    JOIN account_move paid ON paid.id = money.move_id
                                   WHERE item.move_id = move.id AND part.max_date > days.due
                                     AND paid.move_type <> 'out_refund'), 0) AS late
                             FROM res_partner contact
                             JOIN account_move move ON move.partner_id = contact.id
                            CROSS JOIN LATERAL (SELECT move.invoice_date + agreement.payment_days AS due) days
                            WHERE contact.commercial_partner_id = agreement.partner_id
                              AND move.state = 'posted' AND move.move_type IN ('out_invoice', 'out_receipt')
                              AND move.company_id IN %(branches)s
                              AND move.invoice_date BETWEEN agreement.date_from AND agreement.date_to) bill
                     WHERE agreement.id IN %(agreements)s AND agreement.payment_days > 0 GROUP BY agreement.id
                    """,
                    today=company._crm_value_today(),
                    branches=tuple(company._crm_value_branches()),
                    agreements=tuple(self.ids),
                )
            )
        )
