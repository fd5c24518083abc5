from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ..labels import LABELS
from .crm_value_override_report import FARED, HAPPENED, PROVED, label_sql


class CrmValueOverride(models.Model):
    """A person's word beside the engine's; kept, so that a report can say how overrides fared."""

    _name = "crm.value.override"
    _inherit = ["crm.value.labelled"]
    _description = "Customer Value Override"
    _order = "id desc"
    _rec_name = "label"

    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        index=True,
        ondelete="cascade",
        domain=["|", ("is_company", "=", True), ("parent_id", "=", False)],
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company.root_id, ondelete="cascade"
    )
    reason = fields.Char(required=True)
    user_id = fields.Many2one(
        "res.users", string="Overridden by", readonly=True, default=lambda self: self.env.user
    )
    date_from = fields.Date(
        string="Valid from", required=True, default=lambda self: self.env.company.root_id._crm_value_today()
    )
    date_until = fields.Date(
        string="Until", required=True, help="The engine has its say again after this day."
    )
    ended_at = fields.Datetime(readonly=True, copy=False)
    computed_then = fields.Char(
        readonly=True, copy=False, help="What the engine said when the override was made."
    )
    computed_later = fields.Char(
        string="Computed Now",
        compute="_compute_fared",
        help="What the engine says now, or said at the end of an override that ended.",
    )
    fared = fields.Selection(
        FARED, compute="_compute_fared", help="Whether the engine came to agree with the person."
    )
    happened = fields.Selection(HAPPENED, string="Since Then", compute="_compute_fared")
    proved = fields.Selection(PROVED, string="What Happened Says", compute="_compute_fared")

    _one_in_force = models.UniqueIndex(
        "(partner_id, company_id, label) WHERE ended_at IS NULL",
        "This label of this customer is overridden already; end that override first.",
    )

    @api.depends("label", "value", "computed_then", "date_from", "date_until", "ended_at", "partner_id")
    def _compute_fared(self):
        told = self.env["crm.value.override.report"].sudo().browse(self.ids)
        rows = {row.id: row for row in told.exists()}
        for override in self:
            row = rows.get(override.id)
            for name in ("computed_later", "fared", "happened", "proved"):
                override[name] = row and row[name]

    @api.onchange("label")
    def _onchange_label(self):
        if self.value not in self._known_values(self.label):
            self.value = False

    @api.model
    def _known_values(self, label):
        """Values of a label that this version knows; an override may have outlived its value."""
        return [value for value, _name in LABELS.get(label, ())]

    @api.constrains("label", "value", "date_from", "date_until", "partner_id", "company_id")
    def _check_override(self):
        for override in self:
            allowed = self._known_values(override.label)
            if override.value not in allowed:
                raise ValidationError(
                    self.env._(
                        "“%(value)s” is not one of: %(allowed)s.",
                        value=override.value,
                        allowed=", ".join(allowed),
                    )
                )
            if not override.ended_at and override.date_until < override.company_id._crm_value_today():
                raise ValidationError(
                    self.env._(
                        "The last day, %s, is over already: give a day from today on.",
                        format_date(self.env, override.date_until),
                    )
                )
            if override.date_until < override.date_from:
                raise ValidationError(self.env._("An override cannot end before it begins."))
            if override.partner_id.commercial_partner_id != override.partner_id:
                raise ValidationError(self.env._("Override the company of this contact, not the contact."))
            if override.company_id.parent_id:
                raise ValidationError(self.env._("Scores belong to a main company; its branches follow it."))
            if (
                self.env["crm.value.objection"]
                .sudo()
                .search_count([("partner_id", "=", override.partner_id.id)])
            ):
                raise ValidationError(
                    self.env._("This customer objected to profiling, so nothing is kept about it.")
                )

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            own = {"user_id": self.env.uid, "ended_at": False, "computed_then": False}
            vals_list = [{**vals, **own} for vals in vals_list]
        overrides = super().create(vals_list)
        overrides._note_computed()
        overrides._apply()
        return overrides

    def write(self, vals):
        if not self.env.su and set(vals) - {"reason", "date_until"}:
            raise AccessError(
                self.env._("Only reason and end of an override can change; end it and make another.")
            )
        result = super().write(vals)
        self._apply()
        return result

    def unlink(self):
        keys = [(override.company_id, override.partner_id) for override in self]
        result = super().unlink()
        for company, partner in keys:
            self._refresh_effective(company, partner)
        return result

    def action_end(self):
        """Give the label back to the engine."""
        self.check_access("write")
        self.sudo().write({"ended_at": fields.Datetime.now()})

    @api.model
    def _cron_expire(self):
        """End the overrides that are past their last day, and begin those whose first day has come.

        One whose value this version of the addon does not know any more ends too.
        """
        pending = self.search([("ended_at", "=", False)])
        for company, overrides in pending.grouped("company_id").items():
            today = company._crm_value_today()
            overrides.filtered(
                lambda o, today=today: o.date_until < today or o.value not in self._known_values(o.label)
            ).ended_at = fields.Datetime.now()
        pending._apply()

    def _note_computed(self):
        """Keep what the engine says now, to be compared with what it says later."""
        if not self:
            return
        self.flush_recordset()
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_value_override override SET computed_then = %s FROM crm_value_profile profile
                 WHERE override.id IN %s AND profile.partner_id = override.partner_id
                   AND profile.company_id = override.company_id
                """,
                label_sql("profile", "computed_"),
                tuple(self.ids),
            )
        )
        self.invalidate_recordset(["computed_then"])

    def _apply(self):
        for company in self.company_id:
            self._refresh_effective(company, self.filtered(lambda o, c=company: o.company_id == c).partner_id)

    @api.model
    def _refresh_effective(self, company, partners):
        """Let the effective labels of some customers follow overrides in force, else the computed ones."""
        if not partners:
            return
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_value_profile profile SET %(assignments)s
                  FROM crm_value_profile target
                  LEFT JOIN %(in_force)s override ON override.partner_id = target.partner_id
                 WHERE profile.id = target.id
                   AND target.company_id = %(company)s AND target.partner_id IN %(partners)s
                """,
                assignments=SQL(", ").join(
                    SQL(
                        "%s = COALESCE(override.%s, target.%s)",
                        SQL.identifier(f"effective_{label}"),
                        SQL.identifier(label),
                        SQL.identifier(f"computed_{label}"),
                    )
                    for label in LABELS
                ),
                in_force=self._in_force_sql(company),
                company=company.id,
                partners=tuple(partners.ids),
            )
        )
        self.env["crm.value.service.policy"]._refresh_contact_due(company, partners)

    @api.model
    def _held_sql(self, companies, day):
        """Overrides that held at the end of a day: rows of partner_id, company_id, label and value.

        One made later does not hold before it was made, whatever its first day: what people saw then counts.
        """
        return SQL(
            """
            SELECT DISTINCT ON (override.partner_id, override.company_id, override.label)
                   override.partner_id, override.company_id, override.label, override.value
              FROM crm_value_override override
              JOIN (VALUES %(ends)s) AS day (company_id, end_at) ON day.company_id = override.company_id
             WHERE %(day)s BETWEEN override.date_from AND override.date_until
               AND override.create_date < day.end_at
               AND (override.ended_at IS NULL OR override.ended_at >= day.end_at)
             ORDER BY override.partner_id, override.company_id, override.label, override.id DESC
            """,
            ends=SQL(", ").join(
                SQL("(%s, %s::timestamp)", company.id, company._crm_value_end_of(day))
                for company in companies
            ),
            day=day,
        )

    @api.model
    def _held_labels_sql(self, labels, companies, day):
        """Overrides that held at the end of a day: a row per customer and company, with a column for each label."""
        return SQL(
            "SELECT partner_id, company_id, %s FROM (%s) override GROUP BY partner_id, company_id",
            SQL(", ").join(
                SQL("max(value) FILTER (WHERE label = %s) AS %s", label, SQL.identifier(label))
                for label in labels
            ),
            self._held_sql(companies, day),
        )

    @api.model
    def _in_force_sql(self, company):
        """One row per customer with an override in force, one column per label."""
        return SQL(
            """(SELECT partner_id, %s FROM crm_value_override
                 WHERE company_id = %s AND ended_at IS NULL
                   AND %s BETWEEN date_from AND date_until
                 GROUP BY partner_id)""",
            SQL(", ").join(
                SQL(
                    "max(value) FILTER (WHERE label = %s AND value IN %s) AS %s",
                    label,
                    tuple(self._known_values(label)),
                    SQL.identifier(label),
                )
                for label in LABELS
            ),
            company.id,
            company._crm_value_today(),
        )
