from odoo import api, fields, models

from ..labels import LABEL_NAMES, LABELS


class CrmValueLabelled(models.AbstractModel):
    """A record about one value of one label: the label decides which values there are."""

    _name = "crm.value.labelled"
    _description = "A Value of a Label"

    label = fields.Selection(LABEL_NAMES, required=True)
    value = fields.Char(required=True)
    value_options = fields.Json(
        compute="_compute_value_options", help="Values of the label with their names, to choose from."
    )

    @api.depends("label")
    @api.depends_context("lang")
    def _compute_value_options(self):
        profiles = self.env["crm.value.profile"]
        for label, records in self.grouped("label").items():
            options = []
            if label in LABELS:
                options = profiles._fields[f"computed_{label}"]._description_selection(self.env)
            records.value_options = [list(option) for option in options]
