from odoo import models
from odoo.exceptions import UserError

from ..reasons import may_open


class CrmValueNamed(models.AbstractModel):
    """A row of a run that names records behind it, which people open under their own rights."""

    _name = "crm.value.named"
    _inherit = ["crm.value.analysis"]
    _description = "Customer Value Analysis with Records"

    def _open_named(self, model, ids, title):
        """The action that lists the records, as far as the reader may see them.

        :raise UserError: when there are none
        """
        self.ensure_one()
        self.check_access("read")
        found = self.env[model].search([("id", "in", ids or [])]) if may_open(self.env, model) else None
        if not found:
            raise UserError(self.env._("The records behind this were deleted, or are not yours to see."))
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": model,
            "views": [[False, "list"], [False, "form"]],
            "domain": [["id", "in", found.ids]],
            "context": {"create": False},
        }
