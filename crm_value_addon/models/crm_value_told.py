from odoo import api, fields, models

from ..categories import category_names
from ..customer_texts import next_action_text
from ..labels import GROUP_VIEWER
from ..reason_texts import reason_text
from ..reasons import categories_of, figures_of, main_reason

TOLD_COLUMNS = [
    "reasons",
    "currency_id",
    "anomaly",
    "attitude",
    "effective_churn_risk",
    "effective_lifecycle_stage",
    "effective_value_class",
    "effective_value_segment",
]


class CrmValueTold(models.AbstractModel):
    """A record that tells of its customer, in a sentence each, why it is what it is and what to do next."""

    _name = "crm.value.told"
    _inherit = ["crm.value.mixin"]
    _description = "Customer Value of a Record's Customer, in Words"

    value_reason = fields.Text(
        string="Why",
        compute="_compute_value_told",
        groups=GROUP_VIEWER,
        help="The strongest of the reasons that the page of the customer tells.",
    )
    value_next_action = fields.Text(
        string="Next Action",
        compute="_compute_value_told",
        groups=GROUP_VIEWER,
        help="What to do next with a customer of this stage and class.",
    )

    # As often as the labels: a model says there on what its customer depends.
    @api.depends("value_segment")
    @api.depends_context("company", "allowed_company_ids", "lang", "uid")
    def _compute_value_told(self):
        profiles = list(self._profiles_of_records(TOLD_COLUMNS))
        reasons = {
            record: main_reason(
                self.env,
                profile["reasons"],
                at_risk=profile["effective_value_segment"] == "key_at_risk"
                or profile["effective_churn_risk"] == "high",
            )
            for record, profile in profiles
            if profile
        }
        categories = category_names(self.env, categories_of(filter(None, reasons.values())))
        for record, profile in profiles:
            reason = reasons.get(record)
            record.value_reason = self._reason_text(profile, reason, categories) if reason else False
            record.value_next_action = self._next_action_text(profile) if profile else False

    def _reason_text(self, profile, reason, categories):
        currency = self.env["res.currency"].browse(profile["currency_id"])
        return reason_text(self.env, reason["code"], figures_of(self.env, reason, currency, categories))

    def _next_action_text(self, profile):
        return next_action_text(
            self.env,
            profile["effective_lifecycle_stage"],
            profile["effective_value_class"],
            anomaly=profile["anomaly"],
            attitude=profile["attitude"],
        )

    def action_open_value_customer(self):
        """The customer whose value it is, as far as the reader may see it."""
        self.ensure_one()
        self.check_access("read")
        self._check_field_access(self._fields["value_segment"], "read")
        customer = self._profile_customer()
        customer.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.partner",
            "res_id": customer.id,
            "views": [[False, "form"]],
        }
