from odoo import api, models


class CrmValuePictured(models.AbstractModel):
    """Findings whose form is a picture of the whole run; ``_rows_action`` lists them all."""

    _name = "crm.value.pictured"
    _description = "Pictures of a Customer Value Run"

    _rows_action = ""

    @api.model
    def _open_latest(self):
        """The picture of the last run where one company is looked at; all rows where several are, or none is told."""
        self.browse().check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(self._rows_action)
        latest = self.search([("is_latest", "=", True)])
        if len(latest.company_id) != 1:
            return action
        return {**action, "views": [(False, "form")], "view_mode": "form", "res_id": latest[0].id}
