from odoo import models


class MailActivity(models.Model):
    _inherit = "mail.activity"

    def _action_done(self, feedback=False, attachment_ids=None):
        """Count what was done for a customer as a contact at once, and know what it leaves in the chatter."""
        contacted = self._customers_by_company()
        messages, following = self.env["mail.message"], self.env["mail.activity"]
        opened = self._opened_by()
        # Each of ours by itself: only so it is known which message tells of it.
        for part in [self.filtered(lambda each: each not in opened), *opened]:
            if part:
                posted, scheduled = super(MailActivity, part)._action_done(
                    feedback=feedback, attachment_ids=attachment_ids
                )
                messages, following = messages | posted, following | scheduled
                if part in opened:
                    opened[part]._keep({"message_id": posted.id})
        for company, customers in contacted:
            self.env["crm.value.profile"]._note_contact(company, customers)
        return messages, following

    def _opened_by(self):
        """``{activity: row of ours that opened it}``."""
        names = self.env.registry.descendants(["crm.value.acting"], "_inherit")
        models = [self.env[name].sudo() for name in names if not self.env[name]._abstract]
        return {
            row.activity_id.with_env(self.env): row
            for model in models
            for row in model.search([("activity_id", "in", self.ids)])
        }

    def _customers_by_company(self):
        """``[(root company, customers)]`` that the activities are contacts of, of those that are scored."""
        profiles, sync = self.env["crm.value.profile"].sudo(), self.env["crm.value.sync"].sudo()
        customers = self._customers()
        companies = profiles.search([("partner_id", "in", customers.ids)]).company_id if customers else ()
        return [(company, sync._contacted(company, self)) for company in companies]

    def _customers(self):
        """The customers whose records the activities are about, whoever may see them."""
        customers = self.env["res.partner"].sudo()
        for model in ("res.partner", "sale.order", "crm.lead", "crm.value.case"):
            ids = self.filtered(lambda each, model=model: each.res_model == model).mapped("res_id")
            records = self.env[model].sudo().browse(ids).exists()
            customers |= (records if model == "res.partner" else records.partner_id).commercial_partner_id
        return customers
