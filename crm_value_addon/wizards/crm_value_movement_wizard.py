from odoo import api, fields, models
from odoo.exceptions import UserError

from ..labels import LABEL_NAMES


class CrmValueMovementWizard(models.TransientModel):
    """Between which two days, and by which label, to look at how customers moved."""

    _name = "crm.value.movement.wizard"
    _description = "Customer Movement Between Two Days"

    label = fields.Selection(LABEL_NAMES, required=True, default="value_class")
    date_from = fields.Date(string="First Day", required=True, default=lambda self: self._default_date_from())
    date_to = fields.Date(string="Last Day", required=True, default=lambda self: self._today())
    history_start = fields.Date(
        compute="_compute_history_start", help="Before this day nothing is known of anybody."
    )

    @api.model
    def _today(self):
        return self.env.company.root_id._crm_value_today()

    @api.model
    def _default_date_from(self):
        """The last month-end, or the first day there is a history of."""
        month_end = self.env["crm.value.movement"]._last_month_end(self._today())
        return max(month_end, self._history_start() or month_end)

    @api.model
    def _history_start(self):
        company = self.env.company.root_id
        first = self.env["crm.value.history"].search(
            [("company_id", "=", company.id)], order="valid_from", limit=1
        )
        # present states are kept however old they are, and would be the only ones of an earlier day
        kept = self.env["crm.value.retention"]._first_day_kept(company, "keep_history_days")
        return first.valid_from and max(first.valid_from, kept)

    @api.depends_context("company")
    def _compute_history_start(self):
        self.history_start = self._history_start()

    def action_open(self):
        """The matrix of movements between the two days."""
        self.ensure_one()
        if self.date_from >= self.date_to:
            raise UserError(self.env._("The first day has to be before the second."))
        return self.env["crm.value.movement"]._open(self.label, self.date_from, self.date_to)
