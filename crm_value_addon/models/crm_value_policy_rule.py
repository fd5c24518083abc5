from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..policy_schema import POLICY_SCHEMA
from ..policy_texts import policy_label, policy_meaning, policy_unit


class CrmValuePolicyRule(models.Model):
    """A value that differs from what would be in force without this row."""

    _name = "crm.value.policy.rule"
    _description = "Customer Value Policy Rule"
    _order = "key, format_id"
    _rec_name = "key"

    version_id = fields.Many2one("crm.value.policy.version", required=True, index=True, ondelete="cascade")
    key = fields.Selection(selection="_selection_key", string="Rule", required=True)
    format_id = fields.Many2one(
        "crm.value.format",
        string="Business Format",
        ondelete="restrict",
        help="Empty: the whole company, but for the formats with a rule of their own.",
    )
    value = fields.Char(required=True)
    unit = fields.Char(compute="_compute_schema")
    default_value = fields.Char(string="Default", compute="_compute_schema")
    bounds = fields.Char(compute="_compute_schema")
    meaning = fields.Text(compute="_compute_schema")

    _once = models.UniqueIndex(
        "(version_id, key, COALESCE(format_id, 0))", "Each rule is given once per business format."
    )

    @api.model
    def _selection_key(self):
        return [(key, policy_label(self.env, key)) for key in POLICY_SCHEMA]

    @api.depends("key")
    @api.depends_context("lang")
    def _compute_schema(self):
        for rule in self:
            spec = POLICY_SCHEMA.get(rule.key)
            rule.unit = spec and policy_unit(self.env, rule.key)
            rule.default_value = spec and f"{spec['default']:g}"
            rule.bounds = spec and f"{spec['minimum']:g} - {spec['maximum']:g}"
            rule.meaning = spec and policy_meaning(self.env, rule.key)

    def _typed_value(self):
        """The value as a number.

        :raise ValueError: when the text is not a number of the key's type
        """
        return int(self.value) if POLICY_SCHEMA[self.key]["type"] == "integer" else float(self.value)

    def _holds(self, number):
        """Whether the value is this number; text that is none, while it is being typed, is not."""
        try:
            return self._typed_value() == number
        except ValueError:
            return False

    @api.constrains("key", "format_id")
    def _check_scope(self):
        for rule in self:
            spec = POLICY_SCHEMA[rule.key]
            if rule.format_id and spec.get("scope") == "company":
                raise ValidationError(
                    self.env._(
                        "“%(label)s” is one for the whole company: take “%(format)s” off the rule.",
                        label=policy_label(self.env, rule.key),
                        format=rule.format_id.name,
                    )
                )

    @api.constrains("key", "value")
    def _check_value(self):
        for rule in self:
            spec = POLICY_SCHEMA[rule.key]
            try:
                number = rule._typed_value()
            except ValueError:
                number = None
            if number is None or not spec["minimum"] <= number <= spec["maximum"]:
                raise ValidationError(
                    self.env._(
                        "“%(label)s” takes a number from %(minimum)s to %(maximum)s (%(unit)s), not “%(value)s”.",
                        label=policy_label(self.env, rule.key),
                        minimum=f"{spec['minimum']:g}",
                        maximum=f"{spec['maximum']:g}",
                        unit=policy_unit(self.env, rule.key),
                        value=rule.value,
                    )
                )

    def _check_draft(self):
        self.version_id._check_editor()
        if any(rule.version_id.state != "draft" for rule in self):
            raise UserError(
                self.env._(
                    "A policy version that was active does not change; duplicate it and edit the copy."
                )
            )

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create(vals_list)
        rules._check_draft()
        return rules

    def write(self, vals):
        self._check_draft()
        result = super().write(vals)
        self._check_draft()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_only_drafts(self):
        self._check_draft()
