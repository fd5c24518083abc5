from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

# Rows deleted in one transaction; of runs fewer, since findings and previews go with each.
BATCH, RUNS = 20_000, 100


class CrmValueRetention(models.AbstractModel):
    """How long the policy of each company keeps what runs leave; the rest is deleted for good, every day."""

    _name = "crm.value.retention"
    _description = "Customer Value Retention"

    @api.model
    def _first_day_kept(self, company, key):
        """The day until which something is kept that the policy in force keeps for so many days."""
        days = self.env["crm.value.policy.version"]._in_force(company)[key]
        return company._crm_value_today() - timedelta(days=days)

    @api.model
    def _cron_forget(self):
        """Delete what is kept no longer, a batch at a time; what there is no time for waits for the next call."""
        companies = self.env["res.company"].sudo().with_context(active_test=False)
        companies = companies.search([("parent_id", "=", False)])
        steps = [
            (step, company)
            for company in companies
            for step in (
                self._forget_dead_runs,
                self._forget_runs,
                self._forget_history,
                self._forget_snapshots,
            )
        ]
        steps.append((self._forget_staged, companies))
        while steps:
            step, of = steps[0]
            count, done = step(of)
            if done:
                steps.pop(0)
            if not self.env["ir.cron"]._commit_progress(count, remaining=len(steps)):
                return

    # Each step deletes a batch, and answers how many rows and whether that was all.

    @api.model
    def _forget_dead_runs(self, company):
        """Close runs that nobody works on any more. A worker would take one over as soon as it asks for work."""
        days = self.env["crm.value.policy.version"]._in_force(company)["keep_dead_runs_days"]
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                SELECT id FROM crm_value_run
                 WHERE company_id = %s AND state = 'running' AND lease_until < %s
                   FOR UPDATE SKIP LOCKED
                """,
                company.id,
                fields.Datetime.now() - timedelta(days=days),
            )
        )
        runs = self.env["crm.value.run"].sudo().browse([number for (number,) in self.env.cr.fetchall()])
        for run in runs:
            run._end(
                "failed",
                token=False,  # whoever wakes up with it has lost the run
                error=self._given_up_text(run.worker or "", days),
            )
        return len(runs), True

    @api.model
    def _given_up_text(self, worker, days):
        if days == 1:
            return self.env._("Given up: nothing was heard of the worker “%s” for 1 day.", worker)
        return self.env._(
            "Given up: nothing was heard of the worker “%(worker)s” for %(days)s days.",
            worker=worker,
            days=days,
        )

    @api.model
    def _forget_runs(self, company):
        """Delete runs that ended long ago, but the last completed one of each kind: it is what holds.

        Findings, grades and previews go with them. States and profiles name the run that made them by its number,
        which is taken out where there is no such run any more.
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM crm_value_run WHERE id IN (
                    SELECT id FROM crm_value_run run
                     WHERE company_id = %(company)s AND state IN ('done', 'failed', 'cancelled')
                       AND closed_at < %(first)s
                       AND NOT EXISTS (
                           SELECT FROM (
                               SELECT DISTINCT ON (kind) id FROM crm_value_run
                                WHERE company_id = %(company)s AND state = 'done' ORDER BY kind, id DESC
                           ) last WHERE last.id = run.id)
                     ORDER BY id LIMIT %(limit)s)
                RETURNING id
                """,
                company=company.id,
                first=self._first_day_kept(company, "keep_runs_days"),
                limit=RUNS,
            )
        )
        gone = tuple(number for (number,) in self.env.cr.fetchall())
        if gone:
            for table, column in (("crm_value_history", "run_id"), ("crm_value_profile", "changed_run_id")):
                self.env.cr.execute(
                    SQL(
                        """
                        UPDATE %(table)s SET %(column)s = NULL
                         WHERE company_id = %(company)s AND %(column)s IN %(gone)s
                        """,
                        table=SQL.identifier(table),
                        column=SQL.identifier(column),
                        company=company.id,
                        gone=gone,
                    )
                )
            self.env.invalidate_all(flush=False)
        return len(gone), len(gone) < RUNS

    @api.model
    def _forget_history(self, company):
        """Delete states that ended long ago. Who has one that has not ended keeps it."""
        first = self._first_day_kept(company, "keep_history_days")
        return self._delete("crm_value_history", SQL("company_id = %s AND valid_to <= %s", company.id, first))

    @api.model
    def _forget_snapshots(self, company):
        first = self._first_day_kept(company, "keep_snapshots_days")
        return self._delete("crm_value_snapshot", SQL("company_id = %s AND date < %s", company.id, first))

    @api.model
    def _forget_staged(self, _companies):
        """Delete what was sent of runs that are no longer under way, or are no more."""
        under_way = SQL("SELECT id FROM crm_value_run WHERE state = 'running'")
        return self._delete("crm_value_staging", SQL("run_id NOT IN (%s)", under_way))

    def _delete(self, table, condition):
        """Delete a batch of the rows that meet a condition."""
        self.env.flush_all()
        table = SQL.identifier(table)
        self.env.cr.execute(
            SQL(
                "DELETE FROM %(table)s WHERE id IN (SELECT id FROM %(table)s WHERE %(condition)s LIMIT %(limit)s)",
                table=table,
                condition=condition,
                limit=BATCH,
            )
        )
        count = self.env.cr.rowcount
        if count:
            self.env.invalidate_all(flush=False)
        return count, count < BATCH
