from odoo import api, fields, models

from ..labels import LOST_TYPES

# Reasons Odoo brings along that leave no doubt, by external id and the words they must still have.
SHIPPED_REASONS = {"crm.lost_reason_1": ("Too expensive", "price_seeker")}


class CrmLostReason(models.Model):
    _inherit = "crm.lost.reason"

    crm_value_lost_type = fields.Selection(
        LOST_TYPES,
        string="Says of the Customer",
        help="Why a customer is lost when an opportunity is lost for this reason. Leave empty what says nothing.",
    )

    @api.model
    def _crm_value_map_shipped_reasons(self):
        """Give the reasons Odoo brings along their type, where nobody has renamed or mapped them."""
        for xmlid, (name, lost_type) in SHIPPED_REASONS.items():
            reason = self.env.ref(xmlid, raise_if_not_found=False)
            if reason and not reason.crm_value_lost_type and reason.with_context(lang="en_US").name == name:
                reason.crm_value_lost_type = lost_type
