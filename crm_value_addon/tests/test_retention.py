from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from ..models import crm_value_retention
from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestRetention(CustomerValueCase):
    """What the policy keeps no longer goes; what holds stays, however old."""

    def keep(self, company=None, **days):
        """Let the policy of a company keep things for so many days."""
        rules = [Command.create({"key": f"keep_{name}_days", "value": str(d)}) for name, d in days.items()]
        version = self.env["crm.value.policy.version"].create(
            {"company_id": (company or self.alpha).id, "rule_ids": rules}
        )
        version.action_activate()

    def forget(self, day, seconds=()):
        """The daily clean-up; the rows it reported after each transaction.

        :param seconds: left after each transaction, plenty where none is named
        """
        left, reported = iter(seconds), []

        def progress(_cron, processed=0, *, remaining=None, deactivate=False):
            reported.append(processed)
            return next(left, 60.0)

        with (
            freeze_time(f"{day} 02:00:00"),
            patch.object(self.registry["ir.cron"], "_commit_progress", progress),
        ):
            self.env["crm.value.retention"]._cron_forget()
        return reported

    def runs(self, company=None):
        return self.env["crm.value.run"].search([("company_id", "=", (company or self.alpha).id)], order="id")

    def staged(self):
        self.env.cr.execute("SELECT count(*) FROM crm_value_staging")
        return self.env.cr.fetchone()[0]

    # ----------------------------------------------------------------- history

    def test_states_that_ended_long_ago_go_and_present_ones_stay(self):
        for company in (self.alpha, self.beta):
            self.score_on("2020-01-10", [self.full(self.customer), self.full(self.customer2)], company)
            self.score_on("2020-06-10", [self.full(self.customer, value_class="key")], company)
            self.score_on("2023-06-10", [self.full(self.customer, value_class="growth")], company)
        self.keep(history=1826)
        self.keep(self.beta, history=36500)
        self.assertEqual(len(self.history(self.customer)), 3)
        self.forget("2026-03-01")
        self.assertEqual(self.history(self.customer).mapped("value_class"), ["key", "growth"])
        self.assertFalse(self.history(self.customer2), "it ended when the customer was gone")
        self.assertEqual(len(self.history(self.customer, self.beta)), 3)
        self.forget("2050-03-01")
        self.assertEqual(self.history(self.customer).mapped("value_class"), ["growth"])
        self.assertEqual(self.profile(self.customer).effective_value_class, "growth")

    def test_a_state_is_kept_while_a_day_that_is_kept_needs_it(self):
        self.keep(history=366)
        self.score_on("2024-01-10", [self.full(self.customer)])
        self.score_on("2025-01-10", [self.full(self.customer, value_class="key")])
        self.forget("2026-01-10")
        self.assertEqual(len(self.history(self.customer)), 2, "it held on the first day kept, 2025-01-09")
        self.forget("2026-01-11")
        self.assertEqual(self.history(self.customer).value_class, "key")

    def test_movement_reaches_back_as_far_as_history_is_kept(self):
        self.score_on("2020-01-10", [self.full(self.customer)])
        wizard = self.as_user("crm.value.movement.wizard", self.manager, self.alpha)
        for day, first in (("2021-02-10", "2020-01-10"), ("2026-03-01", "2021-03-01")):
            with freeze_time(f"{day} 12:00:00"):
                self.assertEqual(str(wizard.new({}).history_start), first)

    # --------------------------------------------------------------- month-ends

    def test_month_ends(self):
        for day in ("2025-01-10", "2025-02-10", "2025-03-10", "2025-04-10"):
            for company in (self.alpha, self.beta):
                self.score_on(day, [self.full(self.customer)], company)
        self.keep(snapshots=366)
        self.forget("2026-03-01")
        days = {
            company: [
                str(day)
                for day in self.env["crm.value.snapshot"]
                .search([("company_id", "=", company.id)], order="date")
                .mapped("date")
            ]
            for company in (self.alpha, self.beta)
        }
        self.assertEqual(days[self.alpha], ["2025-02-28", "2025-03-31"])
        self.assertEqual(days[self.beta], ["2025-01-31", "2025-02-28", "2025-03-31"])

    # --------------------------------------------------------------------- runs

    def test_old_runs_go_with_what_they_found_but_the_last_of_each_kind(self):
        with freeze_time("2020-01-10 12:00:00"):
            old_test = self.backtest(self.grade())
            self.score([self.full(self.customer), self.full(self.customer2)])
            self.score([self.full(self.customer, value_class="key"), self.full(self.customer2)], self.beta)
        with freeze_time("2020-02-10 12:00:00"):
            last_test = self.backtest(self.grade())
            self.score([self.full(self.customer, value_class="key"), self.full(self.customer2)])
            failed = self.claim()
            self.contract.close_run(run_id=failed["id"], token=failed["token"], state="failed", error="no")
            waiting = self.env["crm.value.run"]._request(self.alpha, "backtest")
        last = self.runs().filtered(lambda run: run.kind == "score" and run.state == "done")[-1]
        self.assertEqual((len(self.runs()), len(old_test.grade_ids)), (6, 1))
        self.keep(runs=365)
        self.forget("2021-01-15")
        self.assertEqual(len(self.runs()), 4, "those that ended within the year")
        self.forget("2026-03-01")
        self.assertEqual(self.runs(), last_test | last | waiting)
        self.assertEqual(
            self.env["crm.value.grade"].search([("company_id", "=", self.alpha.id)]), last_test.grade_ids
        )
        self.assertEqual(len(self.runs(self.beta)), 1)

    def test_nothing_names_a_run_that_is_gone(self):
        self.score_on("2020-01-10", [self.full(self.customer), self.full(self.customer2)])
        self.score_on("2020-02-10", [self.full(self.customer, value_class="key"), self.full(self.customer2)])
        first, last = self.runs()
        self.assertEqual(self.profile(self.customer2).changed_run_id, first.id)
        self.forget("2026-03-01")
        self.assertEqual(self.runs(), last)
        self.assertEqual(self.history(self.customer)[-1].run_id, last.id)
        self.assertFalse(self.history(self.customer2).run_id)
        self.assertFalse(self.profile(self.customer2).changed_run_id)
        self.assertEqual(self.profile(self.customer).changed_run_id, last.id)
        self.assertEqual(self.profile(self.customer2).effective_value_class, "standard")
        # and the next run goes on from there
        self.score_on("2026-03-02", [self.full(self.customer, value_class="key"), self.full(self.customer2)])
        self.assertEqual(len(self.history(self.customer2)), 1)

    def test_a_dead_run_is_given_up_and_a_slow_one_is_not(self):
        with freeze_time("2026-03-01 12:00:00"):
            run = self.claim()
            self.publish(run, [self.full(self.customer)])
        self.forget("2026-03-02")
        self.assertEqual((self.runs().state, self.staged()), ("running", 1))
        self.forget("2026-03-04")
        dead = self.runs()
        self.assertEqual((dead.state, self.staged()), ("failed", 0))
        self.assertIn("test:1", dead.error)
        with self.assertRaises(UserError), freeze_time("2026-03-04 12:00:00"):
            self.close(run, 1)
        self.score_on("2026-03-04", [self.full(self.customer)])
        self.assertEqual(self.profile(self.customer).effective_value_class, "standard")

    def test_what_was_sent_of_no_run_goes(self):
        run = self.claim()
        self.publish(run, [self.full(self.customer)])
        self.env.cr.execute(
            "SELECT set_config('crm_value.run', '0', TRUE), set_config('crm_value.batch', '1', TRUE)"
        )
        self.env.cr.execute("INSERT INTO crm_value_staging (partner_id) VALUES (%s)", [self.customer.id])
        self.assertEqual(self.staged(), 2)
        self.env["crm.value.retention"]._forget_staged(self.alpha)
        self.assertEqual(self.staged(), 1)
        self.close(run, 1)

    # ------------------------------------------------------------------ the job

    def states(self, count):
        """So many states that ended long ago."""
        for number in range(count + 1):
            value_class = ("key", "standard")[number % 2]
            self.score_on(f"2020-01-{number + 1:02}", [self.full(self.customer, value_class=value_class)])

    def test_it_deletes_in_batches_and_goes_on_later_where_time_is_up(self):
        self.states(5)
        self.keep(runs=36500)
        with patch.object(crm_value_retention, "BATCH", 2):
            reported = self.forget("2026-03-01", seconds=[60.0, 60.0, 0.0])
            self.assertEqual((sum(reported), len(self.history(self.customer))), (2, 4))
            reported = self.forget("2026-03-02")
        self.assertEqual((sum(reported), max(reported)), (3, 2))
        self.assertEqual(len(self.history(self.customer)), 1)

    def test_a_company_without_a_policy_keeps_things_for_the_default(self):
        self.states(1)
        self.env["crm.value.run"].search([]).policy_version_id = False
        self.env["crm.value.policy.version"].search([("company_id", "=", self.alpha.id)]).sudo().write(
            {"state": "superseded"}
        )
        versions = self.env["crm.value.policy.version"].search_count([])
        self.forget("2024-12-01")
        self.assertEqual(len(self.history(self.customer)), 2)
        self.forget("2025-01-03")
        self.assertEqual(len(self.history(self.customer)), 1)
        self.assertEqual(self.env["crm.value.policy.version"].search_count([]), versions)

    def test_cron_is_installed(self):
        cron = self.env.ref("crm_value_addon.ir_cron_forget")
        self.assertEqual((cron.interval_number, cron.interval_type), (1, "days"))
        self.states(2)
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.assertTrue(cron.active)
        self.assertEqual(len(self.history(self.customer)), 1)
