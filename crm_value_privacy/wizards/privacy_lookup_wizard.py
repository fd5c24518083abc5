from odoo import models
from odoo.tools import SQL


class PrivacyLookupWizard(models.TransientModel):
    """Odoo lists what is left when a contact is deleted; of customers it also has to list what is kept meanwhile."""

    _inherit = "privacy.lookup.wizard"

    def _get_query(self):
        query = super()._get_query()
        objections = self.env["crm.value.objection"]
        for model in (*objections._kept_models(), self.env["crm.value.staging"], objections):
            query = SQL(
                """%s
                UNION ALL
                SELECT %s AS res_model_id, id AS res_id, True AS is_active FROM %s
                 WHERE partner_id IN (SELECT id FROM indirect_references)
                """,
                query,
                self.env["ir.model"]._get_id(model._name),
                SQL.identifier(model._table),
            )
        return query
