from odoo import api, fields, models

from ..labels import (
    CHURN_RISKS,
    CONFIDENCES,
    LIFECYCLE_STAGES,
    LOYALTY_STAGES,
    VALUE_BASES,
    VALUE_CLASSES,
    VALUE_SEGMENTS,
)
from ..reasons import render_reasons

GROUP_USER = "crm_value_addon.group_user"


class CrmValueProfile(models.Model):
    """What is known of one customer in one company; written by scoring runs only.

    ``computed_*`` is the engine's label, ``effective_*`` what people see: the label of an override
    in force, else the computed one.
    """

    _name = "crm.value.profile"
    _inherit = ["crm.value.protected"]
    _description = "Customer Value Profile"
    _order = "company_id, id"
    _rec_name = "partner_id"
    _log_access = False

    partner_id = fields.Many2one("res.partner", string="Customer", required=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    currency_id = fields.Many2one("res.currency")
    user_id = fields.Many2one(related="partner_id.user_id", string="Salesperson")
    format_id = fields.Many2one("crm.value.format", string="Business Format", ondelete="set null")

    computed_value_class = fields.Selection(VALUE_CLASSES)
    computed_value_segment = fields.Selection(VALUE_SEGMENTS)
    computed_loyalty_stage = fields.Selection(LOYALTY_STAGES)
    computed_lifecycle_stage = fields.Selection(LIFECYCLE_STAGES)
    computed_churn_risk = fields.Selection(CHURN_RISKS)
    effective_value_class = fields.Selection(VALUE_CLASSES, string="Value Class")
    effective_value_segment = fields.Selection(VALUE_SEGMENTS, string="Value Segment")
    effective_loyalty_stage = fields.Selection(LOYALTY_STAGES, string="Loyalty Stage")
    effective_lifecycle_stage = fields.Selection(LIFECYCLE_STAGES, string="Life-Cycle Stage")
    effective_churn_risk = fields.Selection(CHURN_RISKS, string="Churn Risk")

    confidence = fields.Selection(CONFIDENCES)
    burden = fields.Boolean(help="A key customer with a poor net value: size must not buy concessions.")
    value_basis = fields.Selection(VALUE_BASES)
    churn_probability = fields.Float(
        aggregator="avg", help="Probability that no order comes within the churn horizon."
    )
    churn_withheld = fields.Boolean(
        help="The back-test finds the churn forecast not reliable here: probability and risk are not shown."
    )
    p_alive = fields.Float(
        string="P(alive)",
        aggregator="avg",
        help="Probability that the customer still is one; not the same as not churning.",
    )
    expected_orders = fields.Float(help="Days with orders expected in the churn horizon.")
    expected_value = fields.Monetary(groups=GROUP_USER, help="Value expected in the churn horizon.")
    expected_value_low = fields.Monetary(groups=GROUP_USER)
    expected_value_high = fields.Monetary(groups=GROUP_USER)
    expected_next_order = fields.Date()
    expected_next_order_low = fields.Date()
    expected_next_order_high = fields.Date()
    historical_value = fields.Monetary(groups=GROUP_USER, help="Before the current window.")
    current_value = fields.Monetary(groups=GROUP_USER, help="In the current window.")
    potential_value = fields.Monetary(
        groups=GROUP_USER, help="Expected and discounted, over the value horizon."
    )
    lifetime_value = fields.Monetary(groups=GROUP_USER, help="Historical + current + potential value.")
    last_order_date = fields.Date(string="Last Order")
    order_days = fields.Integer(help="Days with orders.")
    reasons = fields.Json(groups=GROUP_USER)
    reasons_html = fields.Html(string="Why", compute="_compute_reasons_html")

    policy_version_id = fields.Many2one("crm.value.policy.version", ondelete="restrict")
    changed_at = fields.Datetime(help="When a score of this customer changed last.")
    # A number and not a reference, which would be checked for every row of every run.
    changed_run_id = fields.Integer(string="Changed by Run")

    # Partner merge inspects pg_constraint only, so this has to be a constraint and not an index.
    _partner_company_unique = models.Constraint(
        "UNIQUE(partner_id, company_id)", "A customer has one profile per company."
    )

    # What lists filter, group and sort by, read without the wide rows. Labels change for few customers in
    # a run, so the others are still updated in place.
    _labels = models.Index(
        "(company_id, partner_id) INCLUDE (effective_value_segment, effective_value_class,"
        " effective_loyalty_stage, effective_lifecycle_stage, effective_churn_risk)"
    )

    def init(self):
        # A run may update every row in one transaction: half of each page is for the new versions, so that they
        # stay there and no index is written; measured twice as fast, without bloat. And even a run that
        # changes few rows touches most pages: lists read labels from the index alone once these are vacuumed.
        self.env.cr.execute(
            "ALTER TABLE crm_value_profile SET (fillfactor = 45, autovacuum_vacuum_scale_factor = 0.02)"
        )

    @api.depends_context("lang", "uid")
    def _compute_reasons_html(self):
        for profile in self:
            profile.reasons_html = render_reasons(self.env, profile.sudo().reasons)
