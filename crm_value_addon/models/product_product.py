from odoo import models
from odoo.exceptions import AccessError


class ProductTemplate(models.Model):
    _inherit = "product.template"

    def action_open_likely_customers(self):
        """The customers to whom a run recommends the category of the product."""
        self.ensure_one()
        self.check_access("read")
        return _likely_customers(self)


class ProductProduct(models.Model):
    _inherit = "product.product"

    def action_open_likely_customers(self):
        """The customers to whom a run recommends the category of the product."""
        self.ensure_one()
        self.check_access("read")
        return _likely_customers(self)


def _likely_customers(product):
    if not product.env.user.has_group("crm_value_addon.group_viewer"):
        raise AccessError(
            product.env._("Only users of customer values can see who is likely to want a product.")
        )
    action = product.env["ir.actions.act_window"]._for_xml_id("crm_value_addon.crm_value_profile_action")
    return {
        **action,
        "display_name": product.env._("Likely to Want %s", product.categ_id.name or ""),
        "domain": [("recommended_category_ids", "in", product.categ_id.ids)],
        "context": {},
    }
