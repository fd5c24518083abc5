from odoo import models


class MailActivity(models.Model):
    _inherit = "mail.activity"

    def _action_done(self, feedback=False, attachment_ids=None):
        """Count what was done for a customer as a contact at once, and not only from the next run on."""
        customers = self._customers_of_activities()
        result = super()._action_done(feedback=feedback, attachment_ids=attachment_ids)
        self.env["crm.value.profile"]._note_contact(customers)
        return result

    def _customers_of_activities(self):
        """The customers whose records the activities are about, whoever may see them."""
        customers = self.env["res.partner"].sudo()
        for model in ("res.partner", "sale.order", "crm.lead", "crm.value.case"):
            ids = self.filtered(lambda each, model=model: each.res_model == model).mapped("res_id")
            records = self.env[model].sudo().browse(ids).exists()
            customers |= (records if model == "res.partner" else records.partner_id).commercial_partner_id
        return customers
