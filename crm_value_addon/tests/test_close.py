from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..labels import LABELS
from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestClose(CustomerValueCase):
    def test_count_mismatch(self):
        run = self.claim()
        self.publish(run, [self.full(self.customer)])
        for rows in (0, 2):
            with self.assertRaisesRegex(UserError, r"^\[count-mismatch\]"):
                self.close(run, rows)
        self.assertFalse(self.profile(self.customer))
        self.close(run, 1)

    def test_state(self):
        run = self.claim()
        for state in ("running", "cancelled", "", None):
            with self.assertRaises(UserError):
                self.contract.close_run(run_id=run["id"], token=run["token"], state=state)

    def test_repeated_close_answers_the_same(self):
        run = self.claim()
        self.publish(run, [self.full(self.customer), self.full(self.contact)])
        answer = self.close(run, 2)
        self.assertEqual(answer, {"inserted": 1, "updated": 0, "unchanged": 0, "retired": 0, "refused": 1})
        self.assertEqual(self.close(run, 2), answer)
        self.assertEqual(self.close(run, 0), answer)
        self.assertEqual(len(self.history(self.customer)), 1)
        with self.assertRaisesRegex(UserError, r"^\[lease-lost\]"):
            self.contract.close_run(run_id=run["id"], token="x", state="done", rows=2)

    def test_run_record(self):
        run = self.claim()
        self.publish(run, [self.full(self.customer), self.full(self.contact)])
        self.close(run, 2, result={"grades": {"1": "A"}}, warnings=["few customers", "no margin"])
        record = self.env["crm.value.run"].browse(run["id"])
        self.assertEqual((record.state, record.customer_count, record.refused_count), ("done", 2, 1))
        self.assertEqual(record.warnings, "few customers\nno margin")
        self.assertEqual(record.result, {"grades": {"1": "A"}})
        self.assertTrue(record.closed_at)
        self.env.cr.execute("SELECT count(*) FROM crm_value_staging")
        self.assertEqual(self.env.cr.fetchone()[0], 0)

    def test_every_column_arrives(self):
        business_format = self.env.ref("crm_value_addon.crm_value_format_wholesale")
        reasons = [{"code": "on_rhythm", "direction": "down", "params": {"days_since": 1, "typical_gap": 3}}]
        self.score([self.full(self.customer, format_id=business_format.id, reasons=reasons, burden="t")])
        profile = self.profile(self.customer)
        self.assertEqual(
            profile.read(
                [
                    "computed_value_class",
                    "effective_value_class",
                    "effective_churn_risk",
                    "confidence",
                    "burden",
                    "churn_probability",
                    "current_value",
                    "expected_value_high",
                    "order_days",
                    "reasons",
                ]
            )[0],
            {
                "id": profile.id,
                "computed_value_class": "standard",
                "effective_value_class": "standard",
                "effective_churn_risk": "low",
                "confidence": "enough",
                "burden": True,
                "churn_probability": 0.25,
                "current_value": 500,
                "expected_value_high": 400,
                "order_days": 9,
                "reasons": reasons,
            },
        )
        self.assertEqual(profile.format_id, business_format)
        self.assertEqual(profile.currency_id, self.alpha.currency_id)
        self.assertEqual(str(profile.expected_next_order), "2026-03-10")

    def test_inserted_updated_unchanged_retired(self):
        first = [self.full(self.customer), self.full(self.customer2), self.full(self.customer3)]
        self.assertEqual(self.score(first)["inserted"], 3)
        before = {partner: self.profile(partner) for partner in self.partners}
        dates = {partner: before[partner].changed_at for partner in self.partners}
        with freeze_time(fields.Datetime.now() + fields.Datetime.now().resolution * 60_000_000):
            answer = self.score(
                [
                    self.full(self.customer),
                    self.full(self.customer2, churn_probability=0.3),
                    self.full(self.unscored, value_class="key"),
                ]
            )
        self.assertEqual(answer, {"inserted": 1, "updated": 1, "unchanged": 1, "retired": 1, "refused": 0})
        self.assertEqual(self.profile(self.customer), before[self.customer])
        self.assertEqual(self.profile(self.customer).changed_at, dates[self.customer])
        self.assertGreater(self.profile(self.customer2).changed_at, dates[self.customer2])
        self.assertFalse(self.profile(self.customer3))
        self.assertEqual(self.profile(self.unscored).effective_value_class, "key")

    def test_missing_cells_become_empty(self):
        self.score([self.full(self.customer)])
        self.score([{"partner_id": self.customer.id, "value_segment": "prospect"}])
        profile = self.profile(self.customer)
        self.env.cr.execute(
            "SELECT churn_probability, current_value FROM crm_value_profile WHERE id = %s", [profile.id]
        )
        self.assertEqual(self.env.cr.fetchone(), (None, None))
        self.assertFalse(profile.effective_value_class)
        self.assertEqual(profile.effective_value_segment, "prospect")

    def test_history(self):
        with freeze_time("2026-01-10 12:00:00"):
            self.score([self.full(self.customer), self.full(self.customer2)])
        with freeze_time("2026-01-20 12:00:00"):
            self.score([self.full(self.customer, churn_probability=0.9), self.full(self.customer2)])
        self.assertEqual(len(self.history(self.customer)), 1, "figures alone begin no new state")
        with freeze_time("2026-01-30 12:00:00"):
            self.score([self.full(self.customer, churn_risk="high", cause="policy")])
        first, second = self.history(self.customer)
        self.assertEqual((str(first.valid_from), str(first.valid_to)), ("2026-01-10", "2026-01-30"))
        self.assertEqual((first.cause, first.churn_risk), ("behaviour", "low"))
        self.assertEqual((str(second.valid_from), second.valid_to), ("2026-01-30", False))
        self.assertEqual((second.cause, second.churn_risk, second.current_value), ("policy", "high", 500))
        self.assertEqual(second.currency_id, self.alpha.currency_id)
        run = self.env["crm.value.run"].browse(second.run_id)
        self.assertEqual(second.policy_number, run.policy_version_id.number)
        retired = self.history(self.customer2)
        self.assertEqual((len(retired), str(retired.valid_to)), (1, "2026-01-30"))
        with freeze_time("2026-02-10 12:00:00"):
            self.score([self.full(self.customer, churn_risk="high"), self.full(self.customer2)])
        self.assertEqual(
            [str(row.valid_to or "") for row in self.history(self.customer2)], ["2026-01-30", ""]
        )
        self.assertEqual(len(self.history(self.customer)), 2)

    def test_day_of_the_run_is_the_companys(self):
        self.alpha.partner_id.tz = "Asia/Tokyo"
        self.beta.partner_id.tz = "America/New_York"
        with freeze_time("2026-01-10 20:00:00"):
            self.assertEqual(self.claim(self.alpha)["as_of"], "2026-01-11")
            self.assertEqual(self.claim(self.beta)["as_of"], "2026-01-10")

    def test_failed_run_leaves_nothing(self):
        self.score([self.full(self.customer)])
        run = self.claim()
        self.publish(run, [self.full(self.customer, value_class="key"), self.full(self.customer2)])
        answer = self.contract.close_run(
            run_id=run["id"], token=run["token"], state="failed", error="x" * 900
        )
        self.assertEqual(set(answer.values()), {0})
        self.assertEqual(self.profile(self.customer).computed_value_class, "standard")
        self.assertFalse(self.profile(self.customer2))
        self.assertEqual(len(self.history(self.customer)), 1)
        record = self.env["crm.value.run"].browse(run["id"])
        self.assertEqual((record.state, len(record.error)), ("failed", 500))
        self.env.cr.execute("SELECT count(*) FROM crm_value_staging")
        self.assertEqual(self.env.cr.fetchone()[0], 0)

    def test_failure_without_a_cause(self):
        run = self.claim()
        self.contract.close_run(run_id=run["id"], token=run["token"], state="failed")
        self.assertTrue(self.env["crm.value.run"].browse(run["id"]).error)

    def test_run_without_customers_does_not_retire_everybody(self):
        self.env["crm.lead"].create(
            {"name": "Interest", "partner_id": self.customer.id, "company_id": self.alpha.id}
        )
        self.score([self.full(self.customer), self.full(self.customer2)])
        run = self.claim()
        with self.assertRaisesRegex(UserError, r"^\[count-mismatch\]"):
            self.close(run, 0)
        self.publish(run, [self.full(self.customer, order_days=-1)])
        with self.assertRaisesRegex(UserError, r"^\[count-mismatch\]"):
            self.close(run, 1)
        self.assertTrue(self.profile(self.customer))
        self.publish(run, [self.full(self.customer)])
        self.assertEqual(self.close(run, 1)["retired"], 1)

    def test_company_whose_customers_are_all_gone_retires_them(self):
        self.score([self.full(self.customer)])
        self.assertEqual(self.close(self.claim(), 0)["retired"], 1)
        self.assertFalse(self.profile(self.customer))

    def test_first_run_may_be_empty(self):
        self.assertEqual(set(self.close(self.claim(), 0).values()), {0})

    def test_other_company_is_left_alone(self):
        self.score([self.full(self.customer), self.full(self.customer2)], self.alpha)
        answer = self.score([self.full(self.customer, value_class="key")], self.beta)
        self.assertEqual((answer["inserted"], answer["retired"]), (1, 0))
        self.assertEqual(self.profile(self.customer, self.alpha).effective_value_class, "standard")
        self.assertEqual(self.profile(self.customer, self.beta).effective_value_class, "key")
        self.assertEqual(self.profile(self.customer, self.beta).currency_id, self.beta.currency_id)
        self.assertTrue(self.profile(self.customer2, self.alpha))

    def test_partner_deleted_between_publish_and_close(self):
        run = self.claim()
        self.publish(run, [self.full(self.customer), self.full(self.customer2)])
        self.customer2.unlink()
        answer = self.close(run, 2)
        self.assertEqual((answer["inserted"], answer["refused"]), (1, 1))

    def test_partner_deleted_with_scores(self):
        self.score([self.full(self.customer), self.full(self.customer2)])
        partner_id = self.customer2.id
        self.customer2.unlink()
        self.assertFalse(self.env["crm.value.profile"].search([("partner_id", "=", partner_id)]))
        self.assertFalse(self.env["crm.value.history"].search([("partner_id", "=", partner_id)]))

    def test_partner_merged_between_publish_and_close(self):
        run = self.claim()
        self.publish(run, [self.full(self.customer2), self.full(self.customer3)])
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            (self.customer2 | self.customer3).ids, self.customer2, extra_checks=False
        )
        answer = self.close(run, 2)
        self.assertEqual((answer["inserted"], answer["refused"]), (1, 1))
        self.assertTrue(self.profile(self.customer2))

    def test_partner_becomes_a_contact_between_publish_and_close(self):
        run = self.claim()
        self.publish(run, [self.full(self.customer), self.full(self.customer2)])
        self.customer2.write({"parent_id": self.customer.id, "is_company": False})
        answer = self.close(run, 2)
        self.assertEqual((answer["inserted"], answer["refused"]), (1, 1))

    def test_partner_becomes_a_contact_after_scoring(self):
        self.score([self.full(self.customer, value_class="key"), self.full(self.customer2)])
        self.customer2.write({"parent_id": self.customer.id, "is_company": False})
        self.assertEqual(self.customer2.value_class, "key")
        self.assertEqual(self.score([self.full(self.customer, value_class="key")])["retired"], 1)

    def test_partner_moves_to_another_company(self):
        """Its scores stay with the company that made them until that company's next run, and show in no other."""
        self.score([self.full(self.customer, value_class="key"), self.full(self.customer2)], self.alpha)
        self.customer.company_id = self.beta
        run = self.claim(self.alpha)
        counts = self.publish(run, [self.full(self.customer), self.full(self.customer2)])
        self.assertEqual((counts["foreign_company"], counts["ok"]), (1, 1))
        answer = self.close(run, 2)
        self.assertEqual((answer["refused"], answer["retired"]), (1, 1))
        self.assertFalse(self.profile(self.customer, self.alpha))
        self.assertFalse(
            self.profile(self.customer, self.beta), "it has a profile there once it is scored there"
        )
        self.score([self.full(self.customer)], self.beta)
        self.assertEqual(self.profile(self.customer, self.beta).effective_value_class, "standard")

    def test_partner_moves_to_a_branch(self):
        """A branch is part of its company: nothing changes."""
        self.score([self.full(self.customer)], self.alpha)
        self.customer.company_id = self.branch
        self.assertEqual(self.score([self.full(self.customer)], self.alpha)["retired"], 0)
        self.assertTrue(self.profile(self.customer, self.alpha))

    def test_archived_partner_is_scored_like_any_other(self):
        self.customer.active = False
        answer = self.score([self.full(self.customer)], self.alpha)
        self.assertEqual((answer["inserted"], answer["refused"]), (1, 0))

    def test_objection_between_publish_and_close(self):
        run = self.claim()
        self.publish(run, [self.full(self.customer), self.full(self.customer2)])
        self.env["crm.value.objection"].create({"partner_id": self.customer2.id})
        self.env.cr.execute(
            "SELECT to_jsonb(s) FROM crm_value_staging s WHERE partner_id = %s", [self.customer2.id]
        )
        (left,) = self.env.cr.fetchone()
        self.assertEqual(
            {name for name, value in left.items() if value is not None},
            {"id", "run_id", "batch", "status", "partner_id"},
        )
        answer = self.close(run, 2)
        self.assertEqual((answer["inserted"], answer["refused"]), (1, 1))
        self.assertFalse(self.profile(self.customer2) or self.history(self.customer2))

    def test_everything_at_once(self):
        self.score([self.full(self.customer), self.full(self.customer2), self.full(self.customer3)])
        late, objecting = self.env["res.partner"].create([{"name": "Late"}, {"name": "Objecting"}])
        run = self.claim()
        rows = [
            self.full(self.customer, value_class="key"),
            self.full(self.customer2),
            self.full(self.unscored),
            self.full(late),
            self.full(objecting),
        ]
        self.publish(run, rows, batch=1)
        self.publish(run, [self.full(self.customer2, churn_risk="high")], batch=2)
        late.unlink()
        self.env["crm.value.objection"].create({"partner_id": objecting.id})
        answer = self.close(run, 6)
        self.assertEqual(answer, {"inserted": 1, "updated": 1, "unchanged": 1, "retired": 1, "refused": 3})
        self.assertEqual(
            {partner: len(self.history(partner)) for partner in self.partners},
            {self.customer: 2, self.customer2: 1, self.customer3: 1, self.unscored: 1},
        )
        self.assertEqual(self.profile(self.customer2).computed_churn_risk, "low")
        self.assertTrue(self.history(self.customer3).valid_to)

    def test_new_customer_without_labels_has_a_history(self):
        self.score([{"partner_id": self.customer.id, "order_days": 1}])
        self.assertEqual(len(self.history(self.customer)), 1)
        self.assertEqual(self.score([{"partner_id": self.customer.id, "order_days": 2}])["updated"], 1)
        self.assertEqual(len(self.history(self.customer)), 1)

    def test_mass_updates_stay_in_place(self):
        self.env.cr.execute("SELECT reloptions FROM pg_class WHERE relname = 'crm_value_profile'")
        (options,) = self.env.cr.fetchone()
        settings = dict(option.split("=") for option in options)
        self.assertLess(int(settings["fillfactor"]), 50, "a page must hold two versions of each of its rows")

    def test_format_deleted_between_publish_and_close(self):
        business_format = self.env["crm.value.format"].create({"name": "Brief", "code": "brief"})
        run = self.claim()
        self.publish(run, [self.full(self.customer, format_id=business_format.id)])
        business_format.unlink()
        self.assertEqual(self.close(run, 1)["inserted"], 1)
        self.assertFalse(self.profile(self.customer).format_id)

    def test_overrides_are_applied(self):
        self.env["crm.value.override"].create(
            [
                {
                    "partner_id": self.customer.id,
                    "label": label,
                    "value": value,
                    "reason": "known better",
                    "date_until": fields.Date.add(fields.Date.today(), days=30),
                }
                for label, value in {"value_class": "key", "churn_risk": "high"}.items()
            ]
        )
        self.score([self.full(self.customer), self.full(self.customer2)])
        profile = self.profile(self.customer)
        self.assertEqual((profile.computed_value_class, profile.effective_value_class), ("standard", "key"))
        self.assertEqual((profile.computed_churn_risk, profile.effective_churn_risk), ("low", "high"))
        self.assertEqual(profile.effective_value_segment, "standard")
        self.assertEqual(self.profile(self.customer2).effective_value_class, "standard")
        self.assertEqual(self.score([self.full(self.customer), self.full(self.customer2)])["unchanged"], 2)

    def test_labels_without_override_follow_the_engine(self):
        self.score([self.full(self.customer)])
        changed = {label: selection[-1][0] for label, selection in LABELS.items()}
        self.score([self.full(self.customer, **changed)])
        profile = self.profile(self.customer)
        for label, value in changed.items():
            self.assertEqual(profile[f"computed_{label}"], value)
            self.assertEqual(profile[f"effective_{label}"], value)

    def test_run_never_writes_a_partner(self):
        self.env.flush_all()

        def versions():
            self.env.cr.execute(
                "SELECT id, xmin::text, ctid::text, write_date, write_uid FROM res_partner WHERE id IN %s ORDER BY id",
                [tuple((self.partners | self.contact).ids)],
            )
            return self.env.cr.fetchall()

        before = versions()
        self.score([self.full(self.customer), self.full(self.customer2)])
        self.score([self.full(self.customer, value_class="key")])
        self.env.flush_all()
        self.assertEqual(versions(), before)

    def test_currency_without_decimals(self):
        yen = self.env.ref("base.JPY")
        yen.active = True
        company = self.env["res.company"].create({"name": "Gamma", "currency_id": yen.id})
        self.sync.company_ids |= company
        described = next(c for c in self.contract.describe()["companies"] if c["id"] == company.id)
        self.assertEqual(described["decimals"], 0)
        self.score([self.full(self.customer, current_value=1234)], company)
        self.assertEqual(self.customer.with_company(company).current_value, 1234)
        self.assertEqual(self.customer.with_company(company).value_currency_id, yen)

    def test_cache_is_fresh_after_a_run(self):
        self.assertFalse(self.customer.value_class)
        self.score([self.full(self.customer)])
        self.assertEqual(self.customer.value_class, "standard")
        self.score([self.full(self.customer, value_class="key")])
        self.assertEqual(self.customer.value_class, "key")
