from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..publish_columns import STAGED_TYPES
from ..reasons import REASON_SCHEMA


class CrmValueObjection(models.Model):
    """A customer who objected to profiling: nothing is kept, nothing is computed, in any company."""

    _name = "crm.value.objection"
    _description = "Objection to Profiling"
    _order = "date desc, id desc"
    _rec_name = "partner_id"

    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        ondelete="cascade",
        domain=["|", ("is_company", "=", True), ("parent_id", "=", False)],
    )
    date = fields.Date(required=True, default=fields.Date.context_today)
    user_id = fields.Many2one(
        "res.users", string="Recorded by", readonly=True, default=lambda self: self.env.user
    )
    ground = fields.Char(help="How and why the customer objected.")

    _partner_unique = models.Constraint(
        "UNIQUE(partner_id)", "This customer's objection is recorded already."
    )

    @api.constrains("partner_id")
    def _check_commercial(self):
        for objection in self:
            if objection.partner_id.commercial_partner_id != objection.partner_id:
                raise ValidationError(self.env._("Record the objection for the company of this contact."))

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            vals_list = [{**vals, "user_id": self.env.uid} for vals in vals_list]
        objections = super().create(vals_list)
        objections._erase()
        return objections

    def write(self, vals):
        result = super().write(vals)
        if "partner_id" in vals:
            self._erase()
        return result

    @api.model
    def _kept_models(self):
        """Models whose rows are about a customer, found by their field, so that none is forgotten."""
        return [
            model
            for model in (self.env[name] for name in self.env.registry if name.startswith("crm.value."))
            if model._auto and not model._abstract and not model._transient and model._name != self._name
            if not getattr(model, "_outlives_objection", False)
            if (field := model._fields.get("partner_id")) and field.store and field.type == "many2one"
        ]

    def _erase(self):
        """Erase what was kept about the objecting customers, and about contacts that were customers once."""
        if not self:
            return
        of_customers = [("commercial_partner_id", "in", self.partner_id.ids)]
        contacts = self.env["res.partner"].sudo().with_context(active_test=False).search(of_customers)
        # What is said and planned about them is not in our own tables.
        for model in ("crm.value.alert", "crm.value.winback.line", "crm.value.case"):
            self.env[model]._forget(self.partner_id | contacts)
        self.env.flush_all()
        partners = self._erased_sql()
        for model in self._kept_models():
            self.env.cr.execute(
                SQL("DELETE FROM %s WHERE partner_id IN (%s)", SQL.identifier(model._table), partners)
            )
        # A run under way counts its rows when it closes: they stay, emptied.
        self.env.cr.execute(
            SQL(
                "UPDATE crm_value_staging SET status = 'objecting', %s WHERE partner_id IN (%s)",
                SQL(", ").join(
                    SQL("%s = NULL", SQL.identifier(name)) for name in STAGED_TYPES if name != "partner_id"
                ),
                partners,
            )
        )
        self._forget_in_reasons("crm_value_profile")
        self._forget_in_reasons("crm_value_staging")
        self.env.invalidate_all(flush=False)
        self.env["crm.value.agreement"].sudo().search([("partner_id", "in", self.partner_id.ids)])._measure()

    def _erased_sql(self):
        """Query of the ids of the objecting customers and their contacts."""
        customers = tuple(self.partner_id.ids)
        return SQL(
            "SELECT id FROM res_partner WHERE id IN %s OR commercial_partner_id IN %s", customers, customers
        )

    @api.model
    def _forget_since(self, run):
        """Take those who objected after a run had begun out of the reasons that it told of others."""
        # What it read may not have known of an objection that was just being recorded.
        since = self.sudo().search([("create_date", ">=", run.started_at - timedelta(hours=1))])
        if since:
            since._forget_in_reasons("crm_value_staging")

    def _forget_in_reasons(self, table):
        """Take away the reasons of other customers that name the objecting ones, as those of a group do.

        :param str table: in which customers have reasons
        """
        partners = self._erased_sql()
        codes = tuple(code for code, spec in REASON_SCHEMA.items() if spec["model"] == "res.partner")
        self.env.cr.execute(
            SQL(
                """
                UPDATE %(table)s told SET reasons = (
                       SELECT COALESCE(jsonb_agg(reason ORDER BY place), '[]')
                         FROM jsonb_array_elements(told.reasons) WITH ORDINALITY AS listed (reason, place)
                        WHERE NOT (reason ->> 'code' IN %(codes)s AND EXISTS (
                              SELECT FROM (%(partners)s) objector
                               WHERE reason -> 'record_ids' @> to_jsonb(objector.id))))
                 WHERE jsonb_typeof(told.reasons) = 'array' AND EXISTS (
                       SELECT FROM jsonb_array_elements(told.reasons) reason, (%(partners)s) objector
                        WHERE reason ->> 'code' IN %(codes)s
                          AND reason -> 'record_ids' @> to_jsonb(objector.id))
                """,
                table=SQL.identifier(table),
                codes=codes,
                partners=partners,
            )
        )
