from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..data_quality import FINDING_MODELS, finding_domain
from ..first_steps import TICKS, checklist, steps
from .crm_value_sync import EXCESS_GROUPS

FRESH_DAYS = 7
ACTED_DAYS = 90


class CrmValueStep(models.Model):
    """A step of the introduction that a manager has ticked, for a company."""

    _name = "crm.value.step"
    _description = "Customer Value Introduction Step"
    _rec_name = "key"

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    key = fields.Selection(TICKS, required=True)

    _once = models.Constraint("UNIQUE(company_id, key)", "A step is ticked once per company.")

    @api.model
    def read_steps(self):
        """How far the introduction of the current company is, step by step, and what makes it succeed.

        :return: ``{"company", "steps", "checklist", "run", "commands"}``; see ``first_steps``
        :raise AccessError: for whom is no manager of customer value
        """
        company = self._check_manager()
        ticked = {
            tick.key: (tick.create_uid.name, tick.create_date)
            for tick in self.sudo().search([("company_id", "=", company.id)])
        }
        run = self._last_run(company)
        told = steps(self.env, company, ticked, run, self._workers(company))
        done = {step["key"]: step["done"] for step in told}
        return {
            "company": company.name,
            "steps": told,
            "checklist": checklist(self.env, ticked, self._measured(company, done)),
            "run": run,
            "commands": self._commands(),
        }

    @api.model
    def tick(self, key, done):
        """Say that a step is done, or that it is not.

        :raise AccessError: for whom is no manager of customer value
        :raise UserError: when there is no such step
        """
        company = self._check_manager()
        if key not in dict(TICKS):
            raise UserError(self.env._("There is no step “%s” to tick.", key))
        there = self.sudo().search([("company_id", "=", company.id), ("key", "=", key)])
        if done and not there:
            self.sudo().create({"company_id": company.id, "key": key})
        elif not done:
            there.unlink()

    @api.model
    def open_finding(self, finding):
        """The records behind a finding about the data, as far as the reader may see them.

        :raise AccessError: for whom is no manager of customer value
        :raise UserError: when there is no such finding
        """
        company = self._check_manager()
        domain = finding_domain(self.env, company, finding)
        if not domain:
            raise UserError(self.env._("There is no finding “%s”.", finding))
        model = FINDING_MODELS.get(finding, "res.partner")
        self.env[model].check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env["ir.model"]._get(model).name,
            "res_model": model,
            "views": [(False, "list"), (False, "form")],
            "domain": domain,
        }

    # ----------------------------------------------------------------- helpers

    def _check_manager(self):
        """The root of the current company, for its managers."""
        if not self.env.user.has_group("crm_value_addon.group_manager"):
            raise AccessError(self.env._("Only customer value managers introduce it."))
        return self.env.company.root_id

    def _last_run(self, company):
        runs = self.env["crm.value.run"].search(
            [("company_id", "=", company.id), ("kind", "=", "score")], order="id desc", limit=1
        )
        if not runs:
            return None
        scored = self.env["crm.value.profile"].search_count([("company_id", "=", company.id)], limit=1)
        return {
            "id": runs.id,
            "state": runs.state,
            "progress": runs.progress,
            "message": runs.message_told or "",
            "error": runs.error_told or "",
            "scored": bool(scored),
        }

    def _workers(self, company):
        """Accounts of workers that may score the company, with how many API keys and which rights too many."""
        group = self.env.ref("crm_value_addon.group_sync").sudo()
        users = group.user_ids.filtered(lambda user: company in user.company_ids and user.active)
        keys = dict(
            self.env["res.users.apikeys"]
            .sudo()
            ._read_group([("user_id", "in", users.ids)], ["user_id"], ["__count"])
        )
        excess = {
            group: name
            for group in EXCESS_GROUPS
            if (name := self.env.ref(group, raise_if_not_found=False)) and (name := name.sudo().full_name)
        }
        return [
            {
                "name": user.name,
                "keys": keys.get(user, 0),
                "rights": [name for group, name in excess.items() if user.has_group(group)],
            }
            for user in users
        ]

    def _commands(self):
        """What starts a worker of this database; the key itself is nowhere but with the worker."""
        url = self.env["ir.config_parameter"].sudo().get_param("web.base.url")
        return "\n".join(
            (
                "pip install .",
                f"export SYNC_WORKER_URL={url} SYNC_WORKER_DATABASE={self.env.cr.dbname}",
                "export SYNC_WORKER_API_KEY_FILE=~/.config/sync-worker/api-key",
                "sync-worker check",
                "sync-worker run --month-ends 12",
                "sync-worker serve",
            )
        )

    def _measured(self, company, done):
        """What Odoo can tell itself of the checklist, ``{key: (bool, text)}``."""
        fresh = fields.Datetime.now() - timedelta(days=FRESH_DAYS)
        runs = self.env["crm.value.run"].search_count(
            [
                ("company_id", "=", company.id),
                ("kind", "=", "score"),
                ("state", "=", "done"),
                ("closed_at", ">=", fresh),
            ]
        )
        since = fields.Datetime.now() - timedelta(days=ACTED_DAYS)
        acted = self.env["crm.value.override"].search_count(
            [("company_id", "=", company.id), ("create_date", ">=", since)]
        )
        return {
            "data": (done["formats"] and done["quality"], self.env._("by the steps above")),
            "acting": (
                bool(acted),
                self.env._("Overrides in the last %(days)s days: %(count)s", count=acted, days=ACTED_DAYS),
            ),
            "tracking": (
                bool(runs),
                self.env._("Runs in the last %(days)s days: %(count)s", count=runs, days=FRESH_DAYS),
            ),
        }
