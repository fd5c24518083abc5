from unittest.mock import patch

import psycopg2

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .. import winback_choice
from .test_winback import WinbackCase


@tagged("post_install", "-at_install")
class TestWinbackTerms(WinbackCase):
    """What becomes of a plan is counted, and its terms and customers stay as they were."""

    def test_nobody_is_in_two_plans(self):
        first, second = self.plan(), self.plan()
        first.action_fill()
        second.action_fill()
        first.action_start()
        with self.assertRaisesRegex(UserError, "another plan"):
            second.action_start()
        with self.assertRaisesRegex(UserError, "None of 1 customers"):
            second.action_fill()

    def test_who_is_left_alone_is_in_no_other_plan_either(self):
        a, b, _c, _d = self.partners
        for arm in ("act", "control"):
            first, second = self.plan(), self.plan()
            first.action_fill()
            second.action_fill()
            for plan, shared in ((first, arm), (second, "control")):
                for line in plan.line_ids.sudo():
                    line.arm = shared if line.partner_id == b else "act"
            first.line_ids.filtered(lambda line: line.partner_id == a).unlink()
            if arm == "control":
                first.line_ids.sudo().create(
                    {
                        "plan_id": first.id,
                        "partner_id": self.unscored.id,
                        "kind": "lost",
                        "arm": "act",
                    }
                )
            first.action_start()
            with self.assertRaisesRegex(UserError, "Customer 1 are in another plan"):
                second.action_start()
            first.action_stop()

    def test_bad_input(self):
        with self.assertRaisesRegex(UserError, "budget of nothing"):
            self.plan(budget=0).action_fill()
        with self.assertRaisesRegex(UserError, "costs more"):
            self.plan(contact_cost=500).action_fill()
        with self.assertRaisesRegex(UserError, r"below what the first customer costs.*25\.50"):
            self.plan(budget=25, contact_cost=25.5).action_fill()
        with (
            patch.object(winback_choice, "_lot", lambda _seed, _partner: 0.1),
            self.assertRaisesRegex(UserError, "All 2 customers worth it would be left alone"),
        ):
            self.plan(control_share=0.2).action_fill()
        with self.assertRaisesRegex(UserError, "whom to take"):
            self.plan(takes_lost=False, takes_dormant=False, takes_at_risk=False).action_fill()
        plan = self.plan()
        plan.action_fill()
        plan.action_start()
        with self.assertRaises(UserError):
            plan.unlink()
        with self.assertRaises(UserError):
            plan.line_ids.unlink()

    def test_who_is_chosen_stays_when_nobody_can_be_chosen(self):
        plan = self.plan()
        plan.action_fill()
        chosen, base = plan.line_ids, plan.base
        self.lose(burden="t")
        self.env.cr.execute("UPDATE crm_value_profile SET burden = TRUE")
        # Without a savepoint: what is written before it fails would be kept by who catches that.
        try:
            plan.action_fill()
        except UserError as error:
            self.assertIn("no such customer", str(error))
        self.assertEqual((plan.line_ids, plan.base), (chosen, base))

    def test_another_question_needs_another_choice(self):
        plan = self.plan().with_context(allowed_company_ids=(self.alpha | self.beta).ids)
        for changed in (
            {"takes_lost": False},
            {"takes_dormant": False},
            {"takes_at_risk": False},
            {"budget": 900},
            {"contact_cost": 9},
            {"offer_cost": 1},
            {"margin_rate": 0.4},
            {"lift": 0.9},
            {"saved": 0.2},
            {"assumed_chance": 0.2},
            {"control_share": 0.1},
            {"window_days": 80},
            {"company_id": self.beta.id},
        ):
            with self.subTest(changed=changed):
                plan.write({"takes_lost": True, "takes_dormant": True, "company_id": self.alpha.id})
                plan.action_fill()
                self.assertTrue(plan.line_ids)
                plan.write(changed)
                self.assertFalse(plan.line_ids)
                self.assertFalse(plan.base)
                self.assertFalse(plan.chance_basis)
                with self.assertRaisesRegex(UserError, "Choose the customers first"):
                    plan.action_start()
        plan.company_id = self.alpha
        plan.action_fill()
        chosen = plan.line_ids
        plan.write({"name": "Summer", "user_id": self.user.id})
        self.assertEqual(plan.line_ids, chosen)

    def test_nobody_forges_what_a_plan_became(self):
        plan = self.plan()
        plan.action_fill()
        forged = {
            "state": "running",
            "started_at": fields.Datetime.now(),
            "base": {"lost": {"customers": 1, "back": 1}},
            "result": {"acted": {}},
        }
        for name, value in forged.items():
            with self.subTest(name=name):
                with self.assertRaises(AccessError):
                    plan.write({name: value})
                with self.assertRaises(AccessError):
                    self.plan(**{name: value})
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.IntegrityError),
            self.env.cr.savepoint(),
        ):
            plan.sudo().state = "running"
            self.env.flush_all()
        plan.invalidate_recordset()
        plan.action_start()
        copied = plan.copy()
        self.assertEqual((copied.state, copied.started_at, copied.base), ("draft", False, False))

    def test_terms_stay_once_it_has_begun(self):
        plan = self.plan()
        plan.action_fill()
        plan.action_start()
        for changed in (
            {"takes_lost": False},
            {"budget": 1},
            {"contact_cost": 1},
            {"offer_cost": 1},
            {"window_days": 1},
            {"control_share": 0.3},
            {"margin_rate": 0.1},
            {"assumed_chance": 0.9},
            {"lift": 3},
            {"saved": 0.9},
            {"company_id": self.beta.id},
        ):
            with self.subTest(changed=changed), self.assertRaisesRegex(UserError, "its terms stay"):
                plan.write(changed)
        plan.name = "Summer"
        self.assertTrue(plan.line_ids)

    def test_an_objecting_customer_leaves_the_plan(self):
        a, b, _c, _d = self.partners
        plan = self.plan()
        plan.action_fill()
        plan.action_start()
        activity = plan.line_ids.sudo().filtered(lambda line: line.partner_id == a).activity_id
        self.env["crm.value.objection"].create({"partner_id": a.id})
        self.env.invalidate_all()
        self.assertEqual(plan.line_ids.partner_id, b)
        self.assertFalse(activity.exists())

    def test_merged_customers_are_in_it_once(self):
        a, b, _c, _d = self.partners
        plan = self.plan()
        plan.action_fill()
        self.env["base.partner.merge.automatic.wizard"].create({})._merge((a | b).ids, a, [])
        self.env.invalidate_all()
        self.assertEqual(plan.line_ids.partner_id, a)

    def test_merged_customers_of_a_plan_that_runs(self):
        a, b, _c, _d = self.partners
        plan = self.plan()
        plan.action_fill()
        plan.action_start()
        by_customer = {line.partner_id: line for line in plan.line_ids.sudo()}
        by_customer[a].arm = "control"
        gone, kept = by_customer[a].activity_id, by_customer[b].activity_id
        self.assertTrue(gone and kept)
        self.env["base.partner.merge.automatic.wizard"].create({})._merge((a | b).ids, a, [])
        self.env.invalidate_all()
        self.assertEqual((plan.line_ids.partner_id, plan.line_ids.arm), (a, "act"), "one was contacted")
        self.assertFalse(gone.exists())
        self.assertEqual(kept.exists().res_id, a.id)

    def test_an_objection_takes_away_what_was_done_of_a_plan(self):
        a, _b, _c, _d = self.partners
        plan = self.plan()
        plan.action_fill()
        plan.action_start()
        before = a.message_ids
        activity = plan.line_ids.sudo().filtered(lambda line: line.partner_id == a).activity_id
        activity.action_feedback("called")
        self.assertTrue(a.message_ids - before)
        self.env["crm.value.objection"].create({"partner_id": a.id})
        self.assertFalse(a.message_ids - before)
        self.assertFalse(activity.exists())

    def test_who_may_plan(self):
        plan = self.plan()
        plan.action_fill()
        for button in ("action_fill", "action_start", "action_stop"):
            with self.assertRaises(AccessError):
                getattr(plan.with_user(self.user), button)()
        self.assertTrue(plan.with_user(self.user).name)
        with self.assertRaises(AccessError):
            plan.line_ids.with_user(self.manager).write({"cost": 0})
        for user in (self.viewer, self.employee, self.portal, self.sync):
            with self.assertRaises(AccessError):
                plan.with_user(user).read(["name"])
        beta = self.as_user("crm.value.winback", self.manager, self.beta)
        self.assertFalse(beta.search([("id", "=", plan.id)]))
