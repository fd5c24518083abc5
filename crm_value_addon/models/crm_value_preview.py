from odoo import fields, models
from odoo.tools import SQL

from ..labels import (
    CHURN_RISKS,
    GROUP_USER,
    LABELS,
    LIFECYCLE_STAGES,
    LOYALTY_STAGES,
    VALUE_CLASSES,
    VALUE_SEGMENTS,
    VALUE_TYPES,
)


class CrmValuePreview(models.Model):
    """A customer whose labels a draft of the policy would change: by the active policy, and by the draft.

    Both are found by the worker on the same data, so that the draft alone makes the difference.
    """

    _name = "crm.value.preview"
    _inherit = ["crm.value.protected", "crm.value.ordered"]
    _description = "Customer Value Policy Preview"
    _order = "value desc, id"
    _rec_name = "partner_id"
    _log_access = False
    _ordered = tuple(name for label in LABELS for name in (f"before_{label}", label))

    run_id = fields.Many2one("crm.value.run", required=True, index=True, ondelete="cascade")
    version_id = fields.Many2one(
        "crm.value.policy.version", string="Draft", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, index=True, ondelete="cascade"
    )
    user_id = fields.Many2one(
        "res.users",
        string="Salesperson",
        ondelete="set null",
        help="Of the customer, at the preview.",
        falsy_value_label="Without a salesperson",
    )
    format_id = fields.Many2one(
        "crm.value.format",
        string="Business Format",
        ondelete="set null",
        falsy_value_label="Without a format",
    )
    value = fields.Monetary(
        string="Current and Potential Value", groups=GROUP_USER, help="By the draft, as the classes are cut."
    )
    before_value_class = fields.Selection(VALUE_CLASSES, string="Value Class Now")
    value_class = fields.Selection(VALUE_CLASSES, string="Value Class by the Draft")
    value_class_changed = fields.Boolean()
    before_value_segment = fields.Selection(VALUE_SEGMENTS, string="Segment Now")
    value_segment = fields.Selection(VALUE_SEGMENTS, string="Segment by the Draft")
    value_segment_changed = fields.Boolean(string="Segment Changed")
    before_loyalty_stage = fields.Selection(LOYALTY_STAGES, string="Loyalty Stage Now")
    loyalty_stage = fields.Selection(LOYALTY_STAGES, string="Loyalty Stage by the Draft")
    loyalty_stage_changed = fields.Boolean()
    before_lifecycle_stage = fields.Selection(LIFECYCLE_STAGES, string="Life-Cycle Stage Now")
    lifecycle_stage = fields.Selection(LIFECYCLE_STAGES, string="Life-Cycle Stage by the Draft")
    lifecycle_stage_changed = fields.Boolean(string="Life-Cycle Stage Changed")
    before_churn_risk = fields.Selection(CHURN_RISKS, string="Churn Risk Now")
    churn_risk = fields.Selection(CHURN_RISKS, string="Churn Risk by the Draft")
    churn_risk_changed = fields.Boolean()
    before_value_type = fields.Selection(VALUE_TYPES, string="Value Type Now")
    value_type = fields.Selection(VALUE_TYPES, string="Value Type by the Draft")
    value_type_changed = fields.Boolean()
    before_lost_type = fields.Selection(LABELS["lost_type"], string="Lost Type Now")
    lost_type = fields.Selection(LABELS["lost_type"], string="Lost Type by the Draft")
    lost_type_changed = fields.Boolean()

    def _record_preview(self, run):
        """Keep what a preview run staged, in place of earlier previews of the same draft."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL("DELETE FROM crm_value_preview WHERE version_id = %s", run.policy_version_id.id)
        )
        labels = [name for label in LABELS for name in (f"before_{label}", label)]
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO crm_value_preview
                       (run_id, version_id, company_id, partner_id, user_id, format_id, value, %(labels)s, %(flags)s)
                SELECT %(run)s, %(version)s, %(company)s, partner.id, partner.user_id, business_format.id,
                       COALESCE(current_value, 0) + COALESCE(potential_value, 0), %(labels)s, %(changed)s
                  FROM crm_value_staging staging
                  JOIN res_partner partner ON partner.id = staging.partner_id
                  LEFT JOIN crm_value_format business_format ON business_format.id = staging.format_id
                 WHERE staging.run_id = %(run)s AND staging.status = 'ok'
                   AND NOT EXISTS (SELECT FROM crm_value_objection objection
                                    WHERE objection.partner_id = partner.id)
                """,
                run=run.id,
                version=run.policy_version_id.id,
                company=run.company_id.id,
                labels=SQL(", ").join(SQL.identifier(name) for name in labels),
                flags=SQL(", ").join(SQL.identifier(f"{label}_changed") for label in LABELS),
                changed=SQL(", ").join(
                    SQL(
                        "%s IS DISTINCT FROM %s",
                        SQL.identifier("staging", f"before_{label}"),
                        SQL.identifier("staging", label),
                    )
                    for label in LABELS
                ),
            )
        )
        self.invalidate_model()
