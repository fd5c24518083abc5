from ast import literal_eval

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from ..labels import LABELS
from ..policy_schema import POLICY_SCHEMA
from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestPolicyPreview(CustomerValueCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.user_id = cls.manager

    def draft(self, rules=(), **values):
        return self.as_user("crm.value.policy.version", self.manager, self.alpha).create(
            {
                "company_id": self.alpha.id,
                "rule_ids": [Command.create({"key": key, "value": value}) for key, value in rules],
                **values,
            }
        )

    def labels(self, **values):
        """The labels of the active policy and of the draft, the same but for those named."""
        same = dict.fromkeys(LABELS)
        same |= {"value_class": "standard", "value_segment": "standard", "loyalty_stage": "approval"}
        same |= {"lifecycle_stage": "retention", "churn_risk": "low"}
        return {**same, **{f"before_{label}": value for label, value in same.items()}, **values}

    def row(self, partner, **values):
        return {
            "partner_id": partner.id,
            **self.labels(**values),
            "current_value": 500,
            "potential_value": 250,
        }

    def previewed(self, draft, rows, moves=()):
        """A whole preview as a worker makes it; the answer to the claim."""
        draft.action_preview()
        run = self.contract.claim_run(worker="test:1", company_id=self.alpha.id, kind="preview")["run"]
        if rows:
            self.publish(run, rows)
        found = {
            "as_of": "2026-02-01",
            "customers": 1200,
            "changed": len(rows),
            "labels": {"value_class": [*moves]},
        }
        self.close(run, len(rows), result={"preview": found})
        return run

    def move(self, before="standard", after="key", customers=3, value=2250.0):
        return {"before": before, "after": after, "customers": customers, "value": value}

    def test_a_preview_is_of_a_draft_and_publishes_nothing(self):
        self.score([self.full(self.customer), self.full(self.customer2)])
        draft = self.draft([("key_share", "0.9")])
        run = self.previewed(draft, [self.row(self.customer, value_class="key")], [self.move()])
        self.assertEqual((run["kind"], run["policy"]["version_id"]), ("preview", draft.id))
        self.assertEqual(run["policy"]["rules"], [{"key": "key_share", "format_id": None, "value": 0.9}])
        self.assertEqual(run["compared_policy"]["rules"], [])
        self.assertEqual(self.profile(self.customer).computed_value_class, "standard")
        self.assertEqual(len(self.history(self.customer)), 1)
        line = self.env["crm.value.preview"].search([("version_id", "=", draft.id)])
        self.assertEqual((line.partner_id, line.user_id, line.value), (self.customer, self.manager, 750))
        self.assertEqual((line.before_value_class, line.value_class), ("standard", "key"))
        self.assertTrue(line.value_class_changed)
        self.assertFalse(line.loyalty_stage_changed or line.lost_type_changed)
        self.assertFalse(
            self.contract.claim_run(worker="test:1", company_id=self.alpha.id, kind="preview")["run"]
        )

    def test_figures_as_people_read_them(self):
        self.score([self.full(self.customer)])
        draft = self.draft([("key_share", "0.9")])
        self.assertFalse(draft.preview)
        draft.action_preview()
        self.assertEqual(draft.preview["state"], "requested")
        moves = [
            self.move("standard", "growth", 9, 90.0),
            self.move(),
            self.move("key", "key", 40, 9e5),  # did not move
            self.move(None, "key", 1, 1.0),
            self.move("key", "nonsense"),
            {"before": "key"},
            self.move("key", "growth", -1),
            "rubbish",
        ]
        self.previewed(draft, [self.row(self.customer, value_class="key")], moves)
        draft.invalidate_recordset()
        preview = draft.preview
        self.assertEqual((preview["state"], preview["customers"], preview["changed"]), ("done", "1,200", "1"))
        self.assertFalse(preview["stale"])
        (label,) = preview["labels"]
        self.assertEqual(
            [(move["before_name"], move["after_name"], move["customers"]) for move in label["moves"]],
            [("Standard (C)", "Key (A)", "3"), ("Standard (C)", "Growth (B)", "9"), ("None", "Key (A)", "1")],
        )
        self.assertIn("2,250", label["moves"][0]["value"])

    def test_a_changed_draft_makes_its_preview_stale(self):
        self.score([self.full(self.customer)])
        draft = self.draft([("key_share", "0.9")])
        self.previewed(draft, [])
        self.assertFalse(draft.preview["stale"])
        draft.rule_ids.value = "0.7"
        self.assertTrue(draft.preview["stale"])
        draft.rule_ids.value = "0.90"
        self.assertFalse(draft.preview["stale"])

    def test_another_preview_of_a_draft_takes_the_place_of_the_first(self):
        self.score([self.full(self.customer)])
        draft, other = self.draft(), self.draft()
        self.previewed(other, [self.row(self.customer, churn_risk="high")])
        self.previewed(draft, [self.row(self.customer, churn_risk="high"), self.row(self.customer2)])
        self.previewed(draft, [self.row(self.customer2, churn_risk="high")])
        lines = self.env["crm.value.preview"]
        self.assertEqual(lines.search([("version_id", "=", draft.id)]).partner_id, self.customer2)
        self.assertEqual(lines.search([("version_id", "=", other.id)]).partner_id, self.customer)
        draft.unlink()
        self.assertEqual(lines.search([]).version_id, other)

    def test_what_cannot_be_previewed(self):
        draft = self.draft([("risk_medium_from", "0.9")])
        with self.assertRaisesRegex(ValidationError, "must be below"):
            draft.action_preview()
        draft.rule_ids.unlink()
        with self.assertRaisesRegex(UserError, "Score the customers first"):
            draft.action_preview()
        self.score([self.full(self.customer)])
        draft.action_preview()
        draft.action_preview()
        self.assertEqual(self.env["crm.value.run"].search_count([("kind", "=", "preview")]), 1)
        draft.action_activate()
        with self.assertRaisesRegex(UserError, "Only a draft"):
            draft.action_preview()

    def test_a_worker_cannot_ask_for_a_preview(self):
        self.assertFalse(self.claim(kind="preview"))
        self.assertFalse(self.env["crm.value.run"].search_count([("kind", "=", "preview")]))

    def test_who_may_preview_and_see_it(self):
        self.score([self.full(self.customer)])
        draft = self.draft()
        with self.assertRaises(AccessError):
            draft.with_user(self.user).action_preview()
        self.previewed(draft, [self.row(self.customer, churn_risk="high")])
        for user in (self.portal, self.employee, self.viewer, self.user, self.sync):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.as_user("crm.value.preview", user, *user.company_ids).search([])
        self.assertTrue(self.as_user("crm.value.preview", self.manager, self.alpha).search([]))
        self.assertFalse(self.as_user("crm.value.preview", self.manager, self.beta).search([]))
        with self.assertRaises(AccessError):
            self.as_user("crm.value.preview", self.manager, self.alpha).search([]).unlink()

    def test_only_columns_of_a_preview(self):
        self.score([self.full(self.customer)])
        draft = self.draft()
        draft.action_preview()
        run = self.contract.claim_run(worker="test:1", company_id=self.alpha.id, kind="preview")["run"]
        with self.assertRaisesRegex(UserError, r"^\[contract\]"):
            self.publish(run, [{"partner_id": self.customer.id, "churn_probability": 0.5}])
        bad = self.publish(run, [self.row(self.customer, before_value_class="nonsense")])
        self.assertEqual((bad["ok"], bad["out_of_range"]), (0, 1))
        score = self.claim()
        with self.assertRaisesRegex(UserError, r"^\[contract\]"):
            self.publish(score, [self.row(self.customer)])

    def test_an_objection_erases_the_preview_too(self):
        self.score([self.full(self.customer)])
        draft = self.draft()
        self.previewed(draft, [self.row(self.customer, churn_risk="high")])
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        self.assertFalse(self.env["crm.value.preview"].search([]))

    def test_the_customers_of_a_move(self):
        self.score([self.full(self.customer)])
        draft = self.draft()
        rows = [
            self.row(self.customer, value_class="key"),
            self.row(self.customer2, value_class="growth"),
            self.row(self.customer3, churn_risk=None),
        ]
        self.previewed(draft, rows)

        def partners(*wanted):
            action = draft.action_open_preview(*wanted)
            return self.env["crm.value.preview"].search(action["domain"]).partner_id

        self.assertEqual(partners(), self.customer | self.customer2 | self.customer3)
        self.assertEqual(partners("value_class"), self.customer | self.customer2)
        self.assertEqual(partners("value_class", "standard", "key"), self.customer)
        self.assertEqual(partners("churn_risk", "low", None), self.customer3)
        titles = [
            draft.action_open_preview(*wanted)["name"]
            for wanted in (("churn_risk",), ("churn_risk", "low", None))
        ]
        self.assertEqual(
            titles, ["Churn Risk: from now (rows) to the draft (columns)", "Churn Risk: Low to None"]
        )
        groups = self.env["crm.value.preview"].formatted_read_group([], ["value_class"], ["__count"])
        self.assertEqual(
            [group["value_class"] for group in groups], ["key", "growth", "standard"], "best first"
        )
        self.assertEqual(partners("not a label"), self.customer | self.customer2 | self.customer3)

    def test_a_run_under_another_policy_labels_by_the_one_before_too(self):
        self.score([self.full(self.customer)])
        self.assertIsNone(self.claim()["compared_policy"])
        self.env["crm.value.run"].search([("state", "=", "running")]).action_cancel()
        self.draft([("key_share", "0.9")]).action_activate()
        run = self.claim()
        self.assertEqual(run["policy"]["rules"][0]["value"], 0.9)
        self.assertEqual(run["compared_policy"]["rules"], [])

    def test_a_policy_activated_during_a_run_holds_from_the_next_on(self):
        before = self.claim()
        draft = self.draft([("key_share", "0.9")])
        draft.action_activate()
        self.publish(before, [self.full(self.customer)])
        self.close(before, 1)
        run = self.env["crm.value.run"].browse(before["id"])
        old = run.policy_version_id
        self.assertEqual((old.state, draft.state), ("superseded", "active"))
        self.assertEqual(before["policy"]["version_id"], old.id)
        self.assertEqual(self.profile(self.customer).policy_version_id, old)
        self.assertEqual(self.history(self.customer).policy_number, old.number)
        # nothing is lost of it: the next one labels by both
        following = self.claim()
        self.assertEqual(following["policy"]["version_id"], draft.id)
        self.assertEqual(following["compared_policy"]["version_id"], old.id)
        self.publish(following, [self.full(self.customer, value_class="key", cause="policy")])
        self.close(following, 1)
        self.assertEqual(self.history(self.customer).mapped("policy_number"), [old.number, draft.number])
        self.assertEqual(self.history(self.customer)[-1].cause, "policy")

    def test_a_run_taken_over_after_an_activation_begins_anew_by_that_policy(self):
        abandoned = self.claim()
        self.publish(abandoned, [self.full(self.customer, value_class="key")])
        draft = self.draft([("key_share", "0.9")])
        draft.action_activate()
        run = self.env["crm.value.run"].browse(abandoned["id"])
        run.lease_until = "2026-01-01 00:00:00"
        taken = self.claim()
        self.assertEqual((taken["id"], taken["policy"]["version_id"]), (run.id, draft.id))
        with self.assertRaisesRegex(UserError, "lease-lost"):
            self.close(abandoned, 1)
        self.publish(taken, [self.full(self.customer)])
        self.close(taken, 1)
        self.assertEqual(self.profile(self.customer).effective_value_class, "standard")
        self.assertEqual(run.policy_version_id, draft)

    def test_a_draft_activated_while_it_is_previewed_keeps_its_preview(self):
        self.score([self.full(self.customer), self.full(self.customer2)])
        draft = self.draft([("key_share", "0.9")])
        draft.action_preview()
        run = self.contract.claim_run(worker="test:1", company_id=self.alpha.id, kind="preview")["run"]
        draft.action_activate()
        self.publish(run, [self.row(self.customer, value_class="key")])
        found = {
            "as_of": "2026-02-01",
            "customers": 2,
            "changed": 1,
            "labels": {"value_class": [self.move()]},
        }
        self.close(run, 1, result={"preview": found})
        self.assertEqual(self.env["crm.value.preview"].search([]).version_id, draft)
        self.assertEqual(draft.state, "active")
        self.assertEqual(self.profile(self.customer).computed_value_class, "standard")

    def test_one_person_at_a_time_edits_a_draft(self):
        draft = self.draft([("key_share", "0.9")])
        other = self._user("cv_manager2", "crm_value_addon.group_manager", self.alpha)
        theirs = draft.with_user(other).with_context(allowed_company_ids=self.alpha.ids)
        for change in (
            lambda: theirs.write({"note": "x"}),
            lambda: theirs.rule_ids.write({"value": "0.7"}),
            lambda: theirs.write({"rule_ids": [Command.clear()]}),
            theirs.unlink,
        ):
            with self.assertRaisesRegex(UserError, "Take it over"), self.cr.savepoint():
                change()
        self.assertEqual(theirs.copy().user_id, other)
        theirs.action_take_over()
        theirs.rule_ids.value = "0.7"
        with self.assertRaisesRegex(UserError, "Take it over"):
            draft.rule_ids.write({"value": "0.8"})
        with self.assertRaises(AccessError):
            draft.with_user(self.user).action_take_over()
        theirs.action_activate()
        self.assertEqual(draft.state, "active")

    def test_versions_are_compared(self):
        wholesale = self.env.ref("crm_value_addon.crm_value_format_wholesale")
        first = self.draft([("key_share", "0.9"), ("discount_rate", "0.2")])
        first.action_activate()
        draft = first.copy()
        draft.rule_ids.filtered(lambda rule: rule.key == "key_share").value = "0.7"
        draft.write(
            {"rule_ids": [Command.create({"key": "lost_days", "value": "365", "format_id": wholesale.id})]}
        )
        self.assertEqual(draft.compared_with_id, first)
        self.assertEqual(
            [(row["key"], row["format"], row["before"], row["after"]) for row in draft.differences],
            [("key_share", "", "0.9", "0.7"), ("lost_days", wholesale.name, "180", "365")],
        )
        draft.compared_with_id = draft
        self.assertFalse(draft.differences)
        # one that was in force, not a draft that never was
        later = first.copy()
        later.action_activate()
        self.assertEqual((later.compared_with_id, draft.number), (first, later.number - 1))
        self.assertFalse(first.compared_with_id)

    def test_a_new_version_begins_with_what_is_in_force(self):
        wholesale = self.env.ref("crm_value_addon.crm_value_format_wholesale")
        rules = [("key_share", "0.9", False), ("lost_days", "365", wholesale.id)]
        active = self.draft(
            rule_ids=[Command.create({"key": k, "value": v, "format_id": f}) for k, v, f in rules],
            note="Ours",
        )
        active.action_activate()
        versions = self.as_user("crm.value.policy.version", self.manager, self.alpha)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_value_addon.crm_value_policy_version_action"
        )
        with Form(versions.with_context(**literal_eval(action["context"]))) as form:
            new = form.save()
        drafted = versions.browse(active.action_draft()["res_id"])
        for version in (new, drafted):
            told = [(rule.key, rule.value, rule.format_id.id) for rule in version.rule_ids]
            self.assertEqual(sorted(told), sorted(rules))
            self.assertEqual((version.state, version.note), ("draft", False))
        self.assertFalse(self.draft().rule_ids, "a program's is what it says")
        with self.assertRaises(AccessError):
            active.with_user(self.user).action_draft()

    def test_every_rule_is_told_with_unit_bounds_and_meaning(self):
        wholesale = self.env.ref("crm_value_addon.crm_value_format_wholesale")
        draft = self.draft([("key_share", "0.9")])
        draft.write(
            {"rule_ids": [Command.create({"key": "lost_days", "value": "365", "format_id": wholesale.id})]}
        )
        told = {row["key"]: row for row in draft.all_rules}
        self.assertEqual(set(told), set(POLICY_SCHEMA))
        for key, row in told.items():
            with self.subTest(key=key):
                self.assertTrue(row["name"] and row["unit"] and row["bounds"] and row["meaning"])
        self.assertEqual((told["key_share"]["value"], told["key_share"]["given"]), ("0.9", True))
        self.assertEqual((told["lost_days"]["value"], told["lost_days"]["given"]), ("180", False))
        self.assertEqual(told["lost_days"]["own"], [{"format": wholesale.name, "value": "365"}])

    def test_going_back_makes_a_draft_of_what_was_in_force(self):
        first, second = self.draft([("key_share", "0.9")]), self.draft()
        first.action_activate()
        second.action_activate()
        again = self.env["crm.value.policy.version"].browse(first.action_restore()["res_id"])
        self.assertEqual((again.state, again.rule_ids.value), ("draft", "0.9"))
        self.assertIn("version 1", again.note)
        self.assertEqual(second.state, "active")
        with self.assertRaises(AccessError):
            first.with_user(self.user).action_restore()
