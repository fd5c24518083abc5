from datetime import datetime

from odoo import SUPERUSER_ID
from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_export_facts import FactsCase, InvoiceCase
from .test_export_modules import OPTIONAL


@tagged("post_install", "-at_install", "crm_value_export")
class TestLeads(FactsCase):
    def lead(self, partner, **values):
        lead = self.env["crm.lead"].create(
            {
                "name": "x",
                "partner_id": partner.id,
                "company_id": self.alpha.id,
                "type": "opportunity",
                **values,
            }
        )
        self.stamp(lead, create_date="2026-01-05 12:00:00")
        return lead

    def test_pending_won_and_lost(self):
        source = self.env["utm.source"].create({"name": "Fair"})
        reason = self.env["crm.lost.reason"].create(
            {"name": "Bought elsewhere", "crm_value_lost_type": "lured_by_competitor"}
        )
        pending = self.lead(self.contact, expected_revenue=500, source_id=source.id)
        won = self.lead(self.customer2)
        won.action_set_won()
        lost = self.lead(self.customer3)
        lost.action_set_lost(lost_reason_id=reason.id)
        self.stamp(won, date_closed="2026-02-01 12:00:00")
        self.stamp(lost, date_closed="2026-02-02 12:00:00")
        rows = self.rows("leads")
        self.assertEqual(
            rows[pending.id],
            {
                "lead_id": str(pending.id),
                "customer_id": str(self.customer.id),
                "known": "2026-01-05",
                "closed": "",
                "outcome": "pending",
                "lost_type": "",
                "source_id": str(source.id),
                "expected_revenue": rows[pending.id]["expected_revenue"],
            },
        )
        self.assertEqual(float(rows[pending.id]["expected_revenue"]), 500)
        told = {
            lead: (rows[lead.id]["outcome"], rows[lead.id]["closed"], rows[lead.id]["lost_type"])
            for lead in (won, lost)
        }
        self.assertEqual(
            told, {won: ("won", "2026-02-01", ""), lost: ("lost", "2026-02-02", "lured_by_competitor")}
        )

    def test_reopened_leads_are_not_closed(self):
        lead = self.lead(self.customer)
        lead.action_set_lost()
        lead.write({"active": True, "probability": 20})
        row = self.rows("leads")[lead.id]
        self.assertEqual((row["outcome"], row["closed"]), ("pending", ""))

    def test_companies_and_nobody(self):
        self.lead(self.env["res.partner"])
        own = self.lead(self.customer)
        other = self.lead(self.customer, company_id=self.beta.id)
        shared = self.lead(self.customer, user_id=False)
        shared.company_id = False
        self.assertEqual(set(self.rows("leads")), {own.id, shared.id})
        self.assertEqual(set(self.rows("leads", self.beta)), {other.id, shared.id})

    def test_objecting_customers_are_left_out(self):
        self.lead(self.contact)
        self.object(self.customer)
        self.assertEqual(self.rows("leads"), {})

    def test_shipped_reasons_are_mapped_where_they_leave_no_doubt(self):
        reasons = {
            number: self.env.ref(f"crm.lost_reason_{number}").crm_value_lost_type for number in (1, 2, 3)
        }
        self.assertEqual(reasons, {1: "price_seeker", 2: False, 3: False})

    def test_a_renamed_or_mapped_reason_keeps_its_meaning(self):
        reason = self.env.ref("crm.lost_reason_1")
        reason.write({"name": "Moved away", "crm_value_lost_type": False})
        self.env["crm.lost.reason"]._crm_value_map_shipped_reasons()
        self.assertFalse(reason.crm_value_lost_type)
        reason.write({"name": "Too expensive", "crm_value_lost_type": "lured_by_competitor"})
        self.env["crm.lost.reason"]._crm_value_map_shipped_reasons()
        self.assertEqual(reason.crm_value_lost_type, "lured_by_competitor")
        reason.unlink()
        self.env["crm.lost.reason"]._crm_value_map_shipped_reasons()


@tagged("post_install", "-at_install", "crm_value_export")
class TestContacts(FactsCase):
    def message(self, record, author, day="2026-02-01 10:30:00", **values):
        message = record.message_post(
            body="Zyxwvut",
            author_id=author.id,
            message_type=values.pop("message_type", "comment"),
            subtype_xmlid=values.pop("subtype", "mail.mt_comment"),
        )
        message.write({"date": day, **values})
        return message

    def test_who_wrote_to_whom(self):
        incoming = self.message(self.customer, self.contact, message_type="email")
        outgoing = self.message(self.customer, self.employee_partner, day="2026-02-02 00:00:00")
        rows = self.rows("messages")
        self.assertEqual(
            rows[incoming.id],
            {
                "message_id": str(incoming.id),
                "customer_id": str(self.customer.id),
                "known": "2026-02-01",
                "hours": f"{(datetime(2026, 2, 1, 10, 30) - datetime(1970, 1, 1)).total_seconds() / 3600:.2f}",
                "direction": "in",
            },
        )
        self.assertEqual((rows[outgoing.id]["direction"], len(rows)), ("out", 2))

    def test_on_orders_and_leads(self):
        order = self.order(self.contact)
        lead = self.env["crm.lead"].create(
            {"name": "x", "partner_id": self.customer2.id, "company_id": self.alpha.id}
        )
        on_order = self.message(order, self.employee_partner)
        on_lead = self.message(lead, self.customer2)
        rows = self.rows("messages")
        self.assertEqual(
            {key: (int(row["customer_id"]), row["direction"]) for key, row in rows.items()},
            {on_order.id: (self.customer.id, "out"), on_lead.id: (self.customer2.id, "in")},
        )

    def test_what_is_no_contact(self):
        self.message(self.customer, self.employee_partner, subtype="mail.mt_note")
        self.message(self.customer, self.employee_partner, is_internal=True)
        self.message(self.customer, self.employee_partner, message_type="notification")
        self.message(self.customer, self.employee_partner, message_type="auto_comment")
        self.message(self.customer, self.env["res.users"].browse(SUPERUSER_ID).partner_id)
        self.message(self.customer, self.customer2)
        self.message(self.employee_partner.company_id or self.product.product_tmpl_id, self.employee_partner)
        self.assertEqual(self.rows("messages"), {})

    def test_an_employee_who_is_a_customer_writes_as_an_employee(self):
        self.employee_partner.parent_id = self.customer
        message = self.message(self.customer, self.employee_partner)
        self.assertEqual(self.rows("messages")[message.id]["direction"], "out")

    def test_messages_of_companies(self):
        order = self.message(self.order(self.customer, company=self.beta), self.employee_partner)
        own = self.message(self.customer.with_company(self.alpha), self.employee_partner)
        other = self.message(self.customer.with_company(self.beta), self.employee_partner)
        self.assertEqual(set(self.rows("messages")), {own.id})
        self.assertEqual(set(self.rows("messages", self.beta)), {order.id, other.id})

    def test_objecting_customers_are_left_out(self):
        self.message(self.contact, self.contact)
        self.done(self.contact)
        self.assertTrue(self.rows("messages"))
        self.assertTrue(self.rows("activities"))
        self.object(self.customer)
        self.assertEqual((self.rows("messages"), self.rows("activities")), ({}, {}))

    def done(self, record, user=None, kind="mail.mail_activity_data_call", **values):
        activity = self.env["mail.activity"].create(
            {
                "res_model_id": self.env["ir.model"]._get_id(record._name),
                "res_id": record.id,
                "activity_type_id": self.env.ref(kind).id,
                "user_id": (user or self.manager).id,
                "date_deadline": "2026-02-10",
                **values,
            }
        )
        activity.action_done()
        self.stamp(activity, date_done="2026-02-12")
        return activity

    def test_done_activities(self):
        call = self.done(self.contact)
        todo = self.done(self.order(self.customer2), kind="mail.mail_activity_data_todo")
        self.env["mail.activity"].create(
            {
                "res_model_id": self.env["ir.model"]._get_id("res.partner"),
                "res_id": self.customer.id,
                "activity_type_id": self.env.ref("mail.mail_activity_data_call").id,
                "user_id": self.manager.id,
            }
        )
        rows = self.rows("activities")
        self.assertEqual(
            rows[call.id],
            {
                "activity_id": str(call.id),
                "customer_id": str(self.customer.id),
                "known": "2026-02-12",
                "due": "2026-02-10",
                "kind": "phonecall",
            },
        )
        self.assertEqual((rows[todo.id]["kind"], len(rows)), ("default", 2))

    def test_an_activity_that_was_done_is_no_message(self):
        self.done(self.customer)
        self.assertEqual(self.rows("messages"), {})

    def test_activities_of_companies(self):
        order = self.done(self.order(self.customer, company=self.beta))
        elsewhere = self._user("cv_beta", "sales_team.group_sale_manager", self.beta)
        own, other = self.done(self.customer), self.done(self.customer, elsewhere)
        self.assertIn(own.id, self.rows("activities"))
        self.assertFalse({order.id, other.id} & set(self.rows("activities")))
        self.assertTrue({order.id, other.id} <= set(self.rows("activities", self.beta)))

    def test_what_is_done_about_a_complaint(self):
        case = self.env["crm.value.case"].create(
            {"partner_id": self.customer.id, "company_id": self.alpha.id, "description": "Broken"}
        )
        done = self.done(case)
        self.assertEqual(self.rows("activities")[done.id]["customer_id"], str(self.customer.id))
        self.assertNotIn(done.id, self.rows("activities", self.beta))


@tagged("post_install", "-at_install", "crm_value_export")
class TestStanding(FactsCase):
    def standing(self, partner, company=None):
        rows = {int(row["customer_id"]): row for row in self.export("partners", company)}
        return rows[partner.id]

    def test_group_is_the_topmost_company(self):
        top = self.env["res.partner"].create({"name": "Group", "is_company": True})
        middle = self.env["res.partner"].create({"name": "Country", "is_company": True, "parent_id": top.id})
        self.customer.parent_id = middle
        for partner in (self.contact, middle, self.customer2):
            self.order(partner)
        self.assertEqual(
            {
                partner: self.standing(partner)["group_id"]
                for partner in (self.customer, middle, self.customer2)
            },
            {self.customer: str(top.id), middle: str(top.id), self.customer2: str(self.customer2.id)},
        )
        self.object(top)
        self.assertEqual(self.standing(self.customer)["group_id"], str(self.customer.id))

    def test_territory_is_the_state_or_else_the_country(self):
        """Of the customer itself, not of the contact who ordered."""
        state = self.env["res.country.state"].search([], limit=1)
        country = state.country_id
        self.contact.write({"country_id": country.id, "state_id": state.id})
        for partner, (where, within) in zip(
            self.partners, ((state, country), (None, country), (None, None), (None, None)), strict=True
        ):
            self.order(partner)
            self.stamp(partner, state_id=where and where.id, country_id=within and within.id)
        self.assertEqual(
            [self.standing(partner)["territory_id"] for partner in self.partners],
            [str(state.id), str(-country.id), "", ""],
        )

    def test_tax_id(self):
        for partner, vat in zip(self.partners, ("BE0477472701", "/", False, " "), strict=True):
            self.order(partner)
            self.stamp(partner, vat=vat or None)
        self.assertEqual([self.standing(partner)["has_tax_id"] for partner in self.partners], list("tfff"))

    def test_credit_limit_of_the_company(self):
        self.order(self.customer)
        self.order(self.customer, company=self.beta)
        self.customer.with_company(self.alpha).credit_limit = 500
        self.assertEqual(self.standing(self.customer)["credit_limit"], "", "limits are not used")
        (self.alpha | self.beta).account_use_credit_limit = True
        self.assertEqual(float(self.standing(self.customer)["credit_limit"]), 500)
        self.assertEqual(self.standing(self.customer, self.beta)["credit_limit"], "")

    def test_bad_debtors_of_the_company(self):
        for company in (self.alpha, self.beta):
            self.order(self.customer, company=company)
        self.customer.with_company(self.alpha).trust = "bad"
        self.assertEqual(self.standing(self.customer)["blocked"], "t")
        self.assertEqual(self.standing(self.customer, self.beta)["blocked"], "f")

    def test_without_accounting_nothing_is_said_of_it(self):
        self.order(self.customer)
        with self.without("res.partner.credit_limit", "res.partner.trust"):
            self.assertEqual(
                self.contract.describe()["datasets"]["partners"],
                [
                    "customer_id",
                    "format_id",
                    "first_seen",
                    "archived",
                    "group_id",
                    "territory_id",
                    "has_tax_id",
                ],
            )
            self.assertEqual(self.standing(self.customer)["has_tax_id"], "f")

    def test_products_have_the_day_they_came(self):
        self.alpha.partner_id.tz = "Asia/Tokyo"
        self.stamp(self.product, create_date="2025-06-30 20:00:00")
        rows = self.rows("products")
        self.assertEqual(rows[self.product.id]["introduced"], "2025-07-01")


@tagged("post_install", "-at_install", "crm_value_export")
class TestPresence(FactsCase):
    """The datasets every database gives, and what becomes of them without a module."""

    def test_missing_modules_one_by_one(self):
        self.order(self.customer)
        everything = self.contract.describe()["datasets"]
        for gone, missing in (
            (["account.move"], {"invoices"}),
            (["account.partial.reconcile"], {"payments"}),
            (["mail.activity"], {"activities"}),
        ):
            with self.without(*gone):
                offered = self.contract.describe()["datasets"]
                self.assertEqual(set(everything) - set(offered), missing)
                for dataset in offered:
                    self.export(dataset)
                for dataset in missing:
                    with self.assertRaisesRegex(UserError, "There is no dataset"):
                        self.export(dataset)

    def test_without_margins(self):
        order = self.order(self.customer)
        with self.without("sale.order.line.margin"):
            self.assertEqual(self.export("orders")[0]["margin"], "")
            self.assertEqual(self.amounts(), {order.id: 100})


@tagged("post_install", "-at_install", "crm_value_export")
class TestPages(InvoiceCase):
    """Pages of what every database gives; test_export_modules.py and test_export_pos.py have the others."""

    def test_pages(self):
        for partner in self.partners[:3]:
            order = self.order(partner)
            self.order(partner, state="draft")
            order.message_post(
                body="x",
                author_id=self.employee_partner.id,
                subtype_xmlid="mail.mt_comment",
                message_type="comment",
            )
            self.env["crm.lead"].create({"name": "x", "partner_id": partner.id, "company_id": self.alpha.id})
            partner.activity_schedule("mail.mail_activity_data_call", user_id=self.manager.id).action_done()
            invoice = self.post(self.invoice(partner, 100))
            credit = self.post(self.invoice(partner, 30, move_type="out_refund"))
            lines = (invoice | credit).line_ids.filtered(lambda line: line.account_type == "asset_receivable")
            lines.reconcile()
            self.pay(invoice, 70, "2026-02-01")
            self._product()
        self.score([self.full(partner) for partner in self.partners[:3]])
        for dataset in sorted(set(self.contract.describe()["datasets"]) - set(OPTIONAL)):
            with self.subTest(dataset=dataset):
                self.assert_paged(dataset)
                # The cursor of profiles is an id that is not told.
                if dataset != "profiles":
                    self.assert_splits(dataset)
