from importlib.util import module_from_spec, spec_from_file_location

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import file_path

from .common import CustomerValueCase

DAYS = "keep_snapshots_days"


@tagged("post_install", "-at_install")
class TestMigration(CustomerValueCase):
    """What earlier versions of the addon left: moved to where it belongs now, or gone."""

    def migrate(self, version="19.0.1.0.0"):
        path = file_path("crm_value_addon/migrations/19.0.1.1.0/post-migrate.py")
        spec = spec_from_file_location("post_migrate", path)
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        module.migrate(self.cr, version)
        self.env.invalidate_all()

    def months(self, **given):
        """The setting as it was, in months by name of the company; the others have the usual one."""
        self.cr.execute("ALTER TABLE res_company ADD COLUMN crm_value_snapshot_months integer DEFAULT 60")
        for company, months in given.items():
            self.cr.execute(
                "UPDATE res_company SET crm_value_snapshot_months = %s WHERE id = %s",
                [months, getattr(self, company).id],
            )

    def active(self, company):
        return self.env["crm.value.policy.version"].search(
            [("company_id", "=", company.id), ("state", "=", "active")]
        )

    def kept(self, company):
        """The rule of the policy in force, nothing where there is none."""
        return self.active(company).rule_ids.filtered(lambda rule: rule.key == DAYS).value

    def test_months_become_a_rule_of_the_policy(self):
        draft = self.env["crm.value.policy.version"].create(
            {
                "company_id": self.alpha.id,
                "note": "Ours",
                "rule_ids": [Command.create({"key": "key_share", "value": "0.7"})],
            }
        )
        draft.action_activate()
        self.months(alpha=120)
        self.migrate()
        moved = self.active(self.alpha)
        self.assertEqual((moved.number, moved.note), (draft.number + 1, "Ours"))
        self.assertEqual(moved._values(self.env["crm.value.format"])["key_share"], 0.7)
        self.assertEqual(self.kept(self.alpha), "3652")
        self.assertEqual(draft.state, "superseded")
        self.assertFalse(self.active(self.beta), "the usual setting is the default of the policy")

    def test_for_ever_and_less_than_the_policy_allows(self):
        self.months(alpha=0, beta=3, branch=7)
        self.migrate()
        self.assertEqual((self.kept(self.alpha), self.kept(self.beta)), ("36500", "366"))
        self.assertFalse(self.active(self.branch))

    def test_a_policy_that_says_it_already_has_its_say(self):
        draft = self.env["crm.value.policy.version"].create(
            {"company_id": self.alpha.id, "rule_ids": [Command.create({"key": DAYS, "value": "400"})]}
        )
        draft.action_activate()
        self.months(alpha=120)
        self.migrate()
        self.assertEqual((self.active(self.alpha), self.kept(self.alpha)), (draft, "400"))

    def test_the_job_of_month_ends_goes(self):
        job = self.env["ir.cron"].create(
            {
                "name": "Customer Value: delete old month-end snapshots",
                "model_id": self.env["ir.model"]._get("crm.value.snapshot").id,
                "state": "code",
                "code": "model._cron_forget()",
                "interval_type": "days",
            }
        )
        action = job.ir_actions_server_id
        self.env["ir.model.data"].create(
            {
                "module": "crm_value_addon",
                "name": "ir_cron_forget_snapshots",
                "model": "ir.cron",
                "res_id": job.id,
                "noupdate": True,
            }
        )
        self.migrate()
        self.assertFalse(job.exists())
        self.assertFalse(action.exists())
        self.assertFalse(self.env.ref("crm_value_addon.ir_cron_forget_snapshots", raise_if_not_found=False))
        self.assertTrue(self.env.ref("crm_value_addon.ir_cron_forget"))

    def test_where_there_is_nothing_left_nothing_is_done(self):
        self.migrate()
        self.migrate(version=None)
        self.assertFalse(self.active(self.alpha))
