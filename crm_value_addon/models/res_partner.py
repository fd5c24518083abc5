from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..customer_history import open_history
from ..customer_page import PAGE_COLUMNS, customer_page
from ..empty_labels import NOT_KNOWN, NOT_SCORED
from ..labels import ATTITUDES, CONFIDENCES, GROUP_USER, GROUP_VIEWER, LIFECYCLE_STAGES, LOYALTY_STAGES
from ..reasons import open_records
from ..value_timeline import TIMELINE_COLUMNS, value_timeline
from .crm_value_mixin import profile_field


class ResPartner(models.Model):
    """Scores of the commercial partner in the current company."""

    _name = "res.partner"
    _inherit = ["res.partner", "crm.value.told"]

    loyalty_stage = profile_field(
        fields.Selection,
        "effective_loyalty_stage",
        name="loyalty_stage",
        selection=LOYALTY_STAGES,
        string="Loyalty Stage",
        falsy_value_label=NOT_SCORED,
    )
    lifecycle_stage = profile_field(
        fields.Selection,
        "effective_lifecycle_stage",
        name="lifecycle_stage",
        selection=LIFECYCLE_STAGES,
        string="Life-Cycle Stage",
        falsy_value_label=NOT_SCORED,
    )
    churn_probability = profile_field(
        fields.Float,
        "churn_probability",
        name="churn_probability",
        string="Churn Probability",
        aggregator="avg",
        help="Probability that no order comes within the churn horizon of the policy.",
    )
    churn_withheld = profile_field(
        fields.Boolean,
        "churn_withheld",
        name="churn_withheld",
        string="Churn Forecast Withheld",
        help="The back-test finds the churn forecast not reliable here: probability and risk are not shown.",
    )
    score_confidence = profile_field(
        fields.Selection,
        "confidence",
        name="score_confidence",
        selection=CONFIDENCES,
        string="Confidence",
        help="How much history the scores of this customer rest on.",
    )
    expected_next_order = profile_field(
        fields.Date,
        "expected_next_order",
        name="expected_next_order",
        string="Next Order Expected",
        help="From the customer's own rhythm and how long it has been silent; once late, the day it had been due.",
    )
    expected_next_order_low = profile_field(
        fields.Date,
        "expected_next_order_low",
        name="expected_next_order_low",
        string="Next Order Expected From",
    )
    expected_next_order_high = profile_field(
        fields.Date,
        "expected_next_order_high",
        name="expected_next_order_high",
        string="Next Order Expected Until",
    )
    usual_gap = profile_field(
        fields.Integer,
        "usual_gap",
        name="usual_gap",
        aggregator="avg",
        help="Days from one order to the next, by the customer's own rhythm.",
    )
    last_contact_date = profile_field(
        fields.Date, "last_contact_date", name="last_contact_date", string="Last Contact"
    )
    contact_due = profile_field(
        fields.Date,
        "contact_due",
        name="contact_due",
        string="Next Contact Due",
        help="Last contact, and the days between two by the service policy.",
    )
    # The working lists show both, the one in the place of amounts, and are found by the other.
    value_percentile = profile_field(
        fields.Float,
        "value_percentile",
        name="value_percentile",
        string="Above Its Peers",
        aggregator="avg",
        help="Share of the peers that are worth less, by current + potential value.",
    )
    attitude = profile_field(
        fields.Selection,
        "attitude",
        name="attitude",
        selection=ATTITUDES,
        string="Attitude",
        falsy_value_label=NOT_KNOWN,
        help="Loyalty and satisfaction side by side.",
    )
    value_currency_id = profile_field(
        fields.Many2one,
        "currency_id",
        name="value_currency_id",
        comodel_name="res.currency",
        string="Currency of Values",
    )
    historical_value = profile_field(
        fields.Monetary,
        "historical_value",
        groups=GROUP_USER,
        name="historical_value",
        currency_field="value_currency_id",
        string="Historical Value",
        help="What the customer brought before the current window.",
    )
    current_value = profile_field(
        fields.Monetary,
        "current_value",
        groups=GROUP_USER,
        name="current_value",
        currency_field="value_currency_id",
        string="Current Value",
        help="What the customer brought within the current window.",
    )
    potential_value = profile_field(
        fields.Monetary,
        "potential_value",
        groups=GROUP_USER,
        name="potential_value",
        currency_field="value_currency_id",
        string="Potential Value",
        help="What it is expected to bring over the value horizon, discounted.",
    )
    lifetime_value = profile_field(
        fields.Monetary,
        "lifetime_value",
        groups=GROUP_USER,
        name="lifetime_value",
        currency_field="value_currency_id",
        string="Lifetime Value",
        help="Historical + current + potential value.",
    )
    scored_at = fields.Datetime(
        compute="_compute_scored_at",
        groups=GROUP_VIEWER,
        help="End of the last completed run of the company, or of the day it was made for where that was over.",
    )
    value_page = fields.Json(
        string="Customer Value",
        compute="_compute_value_page",
        groups=GROUP_VIEWER,
        help="What is known of the customer, in words.",
    )

    def _profile_customer(self):
        return self.commercial_partner_id

    def _profile_company(self):
        return self.env.company

    @api.model
    def _profile_customer_sql(self, alias, query):
        field = self._fields["commercial_partner_id"]
        return SQL.identifier(alias, "commercial_partner_id", to_flush=field)

    @api.model
    def _profile_company_sql(self, alias):
        return SQL("%s", self.env.company.id)

    @api.depends("commercial_partner_id")
    def _compute_profile_fields(self):
        return super()._compute_profile_fields()

    @api.depends("value_segment")
    @api.depends_context("company")
    def _compute_scored_at(self):
        company = self.env.company.root_id
        self.env.cr.execute(
            SQL(
                """
                SELECT closed_at, as_of FROM crm_value_run
                 WHERE company_id = %s AND kind = 'score' AND state = 'done' ORDER BY closed_at DESC, id DESC LIMIT 1
                """,
                company.id,
            )
        )
        last = self.env.cr.fetchone()
        scored_at = last and min(last[0], company._crm_value_end_of(last[1]))
        for partner in self:
            partner.scored_at = partner.value_segment and scored_at

    @api.depends("commercial_partner_id")
    @api.depends_context("company", "lang", "uid")
    def _compute_value_page(self):
        company = self.env.company.root_id.id
        profiles = self._read_own_profiles(PAGE_COLUMNS)
        keys = {partner: (partner.commercial_partner_id._origin.id, company) for partner in self}
        changes = self.env["crm.value.change"]._latest({keys[each] for each in self if profiles[each]})
        for partner, row in profiles.items():
            partner.value_page = customer_page(self.env, row, changes.get(keys[partner], ()))

    def _read_own_profiles(self, columns):
        """``{partner: {column: value}}`` in the current company; nothing for whom is not scored there."""
        company = self.env.company.root_id.id
        customers = {partner: partner.commercial_partner_id._origin.id for partner in self}
        keys = {(customer, company) for customer in customers.values() if customer}
        profiles = self._read_profiles(keys, columns)
        return {partner: profiles.get((customer, company), {}) for partner, customer in customers.items()}

    def write(self, vals):
        """Keep nothing of who becomes the contact of a customer who objected."""
        result = super().write(vals)
        if {"parent_id", "is_company"} & set(vals):
            objections = self.env["crm.value.objection"].sudo()
            objections.search([("partner_id", "in", self.sudo().commercial_partner_id.ids)])._erase()
        return result

    def _check_value_access(self):
        """Refuse who may not read the customers, or nothing of their value."""
        self.check_access("read")
        self._check_field_access(self._fields["value_page"], "read")

    def action_open_value_reason(self, code, model):
        """The records behind a reason, in a list, as far as the reader may see them."""
        self.ensure_one()
        self._check_value_access()
        profile = self._read_own_profiles(["reasons", "currency_id"])[self]
        return open_records(self.env, profile, code, model)

    def read_value_timeline(self):
        """When the customer ordered, when it is expected again, and how its risk went; see ``value_timeline``."""
        self.ensure_one()
        self._check_value_access()
        profile = self._read_own_profiles([*TIMELINE_COLUMNS, "effective_value_segment"])[self]
        company = self.env.company.root_id
        return value_timeline(self.env, self.commercial_partner_id, company, profile)

    def action_open_value_profile(self):
        """All scores of the customer in the current company."""
        self.ensure_one()
        self._check_value_access()
        profile = self.env["crm.value.profile"].search(
            [
                ("partner_id", "=", self.commercial_partner_id.id),
                ("company_id", "=", self.env.company.root_id.id),
            ]
        )
        if not profile:
            raise UserError(self.env._("This customer is not scored yet."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Customer Value"),
            "res_model": "crm.value.profile",
            "res_id": profile.id,
            "views": [[False, "form"]],
        }

    def action_open_value_history(self, what):
        """All changes of the customer's labels, or its values over the month-ends, in a view of their own."""
        self.ensure_one()
        self._check_value_access()
        return open_history(self.env, self.commercial_partner_id, self.env.company.root_id, what)
