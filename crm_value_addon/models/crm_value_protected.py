from odoo import api, models
from odoo.exceptions import AccessError

# An object cannot travel over RPC, so only code of this addon can hold the pen.
_PEN = object()


class CrmValueProtected(models.AbstractModel):
    """Rows that only this addon's own code writes; a forged score is worse than none."""

    _name = "crm.value.protected"
    _description = "Rows written by the customer value engine only"

    def _with_pen(self):
        return self.with_context(crm_value_pen=_PEN).sudo()

    def _check_pen(self):
        if self.env.context.get("crm_value_pen") is not _PEN:
            raise AccessError(
                self.env._(
                    "%s is written by scoring runs only; use an override to state your own view.",
                    self._description,
                )
            )

    @api.model_create_multi
    def create(self, vals_list):
        self._check_pen()
        return super().create(vals_list)

    def write(self, vals):
        self._check_pen()
        return super().write(vals)

    def unlink(self):
        self._check_pen()
        return super().unlink()
