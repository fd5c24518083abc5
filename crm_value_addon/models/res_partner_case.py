from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..labels import GROUP_USER, GROUP_VIEWER


class ResPartner(models.Model):
    """What went wrong for a customer, at hand on its page."""

    _inherit = "res.partner"

    value_case_count = fields.Integer(
        string="Service Cases",
        compute="_compute_value_case_count",
        groups=GROUP_VIEWER,
        help="Service cases of the customer, in the current company.",
    )
    value_case_open_count = fields.Integer(
        string="Open Service Cases", compute="_compute_value_case_count", groups=GROUP_VIEWER
    )

    @api.depends("commercial_partner_id")
    @api.depends_context("company")
    def _compute_value_case_count(self):
        customers = self.commercial_partner_id._origin
        counts = {}
        groups = (
            self.env["crm.value.case"]
            .sudo()
            ._read_group(
                [("partner_id", "in", customers.ids), ("company_id", "=", self.env.company.root_id.id)],
                ["partner_id", "state"],
                ["__count"],
            )
        )
        for customer, state, count in groups:
            counts.setdefault(customer.id, {})[state] = count
        for partner in self:
            by_state = counts.get(partner.commercial_partner_id._origin.id, {})
            partner.value_case_count = sum(by_state.values())
            partner.value_case_open_count = by_state.get("new", 0) + by_state.get("working", 0)

    @api.ondelete(at_uninstall=False)
    def _unlink_value_cases(self):
        """The database would delete the cases, and leave their messages and files."""
        self.env["crm.value.case"].sudo().search([("partner_id", "in", self.ids)]).unlink()

    def action_open_value_cases(self):
        """The service cases of the customer in the current company."""
        self.ensure_one()
        self._check_value_access()
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_value_addon.crm_value_case_action")
        customer = self.commercial_partner_id
        return {
            **action,
            "domain": [
                ("partner_id", "=", customer.id),
                ("company_id", "=", self.env.company.root_id.id),
            ],
            "context": {"default_partner_id": customer.id},
        }

    def action_new_value_complaint(self):
        """A new case about a complaint of the customer, to be filled in.

        :raise AccessError: for who may open no cases
        :raise UserError: when the customer objected to profiling
        """
        self.ensure_one()
        self._check_value_access()
        if not self.env.user.has_group(GROUP_USER):
            raise AccessError(self.env._("Only users of customer value open service cases."))
        customer = self.commercial_partner_id
        if self.env["crm.value.objection"].sudo().search_count([("partner_id", "=", customer.id)]):
            raise UserError(self.env._("This customer objected to profiling, so nothing is kept about it."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Complaint"),
            "res_model": "crm.value.case",
            "views": [[self.env.ref("crm_value_addon.crm_value_case_view_form_complaint").id, "form"]],
            "target": "new",
            "context": {
                "default_partner_id": customer.id,
                "default_company_id": self.env.company.root_id.id,
                "default_kind": "complaint",
            },
        }
