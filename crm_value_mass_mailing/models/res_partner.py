from odoo import models
from odoo.exceptions import UserError


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _put_on_mailing_list(self):
        """The dialog that puts addresses on mailing lists, filled with these partners.

        :raise UserError: when none of them has an e-mail address
        """
        addressed = self.filtered("email_normalized")
        if not addressed:
            raise UserError(self.env._("None of them has an e-mail address."))
        action = self.env["ir.actions.act_window"]._for_xml_id("mass_mailing.mailing_contact_import_action")
        return {
            **action,
            "name": self.env._("Add to mailing list"),
            "context": {"default_contact_list": "\n".join(addressed.mapped("email_formatted"))},
        }
