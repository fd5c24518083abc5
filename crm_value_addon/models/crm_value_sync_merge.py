from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..labels import LABELS
from ..publish_columns import COLUMN_TYPES, PROBABILITY_COLUMNS, columns_sql, profile_column

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


class CrmValueSync(models.AbstractModel):
    """From staging to profile and history, in the transaction that closes the run."""

    _inherit = "crm.value.sync"

    def _merge(self, run, staged):
        """Bring the staged rows into profile and history, and retire customers that are gone.

        One look at all rows tells which steps there are: each would pass over all customers, and most runs
        need few of them.

        :param int staged: how many rows are staged
        :return: counts of rows ``staged``, ``inserted``, ``updated``, ``unchanged``, ``retired`` and ``refused``
        """
        self.env.flush_all()
        self._analyze(staged)
        self.env["crm.value.objection"]._forget_since(run)
        found = self._survey(run)
        if found["faulty"]:
            self._refuse_late(run)
            found = self._survey(run)
        if found["profiles"] and not found["usable"]:
            self._check_not_empty(run)
        if found["new"]:
            self._mark_new(run)
        if found["relabelled"]:
            self._write_history(run)
        known = found["usable"] - found["new"]
        updated = self._update_profiles(run) if known else 0
        inserted = self._insert_profiles(run) if found["new"] else 0
        return {
            "staged": staged,
            "inserted": inserted,
            "updated": updated,
            "unchanged": known - updated,
            "retired": self._retire(run) if found["profiles"] > known else 0,
            "refused": staged - found["usable"],
        }

    def _analyze(self, staged):
        """Tell PostgreSQL how large the tables are, where it has no idea.

        Right after a first run it takes profile and history for empty, and would look at each of a
        hundred thousand rows for each of as many.
        """
        # The number of rows matters, and hardly what is in them: a small sample.
        self.env.cr.execute("SET LOCAL default_statistics_target = 10")
        self.env.cr.execute("ANALYZE crm_value_staging (run_id, status, partner_id)")
        self.env.cr.execute(
            SQL(
                """
                SELECT relname FROM pg_class
                 WHERE oid IN ('crm_value_profile'::regclass, 'crm_value_history'::regclass) AND reltuples < %s
                """,
                staged / 2,
            )
        )
        for (table,) in self.env.cr.fetchall():
            self.env.cr.execute(SQL("ANALYZE %s (company_id, partner_id)", SQL.identifier(table)))

    def _check_not_empty(self, run):
        """Refuse to retire every customer at once, which a broken export would otherwise do in silence.

        A company that really has no customer left is one whose orders, quotations and leads are gone.
        """
        if self._has_customers(run.company_id):
            raise UserError(
                self.env._(
                    "[count-mismatch] Nothing usable was published, but the company has customers; run it again."
                )
            )

    def _has_customers(self, company):
        query = self._export_partners_sql(company, 0, self._last_id("res_partner"))
        self.env.cr.execute(SQL("SELECT EXISTS (%s)", query))
        return self.env.cr.fetchone()[0]

    def _survey(self, run):
        """What there is to do: counts of the company's ``profiles``, and of usable rows by what becomes of them."""
        self.env.cr.execute(
            SQL(
                """
                SELECT (SELECT count(*) FROM crm_value_profile WHERE company_id = %(company)s) AS profiles,
                       count(*) AS usable,
                       count(*) FILTER (WHERE partner.id IS NULL OR objection.id IS NOT NULL
                                           OR (staging.format_id IS NOT NULL AND business_format.id IS NULL))
                       + count(*) - (SELECT count(DISTINCT partner_id) FROM crm_value_staging
                                      WHERE run_id = %(run)s AND status = 'ok') AS faulty,
                       count(*) FILTER (WHERE profile.id IS NULL) AS new,
                       count(*) FILTER (WHERE %(relabelled)s) AS relabelled
                  FROM crm_value_staging staging
                  LEFT JOIN res_partner partner
                    ON partner.id = staging.partner_id AND partner.commercial_partner_id = partner.id
                  LEFT JOIN crm_value_objection objection ON objection.partner_id = staging.partner_id
                  LEFT JOIN crm_value_format business_format ON business_format.id = staging.format_id
                  LEFT JOIN crm_value_profile profile
                    ON profile.partner_id = staging.partner_id AND profile.company_id = %(company)s
                 WHERE staging.run_id = %(run)s AND staging.status = 'ok'
                """,
                run=run.id,
                company=run.company_id.id,
                relabelled=self._relabelled_sql(),
            )
        )
        return self.env.cr.dictfetchone()

    def _relabelled_sql(self):
        """Condition that a staged row begins another state of its customer, or the first one."""
        return SQL(
            "profile.id IS NULL OR (%s) IS DISTINCT FROM (%s)",
            columns_sql([profile_column(label) for label in LABELS], "profile"),
            columns_sql(LABELS, "staging"),
        )

    def _refuse_late(self, run):
        """Refuse what only shows once all batches are there.

        Customers may have been deleted, merged or have objected since their batch was published, and
        the same customer may have come in two batches.
        """
        usable = SQL("run_id = %s AND status = 'ok'", run.id)
        for change in (
            SQL(
                """
                status = 'missing' WHERE %s AND NOT EXISTS (
                    SELECT FROM res_partner partner
                     WHERE partner.id = staging.partner_id AND partner.commercial_partner_id = partner.id)
                """,
                usable,
            ),
            SQL(
                "status = 'objecting' WHERE %s AND partner_id IN (SELECT partner_id FROM crm_value_objection)",
                usable,
            ),
            SQL(
                "format_id = NULL WHERE %s AND format_id NOT IN (SELECT id FROM crm_value_format)",
                usable,
            ),
        ):
            self.env.cr.execute(SQL("UPDATE crm_value_staging staging SET %s", change))
        self._refuse_duplicates(SQL("run_id = %s", run.id))

    def _mark_new(self, run):
        """Mark the rows of customers without a profile.

        A statement that inserted profiles and looked for them too would read what it writes, row for row.
        """
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_value_staging staging SET status = 'new'
                 WHERE run_id = %s AND status = 'ok' AND NOT EXISTS (
                       SELECT FROM crm_value_profile profile
                        WHERE profile.partner_id = staging.partner_id AND profile.company_id = %s)
                """,
                run.id,
                run.company_id.id,
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
               AND (%(relabelled)s)
            """,
            company=run.company_id.id,
            run=run.id,
            relabelled=self._relabelled_sql(),
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
                    (partner_id, company_id, valid_from, cause, run_id, policy_number, %(names)s)
                SELECT changed.partner_id, %(company)s, %(as_of)s,
                       CASE WHEN changed.partner_id IN (%(merged)s) THEN 'merge'
                            ELSE COALESCE(changed.cause, 'behaviour') END, %(run)s, %(policy)s, %(values)s
                  FROM changed
                """,
                changed=changed,
                merged=self._just_merged_sql(run.company_id),
                names=columns_sql(names),
                values=columns_sql(names, "changed"),
                company=run.company_id.id,
                as_of=run.as_of,
                run=run.id,
                policy=run.policy_version_id.number,
            )
        )

    def _just_merged_sql(self, company):
        """Customers whose last states ended when others were merged into them: a merge begins the next one."""
        return SQL(
            """
            SELECT partner_id FROM (
                SELECT DISTINCT ON (partner_id) partner_id, merged_from FROM crm_value_history
                 WHERE company_id = %(company)s AND partner_id IN (
                       SELECT partner_id FROM crm_value_history
                        WHERE company_id = %(company)s AND merged_from IS NOT NULL)
                 ORDER BY partner_id, valid_to DESC NULLS FIRST, merged_from NULLS LAST
            ) last WHERE merged_from IS NOT NULL
            """,
            company=company.id,
        )

    def _profile_values(self, run):
        """SQL of what a row of ``_accepted_sql`` makes of a profile's columns, and of the marks of this run."""
        values = {profile_column(name): SQL.identifier("staging", name) for name in PROFILE_COLUMNS}
        overridden = self._has_overrides(run)
        for label in LABELS:
            value = SQL.identifier("staging", label)
            if overridden:
                value = SQL("COALESCE(%s, %s)", SQL.identifier("override", label), value)
            values[f"effective_{label}"] = value
        marks = {
            "policy_version_id": SQL("%s", run.policy_version_id.id),
            "changed_at": SQL("%s::timestamp", fields.Datetime.now()),
            "changed_run_id": SQL("%s", run.id),
        }
        return values, marks

    def _accepted_sql(self, run, status):
        """Staged rows of a status with the overrides in force, as the end of a query, to be narrowed by AND."""
        override_join = SQL()
        if self._has_overrides(run):
            override_join = SQL(
                "LEFT JOIN %s override ON override.partner_id = staging.partner_id",
                self.env["crm.value.override"]._in_force_sql(run.company_id),
            )
        return SQL(
            "crm_value_staging staging %s WHERE staging.run_id = %s AND staging.status = %s",
            override_join,
            run.id,
            status,
        )

    def _has_overrides(self, run):
        """Whether any label of the company may be overridden; else there is nothing to join for each customer."""
        domain = [("company_id", "=", run.company_id.id), ("ended_at", "=", False)]
        return bool(self.env["crm.value.override"].sudo().search_count(domain, limit=1))

    # Update and insert are two statements, since an upsert of every row takes half as long again.

    def _update_profiles(self, run):
        """Update the profiles that differ; return how many."""
        values, marks = self._profile_values(run)
        # A row differs as soon as one column does: first those that nearly always do.
        compared = dict(sorted(values.items(), key=lambda item: item[0] not in PROBABILITY_COLUMNS))
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_value_profile profile SET %(assignments)s FROM %(accepted)s
                   AND profile.partner_id = staging.partner_id AND profile.company_id = %(company)s
                   AND (%(old)s) IS DISTINCT FROM (%(new)s)
                """,
                assignments=SQL(", ").join(
                    SQL("%s = %s", SQL.identifier(name), value) for name, value in (values | marks).items()
                ),
                accepted=self._accepted_sql(run, "ok"),
                company=run.company_id.id,
                old=columns_sql(compared, "profile"),
                new=SQL(", ").join(compared.values()),
            )
        )
        return self.env.cr.rowcount

    def _insert_profiles(self, run):
        """Insert the profiles of customers that have none; return how many."""
        values, marks = self._profile_values(run)
        values = {
            "partner_id": SQL.identifier("staging", "partner_id"),
            "company_id": SQL("%s", run.company_id.id),
            "currency_id": SQL("%s", run.company_id.currency_id.id),
            **values,
            **marks,
        }
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO crm_value_profile (%(names)s) SELECT %(values)s FROM %(accepted)s
                """,
                names=columns_sql(values),
                values=SQL(", ").join(values.values()),
                accepted=self._accepted_sql(run, "new"),
            )
        )
        return self.env.cr.rowcount

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
