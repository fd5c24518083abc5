from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command

from ..policy_schema import POLICY_SCHEMA
from ..policy_texts import policy_label

# Set by this addon only.
ACTIVATED_FIELDS = {"number", "state", "activated_at", "activated_by_id", "user_id"}


class CrmValuePolicyVersion(models.Model):
    """One immutable set of rules; a draft is a version too, so that a preview needs no second path."""

    _name = "crm.value.policy.version"
    _inherit = ["crm.value.companywide"]
    _description = "Customer Value Policy"
    _order = "company_id, number desc"
    _rec_name = "display_name"

    company_id = fields.Many2one(index=True)
    number = fields.Integer(
        string="Version", readonly=True, copy=False, help="Counts the versions of a company."
    )
    state = fields.Selection(
        [("draft", "Draft"), ("active", "Active"), ("superseded", "Superseded")],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
    )
    note = fields.Char(copy=False, help="What this version changes, and why.")
    user_id = fields.Many2one(
        "res.users",
        string="Drafted by",
        default=lambda self: self.env.user,
        readonly=True,
        copy=False,
        help="Who may edit the draft: two people who edit one draft would undo each other's changes.",
    )
    activated_at = fields.Datetime(readonly=True, copy=False)
    activated_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    rule_ids = fields.One2many("crm.value.policy.rule", "version_id", string="Rules", copy=True)
    sales_basis = fields.Selection(
        [("orders", "Confirmed orders"), ("invoices", "Posted invoices")],
        string="Sales",
        compute="_compute_sales_basis",
        help="What sales are counted from; a rule of the policy says so.",
    )

    _number_unique = models.Constraint(
        "UNIQUE(company_id, number)", "A policy version with this number exists already."
    )
    _active_unique = models.UniqueIndex(
        "(company_id) WHERE state = 'active'", "A company has one active policy at a time."
    )

    @api.depends("number", "state")
    def _compute_display_name(self):
        for version in self:
            version.display_name = self.env._("Policy version %s", version.number or "")

    @api.depends("rule_ids.key", "rule_ids.value")
    def _compute_sales_basis(self):
        for version in self:
            rules = version.rule_ids.filtered(lambda rule: rule.key == "sales_basis" and not rule.format_id)
            version.sales_basis = "invoices" if any(rule._holds(1) for rule in rules) else "orders"

    @api.model
    def default_get(self, fields):
        """A person's new version begins with the rules in force, which it would drop otherwise."""
        values = super().default_get(fields)
        if self.env.context.get("policy_from_active") and "rule_ids" in fields:
            company = self.env["res.company"].browse(values.get("company_id"))
            active = self.search([("company_id", "=", company.id), ("state", "=", "active")])
            values["rule_ids"] = [
                Command.create({"key": rule.key, "format_id": rule.format_id.id, "value": rule.value})
                for rule in active.rule_ids
            ]
        return values

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            vals_list = [
                {key: vals[key] for key in vals if key not in ACTIVATED_FIELDS} for vals in vals_list
            ]
        versions = super().create(vals_list)
        for version in versions:
            numbered = [("company_id", "=", version.company_id.id), ("number", ">", 0)]
            last = self.sudo().search(numbered, order="number desc", limit=1)
            version.sudo().number = last.number + 1
        return versions

    def write(self, vals):
        if not self.env.su and any(version.state != "draft" for version in self):
            raise UserError(
                self.env._(
                    "A policy version that was active does not change; duplicate it and edit the copy."
                )
            )
        if not self.env.su and ACTIVATED_FIELDS & set(vals):
            raise UserError(self.env._("A policy version is numbered and activated by its button only."))
        self._check_editor()
        return super().write(vals)

    def _check_editor(self):
        """Let only one person at a time edit a draft, so that nobody's changes are lost unseen."""
        self.check_access("write")
        for version in self:
            if not self.env.su and version.user_id and version.user_id != self.env.user:
                raise UserError(
                    self.env._(
                        "%(version)s is being drafted by %(name)s. Take it over, or duplicate it and edit the copy.",
                        version=version.display_name,
                        name=version.user_id.sudo().name,
                    )
                )

    def action_take_over(self):
        """Go on with a draft that another person began."""
        self.check_access("write")
        if any(version.state != "draft" for version in self):
            raise UserError(self.env._("Only a draft can be taken over."))
        self.sudo().user_id = self.env.user

    @api.ondelete(at_uninstall=False)
    def _unlink_only_drafts(self):
        if any(version.state != "draft" for version in self):
            raise UserError(self.env._("Scores refer to this policy version; only drafts can be deleted."))
        self._check_editor()
        previews = [("kind", "=", "preview"), ("policy_version_id", "in", self.ids)]
        self.env["crm.value.run"].sudo().search(previews).unlink()

    def action_activate(self):
        """Make a draft the policy of its company from the next run on."""
        self.ensure_one()
        self.check_access("write")
        if self.state != "draft":
            raise UserError(self.env._("Only a draft can be activated."))
        self._check_rules_fit()
        self.sudo()._activate(self.env.user)

    def _activate(self, user):
        current = self.search([("company_id", "=", self.company_id.id), ("state", "=", "active")])
        current.write({"state": "superseded"})
        current.flush_recordset()
        self.write({"state": "active", "activated_at": fields.Datetime.now(), "activated_by_id": user.id})

    def _check_rules_fit(self):
        """Refuse thresholds out of order, as the worker would, before they are active, and what has no data here."""
        if self.sales_basis == "invoices":
            self.env["crm.value.sync"]._check_invoices_installed()
        formats = self.rule_ids.format_id
        for business_format in [self.env["crm.value.format"], *formats]:
            value = self._values(business_format)
            for lower, upper in (
                ("risk_medium_from", "risk_high_from"),
                ("dormant_factor", "lost_factor"),
                ("dormant_days", "lost_days"),
                ("approval_order_days", "preference_order_days"),
                ("preference_order_days", "loyalty_order_days"),
                ("unsatisfied_below", "satisfied_from"),
            ):
                if value[lower] >= value[upper]:
                    raise ValidationError(
                        self.env._(
                            "“%(lower)s” (%(low)s) must be below “%(upper)s” (%(high)s).",
                            lower=policy_label(self.env, lower),
                            low=value[lower],
                            upper=policy_label(self.env, upper),
                            high=value[upper],
                        )
                    )
            if not any(value[key] for key in value if key.startswith("weight_")):
                raise ValidationError(
                    self.env._("At least one weight of the value index must be above zero.")
                )
            if not any(value[key] for key in value if key.startswith("rating_weight_")):
                raise ValidationError(
                    self.env._("At least one weight of the composite rating must be above zero.")
                )
            if value["key_rule"] == 1 and not value["key_value_minimum"]:
                raise ValidationError(
                    self.env._(
                        "“%(label)s” must be above zero where key customers are taken by value.",
                        label=policy_label(self.env, "key_value_minimum"),
                    )
                )

    def _values(self, business_format):
        """All values in force for a business format: its own, else the company's, else the default."""
        values = {key: spec["default"] for key, spec in POLICY_SCHEMA.items()}
        for owner in (self.env["crm.value.format"], business_format):
            for rule in self.rule_ids.filtered(lambda rule, owner=owner: rule.format_id == owner):
                values[rule.key] = rule._typed_value()
        return values

    @api.model
    def _find_active(self, company):
        """The active policy of a root company; empty while it has none, when the defaults hold."""
        return self.sudo().search([("company_id", "=", company.id), ("state", "=", "active")], limit=1)

    @api.model
    def _get_active(self, company):
        """The active policy of a root company; the first one is made of defaults."""
        version = self._find_active(company)
        if not version:
            version = self.sudo().create({"company_id": company.id, "note": self.env._("Defaults")})
            version._activate(self.env.user)
        return version

    @api.model
    def _in_force(self, company):
        """All values in force for a root company as a whole; the defaults while it has no policy."""
        return self._find_active(company)._values(self.env["crm.value.format"])

    def _export_rules(self):
        return [
            {"key": rule.key, "format_id": rule.format_id.id or None, "value": rule._typed_value()}
            for rule in self.rule_ids
        ]
