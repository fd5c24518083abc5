import base64
import binascii
import io
import zlib
from datetime import timedelta

import psycopg2

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..analysis import forget_named
from ..publish_columns import (
    ALLOWED_VALUES,
    COLUMN_TYPES,
    DATE_COLUMNS,
    MONEY_COLUMNS,
    PREVIEW_TYPES,
    PROBABILITY_COLUMNS,
    SHARE_COLUMNS,
    STAGED_TYPES,
    columns_sql,
)
from ..result_values import storable
from ..sentences import coded, plain_text

STATUSES = ("ok", "missing", "not_commercial", "objecting", "foreign_company", "out_of_range", "duplicate")
# The columns that a run of each kind may publish.
PUBLISHED = {"score": COLUMN_TYPES, "preview": PREVIEW_TYPES}
MAX_PAYLOAD_BYTES = 256 * 1024 * 1024
OTHER_BOUNDS = {
    "composite_rating": (0, 100),
    "anomaly_percent": (-100, 1_000_000),
    "response_hours": (0, 336),
}
# Finds what no recommendation can be. Of a key that is missing nothing holds, so each condition is denied as a whole.
BAD_RECOMMENDATIONS = """
    $[*] ? (
        !(@.category_id.type() == "number" && @.category_id >= 1 && @.category_id < 2147483648
             && @.category_id == @.category_id.floor())
        || !(@.kind == "cross_sell" || @.kind == "replacement")
        || !(@.strength.type() == "number" && @.strength >= 0 && @.strength <= 1)
        || (exists(@.due) && !(@.due.type() == "null" || @.due.type() == "string"
                               && @.due like_regex "^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$"))
    )
"""


class CrmValueSync(models.AbstractModel):
    _inherit = "crm.value.sync"

    # ----------------------------------------------------------------- publish

    @api.model
    def publish(self, run_id, token, batch, columns, data):
        """Stage one batch of scores; sending the same batch again replaces it.

        Batches may be sent side by side: only ``beat`` prolongs the lease.
        """
        self._check_worker()
        run = self._get_run(run_id, token, shared=True)
        if run.kind not in PUBLISHED:
            raise UserError(self.env._("[not-score] A %s run publishes nothing.", run.kind))
        unknown = [name for name in columns if name not in PUBLISHED[run.kind]]
        if unknown or "partner_id" not in columns or len(set(columns)) != len(columns):
            raise UserError(
                self.env._(
                    "[contract] Columns must be distinct, include partner_id and be known here; unknown: %s.",
                    ", ".join(unknown) or "-",
                )
            )
        if not isinstance(batch, int) or not 0 <= batch < 2**31:
            raise UserError(self.env._("[contract] A batch is numbered by a whole number, not “%s”.", batch))
        payload = self._inflate(data)
        self.env.cr.execute(
            SQL("DELETE FROM crm_value_staging WHERE run_id = %s AND batch = %s", run.id, batch)
        )
        self._load_batch(run, batch, columns, payload)
        counts = self._check_batch(run, batch, columns)
        return {status: counts.get(status, 0) for status in STATUSES}

    def _inflate(self, data):
        try:
            inflater = zlib.decompressobj()
            payload = inflater.decompress(base64.b64decode(data, validate=True), MAX_PAYLOAD_BYTES)
        except (binascii.Error, zlib.error, TypeError, ValueError):
            payload = None
        if payload is None or not inflater.eof:
            raise UserError(
                self.env._(
                    "[bad-batch] The batch is no base64 of zlib data, or too large; send smaller batches."
                )
            )
        return payload

    def _load_batch(self, run, batch, columns, payload):
        """Copy CSV into staging, whose columns for run and batch default to these two settings.

        :raise UserError: naming the row that cannot be read
        """
        cr = self.env.cr
        cr.execute(
            SQL(
                "SELECT set_config('crm_value.run', %s, TRUE), set_config('crm_value.batch', %s, TRUE)",
                str(run.id),
                str(batch),
            )
        )
        copy = cr.mogrify(
            SQL("COPY crm_value_staging (%s) FROM STDIN (FORMAT csv)", columns_sql(columns))
        ).decode()
        try:
            with cr.savepoint(flush=False):
                cr.copy_expert(copy, io.BytesIO(payload))
        except (
            psycopg2.DataError,
            psycopg2.errors.ProgramLimitExceeded,
            psycopg2.errors.StatementTooComplex,
        ) as error:
            where = (error.diag.context or "").split("\n")[0].removeprefix("COPY crm_value_staging, ")
            raise UserError(
                self.env._(
                    "[bad-batch] %(problem)s (%(where)s)",
                    problem=error.diag.message_primary,
                    where=where[:200],
                )
            ) from None

    def _check_batch(self, run, batch, columns):
        """Give every row of a batch that cannot be used the status that says why; the first fault names it.

        :return: ``{status: count of rows}``
        """
        rows = SQL("run_id = %s AND batch = %s", run.id, batch)
        # PostgreSQL takes a table that has just been filled for an empty one, and would look customers up singly.
        self.env.cr.execute("SET LOCAL enable_nestloop = off")
        # Faults are looked for before the join, which then carries narrow rows.
        self.env.cr.execute(
            SQL(
                """
                WITH payload AS MATERIALIZED (
                    SELECT id, partner_id, %(faults)s AS faulty FROM crm_value_staging payload WHERE %(rows)s
                ), checked AS MATERIALIZED (
                    SELECT payload.id, payload.partner_id, CASE
                           WHEN partner.id IS NULL THEN 'missing'
                           WHEN partner.commercial_partner_id <> partner.id THEN 'not_commercial'
                           WHEN objection.id IS NOT NULL THEN 'objecting'
                           WHEN partner.company_id NOT IN %(companies)s THEN 'foreign_company'
                           WHEN payload.faulty THEN 'out_of_range'
                           ELSE 'ok' END AS status
                      FROM payload
                      LEFT JOIN res_partner partner ON partner.id = payload.partner_id
                      LEFT JOIN crm_value_objection objection ON objection.partner_id = payload.partner_id
                ), refused AS (
                    UPDATE crm_value_staging staging SET status = checked.status FROM checked
                     WHERE checked.status <> 'ok' AND staging.id = checked.id
                )
                SELECT status, count(*), count(DISTINCT partner_id) FROM checked GROUP BY status
                """,
                faults=SQL(" OR ").join(self._faults_sql(columns)),
                rows=rows,
                companies=tuple(run.company_id._crm_value_branches()),
            )
        )
        found = {status: (count, customers) for status, count, customers in self.env.cr.fetchall()}
        self.env.cr.execute("RESET enable_nestloop")
        counts = {status: count for status, (count, _customers) in found.items()}
        usable, customers = found.get("ok", (0, 0))
        if usable > customers:
            self._refuse_duplicates(rows)
            counts |= {"ok": customers, "duplicate": usable - customers}
        return counts

    def _refuse_duplicates(self, among):
        """Keep the first usable row of each customer.

        An array and not a join, which PostgreSQL would plan for an empty table while batches arrive.

        :param SQL among: condition for the staged rows to look at
        """
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_value_staging SET status = 'duplicate'
                 WHERE id = ANY (ARRAY(
                       SELECT id FROM (
                              SELECT id, row_number() OVER (PARTITION BY partner_id ORDER BY batch, id) AS nth
                                FROM crm_value_staging WHERE %s AND status = 'ok'
                              ) usable
                        WHERE nth > 1))
                """,
                among,
            )
        )

    def _faults_sql(self, columns):
        """Conditions for a row of ``payload`` that holds what no score can be."""
        faults = [SQL("FALSE")]
        faults += [
            SQL("%s <> ALL(%s)", SQL.identifier("payload", name), ALLOWED_VALUES[name])
            for name in columns
            if name in ALLOWED_VALUES
        ]
        faults += [
            SQL("payload.%(name)s NOT BETWEEN 0 AND 1", name=SQL.identifier(name))
            for name in columns
            if name in (*PROBABILITY_COLUMNS, *SHARE_COLUMNS)
        ]
        faults += [
            SQL("payload.%(name)s NOT BETWEEN -1e15 AND 1e15", name=SQL.identifier(name))
            for name in columns
            if name in MONEY_COLUMNS
        ]
        faults += [
            SQL("payload.%(name)s NOT BETWEEN 0 AND 1e6", name=SQL.identifier(name))
            for name in columns
            if name in ("expected_orders", "order_days", "usual_gap")
        ]
        faults += [
            SQL(
                "payload.%(name)s NOT BETWEEN %(low)s AND %(high)s",
                name=SQL.identifier(name),
                low=low,
                high=high,
            )
            for name, (low, high) in OTHER_BOUNDS.items()
            if name in columns
        ]
        # PostgreSQL knows an infinite date and years that Python cannot hold.
        faults += [
            SQL("payload.%(name)s NOT BETWEEN '1900-01-01' AND '2199-12-31'", name=SQL.identifier(name))
            for name in columns
            if name in DATE_COLUMNS
        ]
        faults += [
            SQL(
                "jsonb_typeof(payload.%(name)s) <> 'array' OR jsonb_path_exists("
                "payload.%(name)s, 'strict $[*] ? (@.type() <> \"object\")', silent => TRUE)",
                name=SQL.identifier(name),
            )
            for name in columns
            if STAGED_TYPES[name] == "json"
        ]
        if "preferred_channel" in columns:
            faults.append(SQL("payload.preferred_channel !~ '^[a-z0-9_]{1,32}$'"))
        if "recommendations" in columns:
            faults.append(
                SQL("jsonb_path_exists(payload.recommendations, %s::jsonpath)", BAD_RECOMMENDATIONS)
            )
        if "churn_withheld" in columns:
            # What is withheld must not arrive, or a list or an export would show it all the same.
            faults.append(
                SQL(
                    "payload.churn_withheld"
                    " AND (payload.churn_probability IS NOT NULL OR payload.churn_risk IS NOT NULL)"
                )
            )
        if "format_id" in columns:
            faults.append(
                SQL(
                    "NOT EXISTS (SELECT FROM crm_value_format fmt WHERE fmt.id = payload.format_id)"
                    " AND payload.format_id IS NOT NULL"
                )
            )
        return faults

    # ------------------------------------------------------------------- close

    @api.model
    def close_run(self, run_id, token, state, rows=0, result=None, warnings=None, error=None):
        """End a run; for ``done`` merge what is staged in one transaction. Repeated, it answers the same."""
        self._check_worker()
        if state not in ("done", "failed"):
            raise UserError(self.env._("A run is closed as “done” or “failed”, not “%s”.", state))
        closed = self._browse_run(run_id).exists()
        if closed and token and closed.token == token and closed.state in ("done", "failed"):
            return self._close_counts(closed)
        run = self._get_run(run_id, token)
        words = [" ".join(plain_text(each).split()) for each in warnings or []]
        told = {
            **(run.told or {}),
            "error": coded(error),
            "warnings": [coded(each) for each in warnings or []],
        }
        if state == "failed":
            cause = plain_text(error) or self.env._("No cause given.")
            run._end("failed", error=cause, warnings="\n".join(words) or False, told=told)
            return self._close_counts(run)
        counts = {}
        if run.kind in PUBLISHED:
            self._check_staged(run, rows)
        if run.kind == "score":
            counts = self._merge(run, rows)
            self.env["crm.value.service.policy"]._refresh_contact_due(run.company_id)
        elif run.kind == "preview":
            self.env["crm.value.preview"]._record_preview(run)
        result = storable(result)
        left_out = self.env["crm.value.grade"]._record_grades(run, result)
        if run.kind == "score":
            left_out += self.env["crm.value.analysis"]._record_analysis(run, result)
            left_out += self._act_on(run)
        forget_named(result)
        run._end(
            "done",
            progress=100.0,
            message=False,
            result=result,
            warnings="\n".join([*words, *left_out]) or False,
            told=told,
            customer_count=counts.get("staged", 0),
            inserted_count=counts.get("inserted", 0),
            updated_count=counts.get("updated", 0),
            unchanged_count=counts.get("unchanged", 0),
            retired_count=counts.get("retired", 0),
            refused_count=counts.get("refused", 0),
        )
        self.env.invalidate_all()
        return self._close_counts(run)

    def _act_on(self, run):
        """Open cases for what went wrong, look for what threatens customers now, and measure goals.

        What was so on a past day is none of it.

        :return: sentences for the warnings of the run
        """
        if run.as_of < run.company_id._crm_value_today() - timedelta(days=1):
            return []
        self.env["crm.value.winback"]._follow_all(run.company_id)
        self.env["crm.value.agreement"]._measure_all(run.company_id)
        self.env["crm.value.goal"]._measure_all(run.company_id, run.as_of)
        # Cases before threats: that there are several is one of them.
        held = self.env["crm.value.case"].sudo()._look(run.company_id)
        return held + self.env["crm.value.alert"].sudo()._look(run.company_id)

    def _close_counts(self, run):
        return {
            name: run[f"{name}_count"] for name in ("inserted", "updated", "unchanged", "retired", "refused")
        }

    def _check_staged(self, run, rows):
        self.env.cr.execute(SQL("SELECT count(*) FROM crm_value_staging WHERE run_id = %s", run.id))
        staged = self.env.cr.fetchone()[0]
        if staged != rows:
            raise UserError(
                self.env._(
                    "[count-mismatch] %(staged)s rows arrived of %(rows)s sent; publish the missing batches again.",
                    staged=staged,
                    rows=rows,
                )
            )
