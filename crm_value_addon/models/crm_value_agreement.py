from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

# Of the policy's key `sales_basis`.
INVOICES = 1
STATES = [("on_pace", "On pace"), ("behind", "Behind"), ("kept", "Kept"), ("broken", "Broken")]


class CrmValueAgreement(models.Model):
    """What a customer and we agreed on: how much it buys and how it pays, and what it gets for that."""

    _name = "crm.value.agreement"
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
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company.root_id,
        domain=[("parent_id", "=", False)],
        ondelete="cascade",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one(related="partner_id.user_id", string="Salesperson")
    date_from = fields.Date(required=True, default=fields.Date.context_today)
    date_to = fields.Date(required=True)
    volume = fields.Monetary(required=True, help="What it buys in the period, untaxed.")
    payment_days = fields.Integer(help="Days in which it pays; 0: not agreed.")
    incentive = fields.Char(required=True, help="What it gets for that: a price, a bonus, a delivery.")
    sold = fields.Monetary(
        readonly=True, help="Confirmed orders or posted invoices of the period, as the policy counts sales."
    )
    forecast = fields.Monetary(compute="_compute_forecast", help="At the end, if it goes on as until now.")
    kept_share = fields.Float(compute="_compute_forecast", string="Bought", help="Of the volume agreed on.")
    overdue = fields.Monetary(readonly=True, help="Invoices of the period not paid in the days agreed on.")
    state = fields.Selection(STATES, readonly=True)

    _period = models.Constraint("CHECK(date_from <= date_to)", "An agreement ends after it begins.")
    _volume_positive = models.Constraint("CHECK(volume > 0)", "Agree on a volume above zero.")
    _payment_days_positive = models.Constraint("CHECK(payment_days >= 0)", "Days to pay begin at 0.")

    @api.constrains("partner_id", "company_id")
    def _check_customer(self):
        for agreement in self:
            if agreement.partner_id.commercial_partner_id != agreement.partner_id:
                raise ValidationError(self.env._("Agree with the company of this contact."))
            if agreement.company_id.parent_id:
                raise ValidationError(
                    self.env._("Agreements are of the company as a whole, not of a branch.")
                )

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
        agreements = super().create(vals_list)
        agreements._measure()
        return agreements

    def write(self, vals):
        result = super().write(vals)
        if {"partner_id", "company_id", "date_from", "date_to", "volume", "payment_days"} & set(vals):
            self._measure()
        return result

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
        if self.company_id._crm_value_today() > self.date_to:
            return "kept" if sold >= self.volume and not overdue else "broken"
        return "behind" if overdue or sold * whole < self.volume * done else "on_pace"

    def _read_sold(self, company):
        """``{agreement id: amount}`` in the company's currency."""
        self.env.flush_all()
        basis = self.env["crm.value.policy.version"]._in_force(company)["sales_basis"]
        zone = company._crm_value_timezone()
        if basis == INVOICES and self._has_invoices():
            sales = SQL(
                """SELECT commercial_partner_id AS customer, invoice_date AS day, amount_untaxed_signed AS amount,
                          company_id
                     FROM account_move
                    WHERE state = 'posted' AND move_type IN ('out_invoice', 'out_refund', 'out_receipt')"""
            )
        else:
            sales = SQL(
                """SELECT partner.commercial_partner_id AS customer, sales.company_id,
                          (sales.date_order AT TIME ZONE 'UTC' AT TIME ZONE %s)::date AS day,
                          sales.amount_untaxed / COALESCE(NULLIF(sales.currency_rate, 0), 1) AS amount
                     FROM sale_order sales JOIN res_partner partner ON partner.id = sales.partner_id
                    WHERE sales.state = 'sale'""",
                zone,
            )
        return self._amounts(company, sales, SQL("TRUE"))

    def _read_overdue(self, company):
        """``{agreement id: amount}`` of invoices dated in the period and open for longer than agreed on."""
        if not self._has_invoices():
            return {}
        invoices = SQL(
            """SELECT commercial_partner_id AS customer, invoice_date AS day, company_id,
                      amount_residual_signed AS amount
                 FROM account_move
                WHERE state = 'posted' AND move_type IN ('out_invoice', 'out_receipt') AND amount_residual_signed > 0"""
        )
        late = SQL(
            "agreement.payment_days > 0 AND sales.day + agreement.payment_days < %s",
            company._crm_value_today(),
        )
        return self._amounts(company, invoices, late)

    def _has_invoices(self):
        return self.env["crm.value.sync"]._has_invoices()

    def _amounts(self, company, sales, condition):
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT agreement.id, sum(sales.amount)::float8
                      FROM crm_value_agreement agreement
                      JOIN (%s) sales ON sales.customer = agreement.partner_id AND sales.company_id IN %s
                       AND sales.day BETWEEN agreement.date_from AND agreement.date_to
                     WHERE agreement.id IN %s AND %s GROUP BY agreement.id
                    """,
                    sales,
                    tuple(company._crm_value_branches()),
                    tuple(self.ids),
                    condition,
                )
            )
        )
