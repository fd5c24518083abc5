from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools.misc import format_date

from ..label_texts import label_text, policy_figures
from ..labels import GROUP_USER, GROUP_VIEWER, LABELS
from ..policy_schema import POLICY_SCHEMA
from ..policy_texts import policy_label, policy_meaning, policy_unit

SELECTIONS = {**{label: f"effective_{label}" for label in LABELS}, "satisfaction": "satisfaction"}


class CrmValueRules(models.AbstractModel):
    """How everything is computed, in words and with the thresholds of the policy in force."""

    _name = "crm.value.rules"
    _description = "How Customer Value Is Computed"

    @api.model
    def read_rules(self, format_id=None):
        """What each label means, and the policy of the current company.

        :param int format_id: a business format whose own thresholds are told
        :return: ``{"company", "policy": {"number", "since"}, "formats", "labels": [{"label", "title", "values":
            [{"name", "meaning"}]}], "rules": [{"key", "name", "value", "unit", "meaning", "own"}]}``; the policy is
            None while the defaults hold, rules are for those who see amounts
        :raise AccessError: for whom may see no label
        :raise UserError: when there is no such format
        """
        if not self.env.user.has_group(GROUP_VIEWER):
            raise AccessError(self.env._("This is for people who see customer values."))
        company = self.env.company.root_id
        formats = self.env["crm.value.format"].search([("code", "!=", False)])
        chosen = formats.filtered(lambda each: each.id == format_id)
        if format_id and not chosen:
            raise UserError(self.env._("There is no such business format."))
        version = self.env["crm.value.policy.version"]._find_active(company)
        values = version._values(chosen)
        figures = policy_figures(self.env, values, company.sudo().currency_id)
        return {
            "company": company.name,
            "policy": {"number": version.number, "since": format_date(self.env, version.activated_at)}
            if version
            else None,
            "formats": [{"id": each.id, "name": each.name} for each in formats],
            "labels": self._labels(values, figures),
            "rules": self._rules(values, figures) if self.env.user.has_group(GROUP_USER) else [],
        }

    def _labels(self, values, figures):
        names = self.env["crm.value.profile"].fields_get(list(SELECTIONS.values()), ["selection", "string"])
        return [
            {
                "label": label,
                "title": names[field]["string"],
                "values": [
                    {"name": name, "meaning": label_text(self.env, label, value, values, figures)}
                    for value, name in names[field]["selection"]
                ],
            }
            for label, field in SELECTIONS.items()
        ]

    def _rules(self, values, figures):
        return [
            {
                "key": key,
                "name": policy_label(self.env, key),
                "value": figures[key],
                "unit": policy_unit(self.env, key),
                "meaning": policy_meaning(self.env, key),
                "own": values[key] != spec["default"],
            }
            for key, spec in POLICY_SCHEMA.items()
        ]
