from odoo import api, fields, models

from ..labels import GROUP_VIEWER

SERVED_COLUMNS = ["company_id", "effective_value_class", "format_id"]


class CrmValueServed(models.AbstractModel):
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
        keys = {
            record: (profile["company_id"], profile["effective_value_class"], profile["format_id"] or False)
            for record, profile in self._profiles_of_records(SERVED_COLUMNS)
            if profile
        }
        policies = self.env["crm.value.service.policy"]._of_profiles(set(keys.values()))
        for record in self:
            policy = policies.get(keys.get(record), self.env["crm.value.service.policy"])
            record.service_policy_id = policy
            record.service_terms = "\n".join(policy._terms()) or False
