import psycopg2
from lxml import etree

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Date
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CustomerValueCase, unpack
from .test_reasons import reason


@tagged("post_install", "-at_install")
class TestObjection(CustomerValueCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls._product()

    def traces(self, partner):
        counts = []
        for table in (
            "crm_value_profile",
            "crm_value_history",
            "crm_value_snapshot",
            "crm_value_override",
            "crm_value_staging",
        ):
            scored = "value_class IS NOT NULL" if table == "crm_value_staging" else "TRUE"
            self.env.cr.execute(
                f"SELECT count(*) FROM {table} WHERE partner_id = %s AND {scored}", [partner.id]
            )
            counts.append(self.env.cr.fetchone()[0])
        return counts

    def test_erases_everything_in_every_company(self):
        both = [self.full(self.customer), self.full(self.customer2)]
        for company in (self.alpha, self.beta):
            self.score_on("2026-01-10", both, company)
            self.score_on("2026-02-10", both, company)
        self.env["crm.value.override"].create(
            [
                {
                    "partner_id": partner.id,
                    "label": "value_class",
                    "value": "key",
                    "reason": "r",
                    "date_until": Date.add(Date.today(), days=9),
                }
                for partner in self.customer | self.customer2
            ]
        )
        self.publish(self.claim(self.alpha), both)
        self.env.flush_all()
        self.assertEqual(self.traces(self.customer), [2, 2, 3, 1, 1])
        self.assertEqual(self.customer.value_class, "key")
        self.as_user("crm.value.objection", self.manager, self.beta).create({"partner_id": self.customer.id})
        self.assertEqual(self.traces(self.customer), [0, 0, 0, 0, 0])
        self.assertEqual(self.traces(self.customer2), [2, 2, 3, 1, 1])
        self.assertFalse(self.customer.value_class)
        self.assertFalse(self.contact.value_class)

    def test_erases_what_a_contact_had_as_a_customer(self):
        self.score([self.full(self.customer), self.full(self.customer2)])
        self.customer2.write({"parent_id": self.customer.id, "is_company": False})
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        self.assertEqual(self.traces(self.customer2), [0, 0, 0, 0, 0])

    def test_who_becomes_a_contact_of_an_objector(self):
        self.score([self.full(self.customer2), self.full(self.customer3)])
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        self.customer2.write({"parent_id": self.customer.id, "is_company": False})
        self.assertEqual(self.traces(self.customer2), [0] * 5)
        self.assertEqual(self.traces(self.customer3), [1, 1, 0, 0, 0])

    def test_an_objector_who_becomes_a_contact_of_another(self):
        """What it did as a customer stays out of every export; its company did not object."""
        person = self.env["res.partner"].create({"name": "Person"})
        own, of_company = self.order(person), self.order(self.customer)
        self.env["crm.value.objection"].create({"partner_id": person.id})
        person.parent_id = self.customer
        self.assertEqual(person.commercial_partner_id, self.customer)
        for dataset in ("orders", "lines", "order_details"):
            orders = self.column(dataset, "order_id")
            self.assertIn(of_company.id, orders)
            self.assertNotIn(own.id, orders)
        self.assertIn(self.customer.id, self.column("partners", "customer_id"))
        person.parent_id = False
        self.assertNotIn(own.id, self.column("orders", "order_id"))
        self.assertNotIn(person.id, self.column("partners", "customer_id"))

    def test_a_customer_known_by_documents_of_an_objector_only(self):
        person = self.env["res.partner"].create({"name": "Person"})
        self.order(person)
        self.env["crm.value.objection"].create({"partner_id": person.id})
        person.parent_id = self.customer
        self.assertFalse(self.column("partners", "customer_id"))

    def test_named_by_no_reason_of_others(self):
        named = reason("group_of_branches", record_ids=[self.customer.id, self.customer3.id])
        other = reason("late_against_rhythm", record_ids=[self.customer.id])
        alike = reason("group_of_branches", record_ids=[self.customer3.id])
        self.score(
            [self.full(self.customer2, reasons=[named, other]), self.full(self.customer3, reasons=[alike])]
        )
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        codes = [each["code"] for each in self.profile(self.customer2).reasons]
        self.assertEqual(codes, ["late_against_rhythm"])
        self.assertEqual(len(self.profile(self.customer3).reasons), 1)

    def test_named_by_no_reason_of_a_run_under_way(self):
        """Neither by what was staged before the objection, nor by what the worker had read before and sends later."""
        named = reason("group_of_branches", record_ids=[self.customer.id, self.customer3.id])
        run = self.claim()
        self.publish(run, [self.full(self.customer2, reasons=[named])])
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        self.publish(run, [self.full(self.customer3, reasons=[named])], batch=2)
        self.close(run, 2)
        for partner in self.customer2 | self.customer3:
            self.assertFalse(self.profile(partner).reasons)

    def test_archived(self):
        self.order(self.customer)
        self.score([self.full(self.customer)])
        self.customer.active = False
        objection = self.as_user("crm.value.objection", self.manager).create({"partner_id": self.customer.id})
        self.assertEqual(self.traces(self.customer), [0] * 5)
        self.assertIn(self.customer.id, self.contract.describe()["erasures"])
        self.assertFalse(self.column("orders", "customer_id"))
        self.assertEqual(self.publish(self.claim(), [self.full(self.customer)])["objecting"], 1)
        listed = self.as_user("crm.value.objection", self.manager).search([])
        self.assertEqual(listed, objection)
        self.customer.active = True
        self.assertEqual(self.publish(self.claim(self.beta), [self.full(self.customer)])["objecting"], 1)

    def test_archived_customers_can_be_chosen(self):
        arch = self.as_user("crm.value.objection", self.manager).get_view(view_type="list")["arch"]
        field = etree.fromstring(arch).find(".//field[@name='partner_id']")
        self.assertIn("'active_test': False", field.get("context", ""))

    def test_recorded_for_another_customer(self):
        self.score([self.full(self.customer), self.full(self.customer2)])
        objection = self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        objection.partner_id = self.customer2
        self.assertEqual(self.traces(self.customer2), [0, 0, 0, 0, 0])

    def test_blocks_publication_and_export(self):
        self.score([self.full(self.customer2)])
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        self.assertEqual(self.publish(self.claim(), [self.full(self.customer)])["objecting"], 1)
        page = self.contract.export_history(dataset="profiles", company_id=self.alpha.id)
        self.assertEqual([row[0] for row in unpack(page)], [str(self.customer2.id)])

    def column(self, dataset, name):
        page = self.contract.export_history(dataset=dataset, company_id=self.alpha.id)
        at = page["columns"].index(name)
        return [int(row[at]) for row in unpack(page) if row[at]]

    def test_every_dataset_leaves_objectors_out(self):
        """Whatever names a customer or its orders; a dataset of another module is held to it where it is tested."""
        self.score([self.full(self.customer), self.full(self.customer2)])
        kept, gone = [], []
        for partner, orders in ((self.customer2, kept), (self.customer, gone), (self.contact, gone)):
            orders += [self.order(partner).id, self.order(partner, state="draft").id]
            self.env["crm.lead"].create(
                {"name": "lead", "partner_id": partner.id, "company_id": self.alpha.id}
            )
            partner.message_post(
                body="hello", author_id=partner.id, message_type="comment", subtype_xmlid="mail.mt_comment"
            )
            partner.activity_schedule("mail.mail_activity_data_call", user_id=self.manager.id)._action_done()
        datasets = self.contract.describe()["datasets"]
        seen = {
            "orders",
            "lines",
            "order_details",
            "quotations",
            "leads",
            "messages",
            "activities",
            "partners",
        }
        self.assertLessEqual(seen | {"profiles"}, set(datasets))

        def named(dataset):
            columns = set(datasets[dataset]) & {"customer_id", "order_id", "quotation_id", "group_id"}
            rows = {name: set(self.column(dataset, name)) for name in columns}
            people = rows.pop("customer_id", set()) | rows.pop("group_id", set())
            return people & set(self.partners.ids), set().union(*rows.values()) & {*kept, *gone}

        for dataset in seen | {"profiles"}:
            people, orders = named(dataset)
            with self.subTest(dataset=dataset, objected=False):
                self.assertTrue(people == {self.customer.id, self.customer2.id} or orders & set(gone))
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        for dataset in datasets:
            people, orders = named(dataset)
            with self.subTest(dataset=dataset, objected=True):
                self.assertLessEqual(people, {self.customer2.id})
                self.assertFalse(orders & set(gone))
                self.assertTrue(dataset not in seen or people or orders)

    def test_every_query_asks_for_objections(self):
        """One that is added and forgets to would export who objected."""
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        sync = self.env["crm.value.sync"].sudo()
        # Products name nobody; of profiles and what else is ours nothing is left.
        free = {"products", "profiles"}
        for dataset in set(sync._datasets()) - free:
            query = getattr(sync, f"_export_{dataset}_sql")(self.alpha, 0, 10)
            with self.subTest(dataset=dataset):
                self.assertIn("crm_value_objection", query.code)

    def test_no_override_of_who_objected(self):
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        with self.assertRaises(ValidationError):
            self.env["crm.value.override"].create(
                {
                    "partner_id": self.customer.id,
                    "label": "value_class",
                    "value": "key",
                    "reason": "r",
                    "date_until": Date.add(Date.today(), days=9),
                }
            )

    def test_of_a_company_not_of_its_contact(self):
        with self.assertRaises(ValidationError):
            self.env["crm.value.objection"].create({"partner_id": self.contact.id})

    def test_once(self):
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.IntegrityError):
            self.env["crm.value.objection"].create({"partner_id": self.customer.id})

    def test_only_managers_record_it_and_in_their_own_name(self):
        for user in (self.portal, self.employee, self.viewer, self.user, self.sync):
            with self.assertRaises(AccessError):
                self.as_user("crm.value.objection", user).create({"partner_id": self.customer.id})
            with self.assertRaises(AccessError):
                self.as_user("crm.value.objection", user).search([])
        objection = self.as_user("crm.value.objection", self.manager).create(
            {"partner_id": self.customer.id, "user_id": self.user.id}
        )
        self.assertEqual(objection.user_id, self.manager)

    def test_withdrawn(self):
        objection = self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        objection.with_user(self.manager).unlink()
        self.assertEqual(self.publish(self.claim(), [self.full(self.customer)])["ok"], 1)
