from odoo import fields, models
from odoo.tools import SQL

from ..publish_columns import SQL_TYPES, STAGED_TYPES


class CrmValueStaging(models.Model):
    """Published rows on their way into profiles; shown to nobody, merged when the run closes."""

    _name = "crm.value.staging"
    _inherit = ["crm.value.protected"]
    _description = "Customer Value Staging"
    _log_access = False

    # Plain numbers: checking a reference for each of a hundred thousand rows would double the time, and
    # a partner deleted meanwhile must be counted, not vanish.
    run_id = fields.Integer(required=True)
    batch = fields.Integer(required=True)
    status = fields.Char(required=True)
    partner_id = fields.Integer()

    _run_batch = models.Index("(run_id, batch)")

    def init(self):
        """Give the table the columns of the contract, which no form or field ever needs.

        Run and batch default to settings of the transaction, so that a batch is copied straight in.
        A crash of PostgreSQL may empty the table: closing then finds rows missing and the run is made
        again, so nothing here needs the write-ahead log.
        """
        self.env.cr.execute(
            """
            ALTER TABLE crm_value_staging
                ALTER run_id SET DEFAULT current_setting('crm_value.run')::int,
                ALTER batch SET DEFAULT current_setting('crm_value.batch')::int,
                ALTER status SET DEFAULT 'ok',
                SET UNLOGGED
            """
        )
        for name, kind in STAGED_TYPES.items():
            self.env.cr.execute(
                SQL(
                    "ALTER TABLE crm_value_staging ADD COLUMN IF NOT EXISTS %s %s",
                    SQL.identifier(name),
                    SQL(SQL_TYPES[kind]),
                )
            )

    def _clear(self, runs):
        if runs:
            self.env.cr.execute(SQL("DELETE FROM crm_value_staging WHERE run_id IN %s", tuple(runs.ids)))
