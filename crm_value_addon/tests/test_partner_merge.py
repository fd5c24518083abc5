from odoo.fields import Date
from odoo.tests import tagged

from .common import CustomerValueCase, unpack


@tagged("post_install", "-at_install")
class TestPartnerMerge(CustomerValueCase):
    def merge(self, *partners, into):
        wizard = self.env["base.partner.merge.automatic.wizard"].create(
            {"partner_ids": [(6, 0, [partner.id for partner in partners])], "dst_partner_id": into.id}
        )
        wizard.action_merge()

    def override(self, partner, value, label="value_class"):
        return self.env["crm.value.override"].create(
            {
                "partner_id": partner.id,
                "label": label,
                "value": value,
                "reason": "r",
                "date_until": Date.add(Date.today(), days=30),
            }
        )

    def test_profiles_and_history(self):
        rows = [self.full(self.customer), self.full(self.customer2), self.full(self.customer3)]
        self.score(rows, self.alpha)
        self.score(rows, self.beta)
        self.merge(self.customer, self.customer2, into=self.customer2)
        self.assertFalse(self.customer.exists())
        self.assertFalse(self.profile(self.customer2) | self.profile(self.customer2, self.beta))
        self.assertTrue(self.profile(self.customer3))
        history = self.history(self.customer2)
        self.assertEqual(len(history), 2)
        self.assertTrue(all(history.mapped("valid_to")))
        self.assertFalse(self.customer2.value_class)
        answer = self.score([self.full(self.customer2), self.full(self.customer3)])
        self.assertEqual(answer, {"inserted": 1, "updated": 0, "unchanged": 1, "retired": 0, "refused": 0})
        self.assertEqual(len(self.history(self.customer2).filtered(lambda row: not row.valid_to)), 1)

    def test_profile_of_the_merged_one_only(self):
        self.score([self.full(self.customer)])
        self.merge(self.customer, self.customer2, into=self.customer2)
        self.assertLessEqual(
            self.env["crm.value.profile"].search_count([("partner_id", "=", self.customer2.id)]), 1
        )
        self.assertEqual(self.score([self.full(self.customer2)])["inserted"], 1)

    def test_overrides(self):
        self.score([self.full(partner) for partner in self.partners])
        gone, stays = self.override(self.customer, "key"), self.override(self.customer2, "growth")
        other = self.override(self.customer3, "unprofitable")
        kept = self.override(self.customer, "high", "churn_risk")
        self.merge(self.customer, self.customer2, self.customer3, into=self.customer2)
        overrides = gone | stays | other | kept
        self.assertEqual(overrides.exists(), overrides)
        self.assertEqual(overrides.partner_id, self.customer2)
        self.assertEqual(overrides.filtered(lambda o: not o.ended_at), stays | kept)
        self.score([self.full(self.customer2)])
        profile = self.profile(self.customer2)
        self.assertEqual((profile.effective_value_class, profile.effective_churn_risk), ("growth", "high"))

    def test_newest_override_where_the_one_that_stays_has_none(self):
        old, new = self.override(self.customer, "key"), self.override(self.customer3, "unprofitable")
        self.merge(self.customer, self.customer2, self.customer3, into=self.customer2)
        self.assertTrue(old.ended_at)
        self.assertFalse(new.ended_at)

    def test_objections_outlive_merges(self):
        objections = self.env["crm.value.objection"]
        objections.create([{"partner_id": self.customer.id}, {"partner_id": self.customer3.id}])
        self.score([self.full(self.customer2)])
        self.override(self.customer2, "key")
        self.merge(self.customer, self.customer2, self.customer3, into=self.customer2)
        self.assertEqual(
            objections.search([("partner_id", "=", self.customer2.id)]).partner_id, self.customer2
        )
        self.assertFalse(self.profile(self.customer2) or self.history(self.customer2))
        self.assertFalse(self.env["crm.value.override"].search([("partner_id", "=", self.customer2.id)]))
        self.assertEqual(self.publish(self.claim(), [self.full(self.customer2)])["objecting"], 1)

    def test_objection_on_both_sides(self):
        objections = self.env["crm.value.objection"]
        objections.create([{"partner_id": self.customer.id}, {"partner_id": self.customer2.id}])
        self.merge(self.customer, self.customer2, into=self.customer2)
        self.assertEqual(objections.search_count([("partner_id", "=", self.customer2.id)]), 1)

    def object(self, partner, day, ground="by letter"):
        return self.env["crm.value.objection"].create(
            {"partner_id": partner.id, "date": day, "ground": ground}
        )

    def kept(self, partner):
        found = self.env["crm.value.objection"].search([("partner_id", "=", partner.id)])
        return [(str(each.date), each.ground) for each in found]

    def test_the_earliest_objection_stays(self):
        """Whichever was recorded first, and whichever partner stays."""
        for first, second in (("2025-05-05", "2026-01-01"), ("2026-01-01", "2025-05-05")):
            for stays in (0, 1):
                with self.subTest(first=first, stays=stays):
                    pair = self.env["res.partner"].create([{"name": "A"}, {"name": "A"}])
                    self.object(pair[0], first, f"said on {first}")
                    self.object(pair[1], second, f"said on {second}")
                    self.merge(*pair, into=pair[stays])
                    self.assertEqual(self.kept(pair[stays]), [("2025-05-05", "said on 2025-05-05")])

    def test_an_objection_moves_with_its_customer(self):
        """From the one that goes to the one that stays, and the other way round."""
        for objects in (0, 1):
            with self.subTest(objects=objects):
                pair = self.env["res.partner"].create([{"name": "A"}, {"name": "A"}])
                gone, stays = pair
                self.score([self.full(gone), self.full(stays), self.full(self.customer3)])
                run = self.claim(self.beta)
                self.publish(run, [self.full(gone), self.full(stays), self.full(self.customer3)])
                self.object(pair[objects], "2025-05-05")
                self.merge(gone, stays, into=stays)
                self.assertEqual(self.kept(stays), [("2025-05-05", "by letter")])
                self.assertFalse(self.profile(stays) or self.history(stays))
                self.env.cr.execute(
                    "SELECT count(*), count(lifetime_value) FROM crm_value_staging WHERE partner_id IN %s",
                    [(gone.id, stays.id)],
                )
                self.assertEqual(self.env.cr.fetchone(), (2, 0))
                self.close(run, 3)
                self.assertFalse(self.profile(stays, self.beta) or self.history(stays, self.beta))
                self.assertTrue(self.profile(self.customer3, self.beta))

    def test_into_an_archived_partner(self):
        self.object(self.customer, "2025-05-05")
        self.customer2.active = False
        self.merge(self.customer, self.customer2, into=self.customer2)
        self.assertEqual(self.kept(self.customer2), [("2025-05-05", "by letter")])

    def test_an_objector_into_a_contact_of_a_company(self):
        """The company did not object: it is scored, but not by what the person did as a customer."""
        product = self._product()
        person = self.env["res.partner"].create({"name": "Buyer"})
        own = self.order(person, product=product)
        of_company = self.order(self.customer, product=product)
        self.object(person, "2025-05-05")
        self.merge(person, self.contact, into=self.contact)
        self.assertEqual(own.partner_id, self.contact)
        self.assertEqual(self.kept(self.contact), [("2025-05-05", "by letter")])
        page = self.contract.export_history(dataset="orders", company_id=self.alpha.id)
        self.assertEqual([int(row[0]) for row in unpack(page)], [of_company.id])
        self.assertEqual(self.publish(self.claim(), [self.full(self.customer)])["ok"], 1)

    def test_customers_without_scores(self):
        self.merge(self.customer, self.customer2, into=self.customer2)
        self.assertTrue(self.customer2.exists())
