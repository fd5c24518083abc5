import json

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..customer_history import open_history
from ..customer_page import PAGE_COLUMNS, customer_page
from ..labels import (
    ANOMALIES,
    ATTITUDES,
    CHURN_RISKS,
    CONFIDENCES,
    GROUP_USER,
    INITIATORS,
    LABELS,
    LIFECYCLE_STAGES,
    LOYALTY_STAGES,
    MARGIN_LEVELS,
    SATISFACTIONS,
    SERVICE_STRATEGIES,
    VALUE_BASES,
    VALUE_CLASSES,
    VALUE_SEGMENTS,
    VALUE_TRENDS,
    VALUE_TYPES,
)
from ..reasons import open_records


class CrmValueProfile(models.Model):
    """What is known of one customer in one company; written by scoring runs only.

    ``computed_*`` is the engine's label, ``effective_*`` what people see: the label of an override
    in force, else the computed one.
    """

    _name = "crm.value.profile"
    _inherit = ["crm.value.protected", "crm.value.ordered"]
    _description = "Customer Value Profile"
    _order = "company_id, id"
    _rec_name = "partner_id"
    _log_access = False
    _ordered = tuple(f"effective_{label}" for label in LABELS)

    partner_id = fields.Many2one("res.partner", string="Customer", required=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    currency_id = fields.Many2one("res.currency")
    user_id = fields.Many2one(related="partner_id.user_id", string="Salesperson")
    format_id = fields.Many2one("crm.value.format", string="Business Format", ondelete="set null")

    computed_value_class = fields.Selection(VALUE_CLASSES)
    computed_value_segment = fields.Selection(VALUE_SEGMENTS)
    computed_loyalty_stage = fields.Selection(LOYALTY_STAGES)
    computed_lifecycle_stage = fields.Selection(LIFECYCLE_STAGES, string="Computed Life-Cycle Stage")
    computed_churn_risk = fields.Selection(CHURN_RISKS)
    computed_value_type = fields.Selection(VALUE_TYPES)
    computed_lost_type = fields.Selection(LABELS["lost_type"])
    effective_value_class = fields.Selection(VALUE_CLASSES, string="Value Class")
    effective_value_segment = fields.Selection(VALUE_SEGMENTS, string="Value Segment")
    # Columns of a kanban are all stages in their order, whether anybody is there or not.
    effective_loyalty_stage = fields.Selection(LOYALTY_STAGES, string="Loyalty Stage", group_expand=True)
    effective_lifecycle_stage = fields.Selection(
        LIFECYCLE_STAGES, string="Life-Cycle Stage", group_expand=True
    )
    effective_churn_risk = fields.Selection(CHURN_RISKS, string="Churn Risk")
    effective_value_type = fields.Selection(
        VALUE_TYPES, string="Value Type", help="What the customer looks for, and when in a product's life."
    )
    effective_lost_type = fields.Selection(
        LABELS["lost_type"], string="Lost Type", help="Why a lost customer is lost, as far as facts tell."
    )

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
    value_slope = fields.Monetary(
        string="Value Trend per Quarter",
        groups=GROUP_USER,
        aggregator=None,
        help="How much more a quarter brings than the one before, by a line through the last 4 to 8 quarters.",
    )
    value_trend = fields.Selection(
        VALUE_TRENDS, help="Where its value is going; steady where that is no more than chance."
    )
    cost_to_serve = fields.Monetary(
        string="Cost to Serve",
        groups=GROUP_USER,
        help="Discounts, returns, financing of overdue money and activities, in the current window.",
    )
    net_value = fields.Monetary(groups=GROUP_USER, help="Margin less cost to serve, in the current window.")
    next_class_gap = fields.Monetary(
        string="Missing to Key",
        groups=GROUP_USER,
        help="Current + potential value that is missing to the class Key; empty for key customers.",
    )
    value_percentile = fields.Float(
        aggregator="avg", help="Share of the peers that are worth less, by current + potential value."
    )
    margin_level = fields.Selection(MARGIN_LEVELS, help="Margin rate beside that of the peers.")
    composite_rating = fields.Float(
        aggregator="avg", help="0 to 100, of contribution, compliance, integrity and influence."
    )
    rating_contribution = fields.Float(
        string="Contribution", aggregator="avg", help="What it brings, among its peers."
    )
    rating_compliance = fields.Float(
        string="Compliance", aggregator="avg", help="Tax ID, credit limit and terms kept."
    )
    rating_integrity = fields.Float(
        string="Integrity", aggregator="avg", help="Pays on time, few cancellations, returns and disputes."
    )
    rating_influence = fields.Float(
        string="Influence", aggregator="avg", help="Referrals, branches, share of its business format."
    )
    percentile_compliance = fields.Float(
        string="Compliance among Peers", aggregator="avg", help="Share of the peers at or below it."
    )
    percentile_integrity = fields.Float(
        string="Integrity among Peers", aggregator="avg", help="Share of the peers at or below it."
    )
    percentile_influence = fields.Float(
        string="Influence among Peers", aggregator="avg", help="Share of the peers at or below it."
    )
    percentile_frequency = fields.Float(
        string="Frequency among Peers", aggregator="avg", help="By days with orders, in the current window."
    )
    percentile_volume = fields.Float(
        string="Volume among Peers", aggregator="avg", help="By revenue, in the current window."
    )
    percentile_margin = fields.Float(
        string="Margin Rate among Peers", aggregator="avg", help="Share of the peers at or below it."
    )
    percentile_loyalty = fields.Float(
        string="Loyalty among Peers", aggregator="avg", help="By the stage of loyalty."
    )
    recommendations = fields.Json(help="Categories it may want: peers buy them, or it is time again.")
    recommended_category_ids = fields.Many2many(
        "product.category",
        string="Likely to Want",
        compute="_compute_recommended_category_ids",
        search="_search_recommended_category_ids",
    )
    replacement_due = fields.Date(help="When the next purchase of a category it buys is due.")
    share_of_customer = fields.Float(
        aggregator="avg", help="Estimate: how much of what it needs it buys here, by what its peers buy."
    )
    customisation = fields.Float(
        aggregator="avg", help="Share of its sales in products that hardly anybody else buys."
    )
    service_strategy = fields.Selection(
        SERVICE_STRATEGIES,
        help="Recommended by class, loyalty and customisation. Hook: the customer adapts to us; "
        "zipper: both adapt; velcro: we adapt to the customer.",
    )
    satisfaction = fields.Selection(SATISFACTIONS, help="By its ratings.")
    attitude = fields.Selection(ATTITUDES, help="Loyalty and satisfaction side by side.")
    promise_kept = fields.Float(
        string="Promises Kept", aggregator="avg", help="Share of deliveries in full and on the promised day."
    )
    last_contact_date = fields.Date(string="Last Contact")
    contacted_on = fields.Date(help="When an activity with it was last done in Odoo.")
    contact_due = fields.Date(
        string="Next Contact Due", help="Last contact, and the days between two by the service policy."
    )
    response_hours = fields.Float(
        aggregator="avg", help="Median hours until its messages were answered, in the current window."
    )
    initiator = fields.Selection(INITIATORS, string="Who Initiates")
    preferred_channel = fields.Char()
    anomaly = fields.Selection(ANOMALIES, help="A sudden change against the customer's own pattern.")
    anomaly_percent = fields.Integer(
        string="Anomaly, %", aggregator=None, help="Change against its own pattern, below zero for a drop."
    )
    anomaly_since = fields.Date()
    last_order_date = fields.Date(string="Last Order")
    order_days = fields.Integer(help="Days with orders.")
    usual_gap = fields.Integer(
        aggregator="avg", help="Days from one order to the next, by the customer's own rhythm."
    )
    reasons = fields.Json(groups=GROUP_USER)
    page = fields.Json(compute="_compute_page", help="What is known of the customer, in words.")

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

    @api.model
    def _get_view_cache_key(self, view_id=None, view_type="form", **options):
        return (*super()._get_view_cache_key(view_id, view_type, **options), self._sees_amounts())

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Sort records by an amount for those who see amounts; for the others that would be refused."""
        arch, view = super()._get_view(view_id, view_type, **options)
        if view_type in ("list", "kanban") and self._sees_amounts():
            arch.set("default_order", "lifetime_value desc")
        return arch, view

    def _sees_amounts(self):
        return self.env.user.has_group(GROUP_USER)

    @api.depends("partner_id", "company_id")
    @api.depends_context("lang", "uid", "allowed_company_ids")
    def _compute_page(self):
        # By SQL, since the ORM gives an empty number as zero.
        keys = {profile: (profile.partner_id.id, profile.company_id.id) for profile in self.sudo()}
        rows = self.env["res.partner"]._read_profiles(set(keys.values()), PAGE_COLUMNS)
        changes = self.env["crm.value.change"]._latest(set(keys.values()))
        for profile in self:
            key = keys[profile.sudo()]
            profile.page = customer_page(self.env, rows.get(key), changes.get(key, ()))

    @api.depends("recommendations")
    def _compute_recommended_category_ids(self):
        given = {profile: [each["category_id"] for each in profile.recommendations or []] for profile in self}
        categories = self.env["product.category"].browse({each for ids in given.values() for each in ids})
        there = set(categories.exists().ids)
        for profile, ids in given.items():
            profile.recommended_category_ids = [each for each in ids if each in there]

    def _search_recommended_category_ids(self, operator, value):
        if operator == "any":
            operator, value = "in", self.env["product.category"].search(value).ids
        if operator != "in":
            return NotImplemented
        wanted = [json.dumps([{"category_id": category}]) for category in value if category]

        # In the very query that searches: the table is read once, whatever else is asked.
        def to_sql(model, alias, query):
            column = model._field_to_sql(alias, "recommendations", query)
            found = SQL("COALESCE(%s @> ANY (%s::jsonb[]), FALSE)", column, wanted)
            if False in value:
                found = SQL("(%s OR COALESCE(jsonb_array_length(%s), 0) = 0)", found, column)
            return found

        return Domain.custom(to_sql=to_sql)

    @api.model
    def _note_contact(self, company, customers):
        """Customers were in contact with a root company today; what is due next follows."""
        if not customers:
            return
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE crm_value_profile SET contacted_on = %s WHERE company_id = %s AND partner_id IN %s",
                company._crm_value_today(),
                company.id,
                tuple(customers.ids),
            )
        )
        self.env["crm.value.service.policy"]._refresh_contact_due(company, customers)

    def action_open_value_reason(self, code, model):
        """The records behind a reason, in a list, as far as the reader may see them."""
        self.ensure_one()
        self.check_access("read")
        profile = self.sudo()
        known = {"reasons": profile.reasons, "currency_id": profile.currency_id.id}
        return open_records(self.env, known, code, model)

    def action_open_value_history(self, what):
        """All changes of the customer's labels, or its values over the month-ends, in a view of their own."""
        self.ensure_one()
        self.check_access("read")
        return open_history(self.env, self.partner_id, self.company_id, what)
