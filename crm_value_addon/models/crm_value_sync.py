import uuid

import psycopg2

from odoo import api, fields, models, release
from odoo.exceptions import AccessError, UserError
from odoo.modules.module import get_manifest
from odoo.tools import SQL, mute_logger

from ..policy_schema import POLICY_SCHEMA
from ..publish_columns import COLUMN_TYPES, PREVIEW_TYPES
from ..reasons import REASON_SCHEMA
from ..sentences import SENTENCE_SCHEMA
from .crm_value_run import LEASE_SECONDS

CONTRACT = 1
# The answer while another claim is being made.
UNKNOWN_HOLDER = {"run_id": None, "worker": None, "until": None}
RUN_KINDS = ("score", "preview", "backtest")
# Whoever holds one of these reads or does more than the worker ever needs.
EXCESS_GROUPS = (
    "base.group_system",
    "base.group_erp_manager",
    "sales_team.group_sale_salesman",
    "account.group_account_readonly",
    "account.group_account_invoice",
    "crm_value_addon.group_viewer",
)


class CrmValueSync(models.AbstractModel):
    """The contract with the worker; see docs/contract.md.

    Every public method checks the caller's group first and then works under ``sudo`` on the
    companies of the caller only, so that the account itself needs no right to read an order.
    """

    _name = "crm.value.sync"
    _description = "Customer Value Contract"

    # ------------------------------------------------------------------ access

    def _check_worker(self):
        if not self.env.user.has_group("crm_value_addon.group_sync"):
            raise AccessError(
                self.env._(
                    "Only users of the group “Customer Value / Sync worker” may do this; add the account to it."
                )
            )

    def _get_company(self, company_id):
        """A root company of the caller, under sudo.

        :raise AccessError: when it is not one of the caller's companies
        """
        if company_id not in self.env.user._get_company_ids():
            raise AccessError(
                self.env._("Company %s is not among the companies of this account.", company_id)
            )
        company = self.env["res.company"].sudo().browse(company_id)
        if company.parent_id:
            raise UserError(
                self.env._("“%s” is a branch; score its main company, which includes it.", company.name)
            )
        return company

    def _get_run(self, run_id, token, shared=False):
        """The run, locked (for sharing with other calls of the holder), for the present holder of its lease.

        :raise AccessError: when it belongs to a company that is not the caller's
        :raise UserError: when the lease is lost
        """
        run = self._browse_run(run_id)
        run._lock_held(token, shared)
        return run

    def _browse_run(self, run_id):
        """The run, under sudo, whether it exists or not.

        :raise AccessError: when it belongs to a company that is not the caller's
        """
        run = self.env["crm.value.run"].sudo().browse(run_id if isinstance(run_id, int) else 0)
        company = run.exists().company_id
        if company and company.id not in self.env.user._get_company_ids():
            raise AccessError(self.env._("Run #%s belongs to another company.", run_id))
        return run

    # ---------------------------------------------------------------- describe

    @api.model
    @api.readonly
    def describe(self):
        """Versions, identity, companies with policy, datasets, columns, and erasures to apply."""
        self._check_worker()
        user = self.env.user
        parameters = self.env["ir.config_parameter"].sudo()
        companies = user.sudo().company_ids.filtered(lambda company: not company.parent_id)
        key_expiry = (
            self.env["res.users.apikeys"]
            .sudo()
            .search(
                [("user_id", "=", user.id), ("expiration_date", ">", fields.Datetime.now())],
                order="expiration_date",
                limit=1,
            )
            .expiration_date
        )
        return {
            "contract": CONTRACT,
            "addon_version": get_manifest("crm_value_addon")["version"],
            "odoo_version": release.version,
            "database_uuid": parameters.get_param("database.uuid"),
            "neutralized": bool(parameters.get_param("database.is_neutralized")),
            "user": {
                "login": user.login,
                "excess_groups": [
                    xmlid
                    for xmlid in EXCESS_GROUPS
                    if self.env.ref(xmlid, raise_if_not_found=False) and user.has_group(xmlid)
                ],
                "key_expiry": (key_expiry and fields.Date.to_string(key_expiry)) or None,
            },
            "companies": [self._describe_company(company) for company in companies],
            "formats": self.env["crm.value.format"]
            .sudo()
            .with_context(active_test=False)
            .search_read([("code", "!=", False)], ["code"]),
            "datasets": {name: dataset.columns for name, dataset in self._datasets().items()},
            "publish_columns": COLUMN_TYPES,
            "preview_columns": PREVIEW_TYPES,
            "reason_codes": sorted(REASON_SCHEMA),
            "sentence_codes": sorted(SENTENCE_SCHEMA),
            "policy_keys": sorted(POLICY_SCHEMA),
            "erasures": self._erasures().ids,
        }

    def _erasures(self):
        return self.env["crm.value.objection"].sudo().search([("partner_id", "!=", False)]).partner_id

    def _describe_company(self, company):
        version = (
            self.env["crm.value.policy.version"]
            .sudo()
            .search([("company_id", "=", company.id), ("state", "=", "active")])
        )
        return {
            "id": company.id,
            "name": company.name,
            "currency": company.currency_id.name,
            "decimals": company.currency_id.decimal_places,
            "timezone": company._crm_value_timezone(),
            "scored": fields.Date.to_string(self._scored_until(company)) or None,
            "policy": self._describe_policy(version),
        }

    def _scored_until(self, company):
        """The latest day of which the company was scored, if any."""
        done = [("company_id", "=", company.id), ("kind", "=", "score"), ("state", "=", "done")]
        return self.env["crm.value.run"].sudo().search(done, order="as_of desc", limit=1).as_of

    def _describe_policy(self, version):
        return {
            "version_id": version.id or None,
            "number": version.number,
            "rules": version._export_rules(),
        }

    # ------------------------------------------------------------------- lease

    @api.model
    def claim_run(self, worker, company_id=None, kind="score", request=False, as_of=None):
        """Take a waiting, abandoned or due run, or a new one as of a past day; see docs/contract.md."""
        self._check_worker()
        if kind not in RUN_KINDS:
            raise UserError(
                self.env._("“%(kind)s” is no kind of run: %(kinds)s.", kind=kind, kinds=", ".join(RUN_KINDS))
            )
        if kind == "preview":
            request = False  # a preview is of a draft, which a person names in Odoo
        if company_id:
            companies = self._get_company(company_id)
        else:
            companies = self.env.user.sudo().company_ids.filtered(lambda company: not company.parent_id)
        if as_of and not (company_id and request and kind == "score"):
            raise UserError(
                self.env._("Only a scoring run that is requested for a company has a day of its own.")
            )
        day = self._past_day(companies, as_of) if as_of else None
        busy = None
        for company in companies:
            try:
                with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                    run, holder = self._claim_company(company, kind, request and company_id, day)
                    if run:
                        run._start(str(worker)[:100], uuid.uuid4().hex)
            except psycopg2.errors.UniqueViolation:
                # Another claim was committed after this transaction took its view of the data.
                run, holder = None, UNKNOWN_HOLDER
            if run:
                self.env["crm.value.staging"]._clear(run)
                self.env["crm.value.snapshot"]._take(run)
                return {"run": self._describe_run(run), "busy": None}
            busy = busy or holder
        return {"run": None, "busy": busy}

    def _past_day(self, company, as_of):
        """A day that is over in a company; None where it is the present one.

        :raise UserError: when it is no day, or is not over yet
        """
        today = company._crm_value_today()
        try:
            day = fields.Date.to_date(as_of)
        except (TypeError, ValueError):
            day = None
        if not day:
            raise UserError(self.env._("“%s” is not a day; write it as YYYY-MM-DD.", as_of))
        if day > today:
            raise UserError(
                self.env._("%(day)s is not over yet in “%(company)s”.", day=day, company=company.name)
            )
        return day if day < today else None

    def _check_nothing_later(self, company, day):
        """Refuse to score a company as of a day before one of which something is kept: history is written forward.

        :raise UserError: when a run, a change of a label or a merge of customers is of a later day
        """
        self.env.cr.execute(
            SQL(
                "SELECT max(GREATEST(valid_from, valid_to)) FROM crm_value_history WHERE company_id = %s",
                company.id,
            )
        )
        [changed] = self.env.cr.fetchone()
        last = max(changed or day, self._scored_until(company) or day)
        if last > day:
            raise UserError(
                self.env._(
                    "[scored-later] The history of “%(company)s” reaches to %(last)s and is only written forward:"
                    " it cannot be scored as of %(day)s any more.",
                    company=company.name,
                    last=last,
                    day=day,
                )
            )

    def _claim_company(self, company, kind, request, day=None):
        """The run to take up, or who holds the lease of this company.

        One claim at a time per company, so that two workers never both find it free.

        :param date day: the past day to score; an abandoned run of another day ends
        """
        runs = self.env["crm.value.run"].sudo()
        self.env.cr.execute(
            SQL("SELECT pg_try_advisory_xact_lock(hashtext(%s), %s)", f"crm.value.run.{kind}", company.id)
        )
        if not self.env.cr.fetchone()[0]:
            return None, UNKNOWN_HOLDER
        running = runs.search(
            [("company_id", "=", company.id), ("kind", "=", kind), ("state", "=", "running")]
        )
        if running and running.lease_until > fields.Datetime.now():
            return None, {
                "run_id": running.id,
                "worker": running.worker,
                "until": fields.Datetime.to_string(running.lease_until),
            }
        if running and running._past_day() == day:
            return running, None
        if running:
            running._end("failed", error=self.env._("Its worker left it unfinished."))
        if day:
            self._check_nothing_later(company, day)
            return runs._request_past(company, day), None
        if request:
            runs._request(company, kind)
        elif kind == "score":
            runs._request_due(company)
        waiting = [("company_id", "=", company.id), ("kind", "=", kind), ("state", "=", "requested")]
        return runs.search(waiting, order="id", limit=1), None

    def _describe_run(self, run):
        return {
            "id": run.id,
            "token": run.token,
            "kind": run.kind,
            "company_id": run.company_id.id,
            "as_of": fields.Date.to_string(run.as_of),
            "lease_seconds": LEASE_SECONDS,
            "attempt": run.attempt,
            "parameters": run.parameters or {},
            "policy": self._describe_policy(run.policy_version_id),
            **self._describe_before(run),
        }

    def _describe_before(self, run):
        """The company's last scoring run, and the policy to label the same data by too: for a preview the active one;
        for a scoring run that of the run before, where it was another, since only what neither changes is behaviour.
        """
        done = [("company_id", "=", run.company_id.id), ("kind", "=", "score"), ("state", "=", "done")]
        last = self.env["crm.value.run"].sudo().search(done, order="closed_at desc, id desc", limit=1)
        other = last.policy_version_id
        if run.kind == "preview":
            other = self.env["crm.value.policy.version"]._get_active(run.company_id)
        differs = other and other != run.policy_version_id
        return {
            "last_run": last.id or None,
            "compared_policy": self._describe_policy(other) if differs else None,
        }

    @api.model
    def beat(self, run_id, token, progress, message=""):
        """Prolong the lease and show progress (0 to 100) in Odoo."""
        self._check_worker()
        run = self._get_run(run_id, token)
        run._prolong(progress, message)
        return {"lease_seconds": LEASE_SECONDS}
