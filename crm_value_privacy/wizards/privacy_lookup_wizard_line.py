from odoo import models
from odoo.exceptions import UserError

OBJECTION = "crm.value.objection"
# What a run computes anew: erased for good only with an objection.
COMPUTED = ("crm.value.profile", "crm.value.staging", "crm.value.preview")


class PrivacyLookupWizardLine(models.TransientModel):
    """Erasing what is kept of a customer.

    A profile is erased by an objection to profiling: else the next run would make it again from the orders. What
    is past (history, overrides, figures of former runs) is just erased. The objection itself stays, since nothing
    else keeps the customer out; it goes with the contact.
    """

    _inherit = "privacy.lookup.wizard.line"

    def action_unlink(self):
        self.ensure_one()
        if self.is_unlinked or not (self.res_model or "").startswith("crm.value."):
            return super().action_unlink()
        if self.res_model == OBJECTION:
            raise UserError(
                self.env._(
                    "The objection stays: without it, the customer would be scored again. Delete the contact, or"
                    " withdraw the objection under Customer Value, Configuration, Objections."
                )
            )
        record = self.env[self.res_model].sudo().browse(self.res_id).exists()
        customer = (
            self.env["res.partner"].sudo().browse(record.partner_id and int(record.partner_id)).exists()
        )
        if self.res_model in COMPUTED and customer and customer.commercial_partner_id == customer:
            self._object(customer)
        else:
            self._erase(record)

    def action_unlink_all(self):
        # By Odoo's button for several lines: the rest is still to be deleted.
        return super(
            PrivacyLookupWizardLine, self.filtered(lambda line: line.res_model != OBJECTION)
        ).action_unlink_all()

    def _object(self, customer):
        """Record the objection of a customer, which erases all that is kept, this line and others among it."""
        objections = self.env[OBJECTION].sudo()
        known = objections.search([("partner_id", "=", customer.id)])
        if known:
            known._erase()
        else:
            objections.create(
                {
                    "partner_id": customer.id,
                    "user_id": self.env.uid,
                    "ground": self.env._("Erased by the privacy lookup"),
                }
            )
        self.execution_details = self.env._(
            "Deleted %(model)s #%(id)s and recorded the objection to profiling",
            model=self.res_model_id.name,
            id=self.res_id,
        )
        self.is_unlinked = True
        for line in self.wizard_id.line_ids - self:
            ours = (line.res_model or "").startswith("crm.value.") and not line.is_unlinked
            if ours and not self.env[line.res_model].sudo().browse(line.res_id).exists():
                line._note_deleted()

    def _erase(self, record):
        if isinstance(record, self.env.registry["crm.value.protected"]):
            record = record._with_pen()
        record.unlink()
        self._note_deleted()

    def _note_deleted(self):
        self.execution_details = self.env._(
            "Deleted %(model)s #%(id)s", model=self.res_model_id.name, id=self.res_id
        )
        self.is_unlinked = True
