from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import NO_ACCESS
from odoo.tools import SQL

from ..customer_texts import agreement_text
from ..sentences import coded, plain_text, told_text

LEASE_SECONDS = 120


class CrmValueRun(models.Model):
    """One piece of work for the worker, and what came of it."""

    _name = "crm.value.run"
    _description = "Customer Value Run"
    _order = "id desc"
    _rec_name = "display_name"

    company_id = fields.Many2one("res.company", required=True, index=True, ondelete="cascade", readonly=True)
    kind = fields.Selection(
        [("score", "Score"), ("preview", "Preview"), ("backtest", "Back-test")],
        default="score",
        required=True,
        readonly=True,
    )
    state = fields.Selection(
        [
            ("requested", "Requested"),
            ("running", "Running"),
            ("done", "Done"),
            ("failed", "Failed"),
            ("cancelled", "Cancelled"),
        ],
        default="requested",
        required=True,
        readonly=True,
        index=True,
    )
    as_of = fields.Date(readonly=True, help="Only facts known by this day are used.")
    policy_version_id = fields.Many2one("crm.value.policy.version", readonly=True, ondelete="restrict")
    sales_basis = fields.Selection(
        related="policy_version_id.sales_basis",
        string="Sales",
        help="What sales were counted from, by the policy of the run.",
    )
    parameters = fields.Json(readonly=True)
    requested_by_id = fields.Many2one("res.users", string="Requested by", readonly=True)
    requested_at = fields.Datetime(readonly=True, default=fields.Datetime.now)
    started_at = fields.Datetime(readonly=True)
    closed_at = fields.Datetime(readonly=True, index=True)
    duration = fields.Float(readonly=True, help="Seconds from start to end.")
    worker = fields.Char(readonly=True)
    attempt = fields.Integer(readonly=True)
    token = fields.Char(readonly=True, groups=NO_ACCESS)
    lease_until = fields.Datetime(readonly=True)
    heartbeat_at = fields.Datetime(readonly=True)
    progress = fields.Float(readonly=True, aggregator=None)
    message = fields.Char(readonly=True)
    message_told = fields.Char(string="Present Step", compute="_compute_told")
    customer_count = fields.Integer(string="Customers", readonly=True)
    inserted_count = fields.Integer(string="New Customers", readonly=True)
    updated_count = fields.Integer(string="Changed", readonly=True)
    unchanged_count = fields.Integer(string="Unchanged", readonly=True)
    retired_count = fields.Integer(string="Retired", readonly=True)
    refused_count = fields.Integer(string="Refused", readonly=True)
    result = fields.Json(readonly=True)
    type_agreement = fields.Char(
        string="Value Types",
        compute="_compute_type_agreement",
        help="How far groups that the same signals form by themselves agree with the value types told.",
    )
    grade_ids = fields.One2many("crm.value.grade", "run_id", string="Forecast Quality", readonly=True)
    warnings = fields.Text(readonly=True)
    warnings_told = fields.Text(string="Remarks", compute="_compute_told")
    error = fields.Char(readonly=True)
    error_told = fields.Char(string="Failure", compute="_compute_told")
    told = fields.Json(
        readonly=True,
        help="Code and figures of what the worker told in words, by which each reader is told in its own language.",
    )

    _one_running = models.UniqueIndex(
        "(company_id, kind) WHERE state = 'running'",
        "Another run of this kind is under way for this company.",
    )

    @api.depends("kind", "as_of")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for run in self:
            run.display_name = f"{kinds.get(run.kind, '')} #{run.id or ''}"

    @api.depends("result")
    @api.depends_context("lang")
    def _compute_type_agreement(self):
        for run in self:
            result = run.result if isinstance(run.result, dict) else {}
            run.type_agreement = agreement_text(self.env, result.get("value_type_agreement"))

    @api.depends("message", "warnings", "error", "told")
    @api.depends_context("lang")
    def _compute_told(self):
        for run in self:
            told = run.told or {}
            run.message_told = told_text(self.env, told.get("message"), run.message)
            run.error_told = told_text(self.env, told.get("error"), run.error)
            lines = (run.warnings or "").split("\n")
            # What the addon itself remarks follows what the worker told.
            codes = [*(told.get("warnings") or []), *([None] * len(lines))]
            run.warnings_told = "\n".join(map(partial(told_text, self.env), codes, lines))

    # ------------------------------------------------------------------ people

    def action_request(self):
        """Ask for a scoring run of the current company; the worker claims it within seconds."""
        return self._request_now("score")

    def action_request_backtest(self):
        """Ask how good the forecasts for the current company would have been; nothing is scored anew."""
        return self._request_now("backtest")

    def _request_now(self, kind):
        if not self.env.user.has_group("crm_value_addon.group_manager"):
            raise AccessError(self.env._("Only customer value managers can request a run."))
        company = self.env.company.root_id
        run = self.sudo()._request(company, kind)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("Run #%s is requested; the worker takes it up within seconds.", run.id),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def action_cancel(self):
        """Withdraw requested runs, or let go of running ones; nothing they staged is shown."""
        if not self.env.user.has_group("crm_value_addon.group_manager"):
            raise AccessError(self.env._("Only customer value managers can cancel a run."))
        self.check_access("read")
        runs = self.sudo().filtered(lambda run: run.state in ("requested", "running"))
        runs._end("cancelled", error=self.env._("Cancelled by %s", self.env.user.name))

    # ------------------------------------------------------------------ engine

    @api.model
    def _request(self, company, kind, version=None):
        """A run that waits to be claimed, a new one unless one of this kind waits already.

        :param version: the draft that a preview is about
        """
        values = {"company_id": company.id, "kind": kind, "policy_version_id": version and version.id}
        waiting = [(name, "=", value or False) for name, value in values.items()]
        run = self.search([*waiting, ("state", "=", "requested")], limit=1)
        return run or self.create({**values, "requested_by_id": self.env.user.id})

    @api.model
    def _request_past(self, company, day):
        """A scoring run that is claimed at once, of a day that is over: from what was known then."""
        parameters = {"as_of": fields.Date.to_string(day)}
        values = {"company_id": company.id, "kind": "score", "parameters": parameters}
        return self.create({**values, "requested_by_id": self.env.user.id})

    def _past_day(self):
        """The day that a run of a past day was asked for; None for one of the day on which it is claimed."""
        return fields.Date.to_date((self.parameters or {}).get("as_of")) or None

    @api.model
    def _request_due(self, company):
        """Request a scoring run when the company's schedule says so and nothing waits or runs."""
        hours = company.crm_value_interval_hours
        if hours <= 0:
            return
        last = self.search([("company_id", "=", company.id), ("kind", "=", "score")], limit=1)
        if last.state in ("requested", "running"):
            return
        # A failed run is tried again after an hour, so that a fault does not turn into a busy loop. So is one of a
        # past day: the next day is about to follow, and the company is not scored as it is today.
        soon = last.state in ("failed", "cancelled") or last._past_day()
        wait = min(hours, 1) if soon else hours
        if not last or last.closed_at <= fields.Datetime.now() - timedelta(hours=wait):
            self._request(company, "score")

    def _start(self, worker, token):
        now = fields.Datetime.now()
        company = self.company_id
        if self.kind == "preview":
            version = self.policy_version_id
            told = {"parameters": {"rules": version._digest()}}
        else:
            version = self.env["crm.value.policy.version"]._get_active(company)
            told = {}
        self.write(
            {
                **told,
                "state": "running",
                "worker": worker,
                "token": token,
                "attempt": self.attempt + 1,
                "started_at": now,
                "heartbeat_at": now,
                "lease_until": now + timedelta(seconds=LEASE_SECONDS),
                "progress": 0,
                "message": False,
                "told": False,
                "as_of": self._past_day() or company._crm_value_today(),
                "policy_version_id": version.id,
            }
        )

    def _lock_held(self, token, shared=False):
        """Lock the run for its present holder.

        :param bool shared: let the holder's other calls go on beside, but nobody take the run over
        :raise UserError: when the token is no longer the current one, or the run has ended
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "SELECT state, token FROM crm_value_run WHERE id = %s FOR %s",
                self.id or 0,
                SQL("SHARE" if shared else "UPDATE"),
            )
        )
        row = self.env.cr.fetchone()
        if not row or row[0] != "running" or not token or row[1] != token:
            raise UserError(
                self.env._(
                    "[lease-lost] Run #%s is no longer yours: its lease ran out and it was taken over, or it ended.",
                    self.id or "?",
                )
            )
        self.invalidate_recordset()

    def _prolong(self, progress=None, message=None):
        now = fields.Datetime.now()
        vals = {"heartbeat_at": now, "lease_until": now + timedelta(seconds=LEASE_SECONDS)}
        if progress is not None:
            # Not a number compares as neither; the web client could not read it.
            vals["progress"] = progress if 0 <= progress <= 100 else 100.0 * (progress > 100)
        if message is not None:
            vals["message"] = plain_text(message)[:200]
            vals["told"] = {"message": coded(message)}
        self.write(vals)

    def _end(self, state, **vals):
        now = fields.Datetime.now()
        for run in self:
            seconds = (now - run.started_at).total_seconds() if run.started_at else 0.0
            run.write({"state": state, "closed_at": now, "lease_until": False, "duration": seconds, **vals})
        self.env["crm.value.staging"]._clear(self)
