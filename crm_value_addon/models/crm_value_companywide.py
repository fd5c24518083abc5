from odoo import api, fields, models
from odoo.exceptions import ValidationError


class CrmValueCompanywide(models.AbstractModel):
    """A record of a company as a whole, branches included, and of a customer as a whole where it names one."""

    _name = "crm.value.companywide"
    _description = "Record of a Company as a Whole"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company.root_id,
        domain=[("parent_id", "=", False)],
        ondelete="cascade",
    )

    @api.constrains("company_id")
    def _check_root(self):
        if self.company_id.filtered("parent_id"):
            raise ValidationError(
                self.env._("Customers are scored by the company as a whole, not by branch.")
            )

    @api.constrains(lambda self: ["partner_id", "company_id"] if "partner_id" in self._fields else [])
    def _check_partner(self):
        customers = self.partner_id.sudo()
        if customers != customers.commercial_partner_id:
            raise ValidationError(
                self.env._("Choose the company of this contact: a customer is scored as a whole.")
            )
        for record in self:
            company = record.partner_id.sudo().company_id
            if company and company.root_id != record.company_id:
                raise ValidationError(self.env._("This customer is another company's."))

    def write(self, vals):
        result = super().write(vals)
        if "company_id" in vals:
            # Odoo asks whether somebody may write what a record was, and not what it has become.
            self.check_access("write")
        return result
