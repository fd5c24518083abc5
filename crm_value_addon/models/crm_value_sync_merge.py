from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..labels import LABELS
from ..publish_columns import COLUMN_TYPES, columns_sql, profile_column

# What history keeps of a state besides the labels.
HISTORY_COLUMNS = (
    "format_id",
    "confidence",
    "churn_probability",
    "historical_value",
    "current_value",
    "potential_value",
    "lifetime_value",
)
PROFILE_COLUMNS = tuple(name for name in COLUMN_TYPES if name not in ("partner_id", "cause"))


class CrmValueSyncMerge(models.AbstractModel):
    """From staging to profile and history, in the transaction that closes the run."""

    _inherit = "crm.value.sync"

    def _merge(self, run):
        """Bring the staged rows into profile and history, and retire customers that are gone."""
        self.env.flush_all()
        self._analyze(run)
        self._restage(run)
        self._check_not_empty(run)
        self._write_history(run)
        counts = self._write_profiles(run)
        counts["retired"] = self._retire(run)
        return counts

    def _analyze(self, run):
        """Tell PostgreSQL how large the tables are, where it has no idea.

        Right after a first run it takes profile and history for empty, and would look at each of a
        hundred thousand rows for each of as many.
        """
        self.env.cr.execute(SQL("ANALYZE crm_value_staging (run_id, status, partner_id)"))
        self.env.cr.execute(
            SQL(
                """
                SELECT relname FROM pg_class
                 WHERE oid IN ('crm_value_profile'::regclass, 'crm_value_history'::regclass)
                   AND reltuples < (SELECT count(*) / 2 FROM crm_value_staging WHERE run_id = %s)
                """,
                run.id,
            )
        )
        for (table,) in self.env.cr.fetchall():
            self.env.cr.execute(SQL("ANALYZE %s (company_id, partner_id)", SQL.identifier(table)))

    def _check_not_empty(self, run):
        """Refuse to retire every customer at once, which a broken export would otherwise do in silence.

        A company that really has no customer left is one whose orders, quotations and leads are gone.
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT EXISTS (SELECT FROM crm_value_profile WHERE company_id = %s)
                   AND NOT EXISTS (SELECT FROM crm_value_staging WHERE run_id = %s AND status IN ('ok', 'new'))
                """,
                run.company_id.id,
                run.id,
            )
        )
        if self.env.cr.fetchone()[0] and self._has_customers(run.company_id):
            raise UserError(
                self.env._(
                    "[count-mismatch] Nothing usable was published, but the company has customers; run it again."
                )
            )

    def _has_customers(self, company):
        query = self._export_partners_sql(company, 0, self._last_id("res_partner"))
        self.env.cr.execute(SQL("SELECT EXISTS (%s)", query))
        return self.env.cr.fetchone()[0]

    def _restage(self, run):
        """Refuse what only shows once all batches are there, and mark the rows of new customers.

        Customers may have been deleted, merged or have objected since their batch was published, and
        the same customer may have come in two batches.
        """
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_value_staging staging SET status = checked.status
                  FROM (
                        SELECT own.id,
                               CASE WHEN partner.id IS NULL OR partner.commercial_partner_id <> partner.id
                                    THEN 'missing'
                                    WHEN objection.id IS NOT NULL THEN 'objecting'
                                    WHEN twice.first < own.id THEN 'duplicate'
                                    WHEN profile.id IS NULL THEN 'new' END AS status
                          FROM crm_value_staging own
                          LEFT JOIN res_partner partner ON partner.id = own.partner_id
                          LEFT JOIN crm_value_objection objection ON objection.partner_id = own.partner_id
                          LEFT JOIN crm_value_profile profile
                            ON profile.partner_id = own.partner_id AND profile.company_id = %(company)s
                          LEFT JOIN (
                                SELECT partner_id, min(id) AS first FROM crm_value_staging
                                 WHERE run_id = %(run)s AND status = 'ok'
                                 GROUP BY partner_id HAVING count(*) > 1
                               ) twice ON twice.partner_id = own.partner_id
                         WHERE own.run_id = %(run)s AND own.status = 'ok'
                       ) checked
                 WHERE checked.status IS NOT NULL AND staging.id = checked.id
                """,
                run=run.id,
                company=run.company_id.id,
            )
        )
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_value_staging SET format_id = NULL
                 WHERE run_id = %s AND format_id NOT IN (SELECT id FROM crm_value_format)
                """,
                run.id,
            )
        )

    def _write_history(self, run):
        """Close the present state of customers whose labels change, and begin the next one."""
        changed = SQL(
            """
            SELECT staging.* FROM crm_value_staging staging
              LEFT JOIN crm_value_profile profile
                ON profile.partner_id = staging.partner_id AND profile.company_id = %(company)s
             WHERE staging.run_id = %(run)s AND staging.status IN ('ok', 'new')
               AND (profile.id IS NULL OR (%(before)s) IS DISTINCT FROM (%(after)s))
            """,
            company=run.company_id.id,
            run=run.id,
            before=columns_sql([profile_column(label) for label in LABELS], "profile"),
            after=columns_sql(LABELS, "staging"),
        )
        names = (*LABELS, *HISTORY_COLUMNS)
        self.env.cr.execute(
            SQL(
                """
                WITH changed AS (%(changed)s), ended AS (
                    UPDATE crm_value_history history SET valid_to = %(as_of)s FROM changed
                     WHERE history.partner_id = changed.partner_id AND history.company_id = %(company)s
                       AND history.valid_to IS NULL
                )
                INSERT INTO crm_value_history
                    (partner_id, company_id, valid_from, cause, run_id, policy_version_id, %(names)s)
                SELECT changed.partner_id, %(company)s, %(as_of)s,
                       COALESCE(changed.cause, 'behaviour'), %(run)s, %(policy)s, %(values)s
                  FROM changed
                """,
                changed=changed,
                names=columns_sql(names),
                values=columns_sql(names, "changed"),
                company=run.company_id.id,
                as_of=run.as_of,
                run=run.id,
                policy=run.policy_version_id.id,
            )
        )

    def _write_profiles(self, run):
        """Update the profiles that differ and insert the new ones.

        :return: counts of rows ``staged``, ``inserted``, ``updated``, ``unchanged`` and ``refused``
        """
        values = {profile_column(name): SQL.identifier("staging", name) for name in PROFILE_COLUMNS}
        for label in LABELS:
            values[f"effective_{label}"] = SQL(
                "COALESCE(%s, %s)", SQL.identifier("override", label), SQL.identifier("staging", label)
            )
        marks = {
            "policy_version_id": SQL("%s", run.policy_version_id.id),
            "changed_at": SQL("%s::timestamp", fields.Datetime.now()),
            "changed_run_id": SQL("%s", run.id),
        }
        accepted = SQL(
            """crm_value_staging staging LEFT JOIN %s override ON override.partner_id = staging.partner_id
                WHERE staging.run_id = %s""",
            self.env["crm.value.override"]._in_force_sql(run.company_id),
            run.id,
        )
        # Two statements, since an upsert of every row takes half as long again.
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_value_profile profile SET %(assignments)s FROM %(accepted)s AND staging.status = 'ok'
                   AND profile.partner_id = staging.partner_id AND profile.company_id = %(company)s
                   AND (%(old)s) IS DISTINCT FROM (%(new)s)
                """,
                assignments=SQL(", ").join(
                    SQL("%s = %s", SQL.identifier(name), value) for name, value in (values | marks).items()
                ),
                accepted=accepted,
                company=run.company_id.id,
                old=columns_sql(values, "profile"),
                new=SQL(", ").join(values.values()),
            )
        )
        updated = self.env.cr.rowcount
        constants = {
            "partner_id": SQL.identifier("staging", "partner_id"),
            "company_id": SQL("%s", run.company_id.id),
            "currency_id": SQL("%s", run.company_id.currency_id.id),
        }
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO crm_value_profile (%(names)s) SELECT %(values)s FROM %(accepted)s
                   AND staging.status = 'new'
                """,
                names=columns_sql(constants | values | marks),
                values=SQL(", ").join((constants | values | marks).values()),
                accepted=accepted,
            )
        )
        inserted = self.env.cr.rowcount
        self.env.cr.execute(
            SQL(
                """
                SELECT count(*), count(*) FILTER (WHERE status IN ('ok', 'new'))
                  FROM crm_value_staging WHERE run_id = %s
                """,
                run.id,
            )
        )
        staged, usable = self.env.cr.fetchone()
        return {
            "staged": staged,
            "inserted": inserted,
            "updated": updated,
            "unchanged": usable - inserted - updated,
            "refused": staged - usable,
        }

    def _retire(self, run):
        """Take away the profile of customers no longer published, and end their history."""
        gone = SQL(
            """company_id = %(company)s AND NOT EXISTS (
                   SELECT FROM crm_value_staging staging
                    WHERE staging.run_id = %(run)s AND staging.status IN ('ok', 'new')
                      AND staging.partner_id = %(partner)s)""",
            company=run.company_id.id,
            run=run.id,
            partner=SQL("crm_value_profile.partner_id"),
        )
        self.env.cr.execute(
            SQL(
                """
                WITH gone AS (
                    DELETE FROM crm_value_profile WHERE %(gone)s RETURNING partner_id
                ), ended AS (
                    UPDATE crm_value_history history SET valid_to = %(as_of)s FROM gone
                     WHERE history.partner_id = gone.partner_id AND history.company_id = %(company)s
                       AND history.valid_to IS NULL
                )
                SELECT count(*) FROM gone
                """,
                gone=gone,
                as_of=run.as_of,
                company=run.company_id.id,
            )
        )
        return self.env.cr.fetchone()[0]
