import json

from odoo import api, fields, models
from odoo.tools import SQL


class CrmValueFinding(models.AbstractModel):
    """A row of what a run found; kept per run, so that runs can be compared.

    In a form or list an empty number reads as 0, so ``untold`` names those that are empty.
    """

    _name = "crm.value.finding"
    _inherit = ["crm.value.protected"]
    _description = "Finding of a Customer Value Run"
    _order = "as_of desc, id"
    _log_access = False

    run_id = fields.Many2one("crm.value.run", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    currency_id = fields.Many2one("res.currency")
    as_of = fields.Date(required=True, help="The day the run stands for.")
    is_latest = fields.Boolean(
        compute="_compute_is_latest",
        search="_search_is_latest",
        help="Of the company's last run that told it.",
    )

    @api.depends("run_id")
    def _compute_is_latest(self):
        latest = self.search([("is_latest", "=", True), ("id", "in", self.ids)])
        for row in self:
            row.is_latest = row in latest

    def _search_is_latest(self, operator, value):
        if operator != "in":
            return NotImplemented
        # By the order of closing: a run that waited long may have the smaller number.
        newest = SQL(
            """(SELECT newest.run_id FROM res_company company, LATERAL (
                    SELECT run_id FROM %s WHERE company_id = company.id ORDER BY id DESC LIMIT 1) newest)""",
            SQL.identifier(self._table),
        )
        return [("run_id", "in" if True in value else "not in", newest)]

    @api.model
    def _insert(self, run, rows):
        """Keep rows of the same columns, a dict each, of a run that ends."""
        if not rows:
            return
        constants = {
            "run_id": run.id,
            "company_id": run.company_id.id,
            "currency_id": run.company_id.currency_id.id,
            "as_of": run.as_of,
        }
        self.env.flush_all()
        # Not by the ORM, which cannot leave a number empty.
        self.env.cr.execute(
            SQL(
                "INSERT INTO %s (%s) VALUES %s",
                SQL.identifier(self._table),
                SQL(", ").join(SQL.identifier(name) for name in (*constants, *rows[0])),
                SQL(", ").join(SQL("%s", self._row_sql({**constants, **row})) for row in rows),
            )
        )
        self.invalidate_model()

    def _row_sql(self, row):
        values = [
            SQL("%s::jsonb", json.dumps(value)) if self._fields[name].type == "json" else SQL("%s", value)
            for name, value in row.items()
        ]
        return SQL("(%s)", SQL(", ").join(values))
