from odoo import api, fields, models

from ..labels import GROUP_VIEWER

SERVED_COLUMNS = ["company_id", "effective_value_class", "format_id"]


class CrmValueTold(models.AbstractModel):
    """A record that tells what its customer is promised and may get."""

    _inherit = "crm.value.told"

    service_policy_id = fields.Many2one(
        "crm.value.service.policy",
        compute="_compute_service_policy",
        groups=GROUP_VIEWER,
        help="What customers of this class and format are promised and may get.",
    )
    service_terms = fields.Text(
        string="Service", compute="_compute_service_policy", groups=GROUP_VIEWER, help="In words."
    )

    @api.depends("value_segment", "value_class")
    @api.depends_context("company", "allowed_company_ids", "lang")
    def _compute_service_policy(self):
        profiles = dict(self._profiles_of_records(SERVED_COLUMNS))
        policies = self.env["crm.value.service.policy"]
        for record in self:
            profile = profiles.get(record)
            policy = (
                policies._of(profile["company_id"], profile["effective_value_class"], profile["format_id"])
                if profile
                else policies
            )
            record.service_policy_id = policy
            record.service_terms = "\n".join(policy._terms()) or False
