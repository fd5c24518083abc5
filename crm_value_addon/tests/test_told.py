"""Why and what next, in a sentence each, on partners, orders and leads."""

from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .test_reasons import reason
from .test_work import WorkCase

MODELS = ("res.partner", "sale.order", "crm.lead")


@tagged("post_install", "-at_install")
class TestTold(WorkCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls("setUp")
        case.env = cls.env
        cls.sale = case.order(cls.contact, user_id=cls.seller.id)
        cls.lead = cls.env["crm.lead"].create(
            {
                "name": "x",
                "type": "opportunity",
                "partner_id": cls.customer.id,
                "company_id": cls.alpha.id,
                "user_id": cls.seller.id,
            }
        )

    def known(self, *reasons, **values):
        self.score([self.whole(self.customer, reasons=list(reasons), **values)])
        self.env.invalidate_all()

    def records(self, user):
        ids = (self.customer.id, self.sale.id, self.lead.id)
        for model, number in zip(MODELS, ids, strict=True):
            yield self.as_user(model, user, self.alpha).browse(number)

    def told(self, user=None):
        return {record.value_reason for record in self.records(user or self.leader)}

    def test_the_strongest_as_on_the_page(self):
        self.known(reason("top_share"), reason("on_rhythm"), reason("long_silence"))
        partner = next(self.records(self.leader))
        self.assertEqual(self.told(), {partner.value_page["why"]["reasons"][0]["text"]})
        self.assertIn("40", self.told().pop())

    def test_of_a_customer_at_risk_what_raises_the_risk(self):
        reasons = [reason("on_rhythm", direction="down"), reason("long_silence", direction="up")]
        for values, place in (
            ({"value_segment": "key_at_risk", "churn_risk": "medium"}, 1),
            ({"churn_risk": "high"}, 1),
            ({"churn_risk": "low"}, 0),
        ):
            self.known(*reasons, **values)
            page = next(self.records(self.leader)).value_page
            self.assertEqual(self.told(), {page["why"]["reasons"][place]["text"]})
        self.known(reasons[0], churn_risk="high")
        self.assertTrue(self.told().pop(), "what there is")

    def test_why_it_was_lost(self):
        self.known(reason("long_silence"), reason("lost_returns"), lifecycle_stage="lost")
        page = next(self.records(self.leader)).value_page
        self.assertEqual(page["why"]["topic"], "lost")
        self.assertEqual(self.told(), {page["why"]["reasons"][0]["text"]})

    def test_amounts_are_for_those_who_see_amounts(self):
        self.known(reason("returns_cost"), reason("top_share"))
        self.assertIn("$", self.told().pop())
        self.assertEqual(len(self.told(self.seller)), 1)
        self.assertNotIn("$", self.told(self.seller).pop())

    def test_next_action_is_that_of_the_page(self):
        self.known(attitude=None, anomaly=None)
        page = next(self.records(self.leader)).value_page
        self.assertEqual(
            {record.value_next_action for record in self.records(self.seller)}, {page["next_action"]}
        )

    def test_nothing_of_whom_nothing_is_known(self):
        self.assertEqual(self.told(), {False})
        self.known()
        self.assertEqual(self.told(), {False})

    def test_outsiders(self):
        self.known(reason())
        partner = self.as_user("res.partner", self.employee, self.alpha).browse(self.customer.id)
        for field in ("value_reason", "value_next_action"):
            with self.assertRaises(AccessError):
                partner.read([field])

    def test_banner_leads_to_the_customer(self):
        for record in self.records(self.seller):
            if record._name == "res.partner":
                continue
            form = etree.fromstring(record.get_views([(False, "form")])["views"]["form"]["arch"])
            (banner,) = form.xpath("//div[@name='crm_value_at_risk']")
            self.assertEqual(banner.get("role"), "status")
            self.assertEqual(len(banner.xpath(".//field[@name='value_reason']")), 1)
            action = record.action_open_value_customer()
            self.assertEqual((action["res_model"], action["res_id"]), ("res.partner", self.customer.id))

    def test_portal_opens_nothing(self):
        self.portal.partner_id.parent_id = self.customer
        sale = self.as_user("sale.order", self.portal, self.alpha).browse(self.sale.id)
        self.assertTrue(sale.has_access("read"))
        with self.assertRaises(AccessError):
            sale.action_open_value_customer()

    def test_customer_is_opened_by_its_readers_only(self):
        lead = self.as_user("crm.lead", self.employee, self.alpha).browse(self.lead.id)
        with self.assertRaises(AccessError):
            lead.action_open_value_customer()
        self.customer.company_id = self.beta
        self.env.flush_all()
        sale = self.as_user("sale.order", self.leader, self.alpha).browse(self.sale.id)
        with self.assertRaises(AccessError):
            sale.action_open_value_customer()

    def test_as_many_queries_for_many_as_for_few(self):
        partners = self.env["res.partner"].create([{"name": f"More {i}"} for i in range(30)])
        sales = self.env["sale.order"].browse([self.order(partner).id for partner in partners])
        self.score([self.whole(partner, reasons=[reason("late_against_rhythm")]) for partner in partners])
        counts = []
        for number in (30, 3, 30):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            records = self.as_user("sale.order", self.leader, self.alpha).browse(sales[:number].ids)
            self.assertTrue(all(records.mapped("value_reason")))
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[2], counts[1])
