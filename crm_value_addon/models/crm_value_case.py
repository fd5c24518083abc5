from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from ..case_texts import CAUSES, KINDS, ORDER_AFTER, STATES, case_text
from ..labels import GROUP_USER

# What a case is about, and when it was resolved: a person gives cause, compensation and outcome.
AUTOMATIC = frozenset(
    ("partner_id", "company_id", "kind", "res_model", "res_id", "known_on", "figures", "resolved_at")
)


class CrmValueCase(models.Model):
    """Something that went wrong for a customer, and what we did about it.

    Opened by the runs from what documents tell, or by hand for a complaint.
    """

    _name = "crm.value.case"
    _inherit = [
        "crm.value.companywide",
        "crm.value.mixin",
        "crm.value.ordered",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _description = "Service Case"
    _order = "state, due_date, id desc"
    _ordered = ("state", "kind", "cause")
    # Whoever may read a case may talk about it.
    _mail_post_access = "read"

    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        index=True,
        ondelete="cascade",
        domain=["|", ("is_company", "=", True), ("parent_id", "=", False)],
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(KINDS, required=True, default="complaint")
    state = fields.Selection(
        STATES, required=True, default="new", tracking=True, copy=False, group_expand=True, index=True
    )
    res_model = fields.Char(readonly=True, copy=False)
    res_id = fields.Many2oneReference(model_field="res_model", readonly=True, copy=False)
    record_name = fields.Char(
        string="Document", compute="_compute_record_name", help="What it rests on, if you may see it."
    )
    figures = fields.Json(readonly=True, copy=False)
    text = fields.Char(compute="_compute_text", string="What Happened")
    description = fields.Text(string="What the Customer Says")
    occurred_on = fields.Date(
        required=True, default=lambda self: self.env.company.root_id._crm_value_today(), copy=False
    )
    known_on = fields.Date(
        required=True,
        readonly=True,
        default=lambda self: self.env.company.root_id._crm_value_today(),
        copy=False,
        help="When it could be known.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        compute="_compute_user_id",
        store=True,
        precompute=True,
        readonly=False,
        tracking=True,
        domain=[("share", "=", False)],
        help="The customer's salesperson, unless somebody else takes it.",
    )
    due_date = fields.Date(
        compute="_compute_due_date",
        store=True,
        precompute=True,
        readonly=False,
        copy=False,
        help="By when it shall be resolved: so many days after it was opened, by the settings.",
    )
    cause = fields.Selection(CAUSES, required=True, default="unknown", tracking=True)
    compensation = fields.Char(help="What the customer got for it, in words.")
    compensation_amount = fields.Monetary(groups=GROUP_USER, copy=False)
    outcome = fields.Text(copy=False)
    resolved_at = fields.Datetime(string="Resolved On", readonly=True, copy=False)
    resolution_hours = fields.Float(
        compute="_compute_resolution_hours", help="From when the case was opened until it was resolved."
    )
    order_after = fields.Selection(
        ORDER_AFTER,
        compute="_compute_order_after",
        help="Whether the customer ordered within 90 days after it was resolved.",
    )

    _one_per_fact = models.UniqueIndex(
        "(res_model, res_id, kind) WHERE res_model IS NOT NULL", "There was a case about this already."
    )

    # ------------------------------------------------------------------- computing

    @api.depends("kind", "partner_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        names = dict(self._fields["kind"]._description_selection(self.env))
        for case in self:
            case.display_name = ": ".join(
                filter(None, [names.get(case.kind), case.partner_id.sudo().display_name])
            )

    @api.depends("kind", "figures", "description")
    @api.depends_context("lang")
    def _compute_text(self):
        for case in self:
            said = (case.description or "").strip().split("\n")[0]
            case.text = case_text(self.env, case.kind, case.figures) or said

    @api.depends("res_model", "res_id")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_record_name(self):
        self.record_name = False
        for model, cases in self.filtered("res_model").grouped("res_model").items():
            if model not in self.env:
                continue
            records = self.env[model].browse(cases.mapped("res_id")).exists()
            names = {record.id: record.display_name for record in records._filtered_access("read")}
            for case in cases:
                case.record_name = names.get(case.res_id)

    @api.depends("partner_id", "company_id")
    def _compute_user_id(self):
        for case in self:
            user = case.partner_id.sudo().user_id
            there = user.active and case.company_id in user.company_ids.root_id
            case.user_id = user if there else False

    @api.depends("company_id")
    def _compute_due_date(self):
        for case in self:
            company = case.company_id
            days = company.sudo().crm_value_case_due_days
            case.due_date = company and company._crm_value_today() + timedelta(days=max(days, 0))

    @api.depends("create_date", "resolved_at")
    def _compute_resolution_hours(self):
        for case in self:
            took = case.resolved_at and case.create_date and case.resolved_at - case.create_date
            case.resolution_hours = took and max(took.total_seconds(), 0) / 3600

    @api.depends("partner_id", "company_id", "resolved_at")
    def _compute_order_after(self):
        answers = {}
        if self.ids:
            self.env.flush_all()
            asked = self.env["crm.value.case.report"]._order_after_sql()
            answers = dict(
                self.env.execute_query(
                    SQL(
                        "SELECT entry.id, %s FROM crm_value_case entry WHERE entry.id IN %s",
                        asked,
                        tuple(self.ids),
                    )
                )
            )
        for case in self:
            case.order_after = answers.get(case._origin.id)

    # --------------------------------------------------------------------- writing

    @api.constrains("partner_id")
    def _check_no_objection(self):
        objections = self.env["crm.value.objection"].sudo()
        if objections.search_count([("partner_id", "in", self.partner_id.ids)], limit=1):
            raise ValidationError(
                self.env._("This customer objected to profiling, so nothing is kept about it.")
            )

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            vals_list = [self._by_hand(vals) for vals in vals_list]
        cases = super().create(vals_list)
        if not self.env.su:
            cases.partner_id.check_access("read")
        cases._note_resolution()
        for user, of_user in cases.grouped("user_id").items():
            of_user.message_subscribe(user.partner_id.ids)
        return cases

    def _by_hand(self, vals):
        """What a person says about a case, and nothing of what only runs say: it is a complaint, known today."""
        company = self.env["res.company"].browse(vals.get("company_id")) or self.env.company
        automatic = {"kind": "complaint", "known_on": company.root_id._crm_value_today()}
        given = {name: value for name, value in vals.items() if name not in AUTOMATIC}
        kept = {name: vals[name] for name in ("partner_id", "company_id") if name in vals}
        return {**given, **kept, **automatic}

    def write(self, vals):
        if not self.env.su and AUTOMATIC & set(vals):
            raise AccessError(
                self.env._("What a case is about stays; change its cause, compensation, outcome or state.")
            )
        result = super().write(vals)
        if "state" in vals:
            self._note_resolution()
        return result

    def _note_resolution(self):
        """Keep when a case was resolved; one that is taken up again is not."""
        self.filtered(
            lambda case: case.state == "resolved" and not case.resolved_at
        ).sudo().resolved_at = fields.Datetime.now()
        self.filtered(lambda case: case.state != "resolved" and case.resolved_at).sudo().resolved_at = False

    # Messages about a case are for us: nothing goes to the customer unless a person adds it.
    def _mail_get_partner_fields(self, introspect_fields=False):
        return []

    @api.model
    def _forget(self, customers):
        """Delete the cases of customers, with messages, files and activities."""
        self.sudo().search([("partner_id", "in", customers.ids)]).unlink()

    # --------------------------------------------------------------------- buttons

    def action_open_record(self):
        """What the case rests on, under the rights of the reader.

        :raise UserError: when there is nothing, or not any more
        :raise AccessError: when the reader may not see it
        """
        self.ensure_one()
        self.check_access("read")
        record = (
            self.env[self.res_model].browse(self.res_id).exists()
            if self.res_model and self.res_model in self.env
            else None
        )
        if not record:
            raise UserError(self.env._("There is no document behind this case, or not any more."))
        record.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "views": [[False, "form"]],
        }
