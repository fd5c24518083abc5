import json

from lxml import etree

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..reason_texts import reason_text
from ..reasons import REASON_SCHEMA, TOPICS, may_open, may_open_form, render_reasons, tells_amounts
from .common import CustomerValueCase


def reason(code="long_silence", **values):
    """A reason as a worker sends it, with any figures."""
    spec = REASON_SCHEMA[code]
    params = {name: 40 + number for number, name in enumerate(spec["params"])}
    own = {"code": code, "direction": spec["direction"], "params": params, "model": spec["model"]}
    return {**own, "record_ids": [], **values}


@tagged("post_install", "-at_install")
class TestReasons(CustomerValueCase):
    def codes(self, reasons):
        return [
            each["code"]
            for topic in render_reasons(self.env, reasons, self.alpha.currency_id)
            for each in topic["reasons"]
        ]

    def test_every_code_reads_as_a_sentence_with_its_figures(self):
        for code, spec in REASON_SCHEMA.items():
            params = {name: 9000 + number for number, name in enumerate(spec["params"])}
            with self.subTest(code=code):
                text = reason_text(self.env, code, params)
                self.assertNotRegex(text, r"%\(|%%")
                for value in params.values():
                    self.assertIn(str(value), text)
                self.assertEqual(self.codes([reason(code, params=params)]), [code])

    def test_by_topic(self):
        """Topics in their order, churn first; within one, the strongest first as the worker sent them."""
        self.assertEqual(TOPICS[0], "churn")
        self.assertLessEqual({spec["topic"] for spec in REASON_SCHEMA.values()}, set(TOPICS))
        topics = render_reasons(
            self.env,
            [
                reason("won_back"),
                reason("top_share"),
                reason("spend_falling"),
                reason("poor_net_value"),
                reason("long_silence"),
            ],
            self.alpha.currency_id,
        )
        self.assertEqual(
            [(topic["topic"], [each["code"] for each in topic["reasons"]]) for topic in topics],
            [
                ("churn", ["spend_falling", "long_silence"]),
                ("value", ["top_share", "poor_net_value"]),
                ("life_cycle", ["won_back"]),
            ],
        )
        self.assertEqual(topics[0]["reasons"][0]["meaning"], "Raises the risk")
        self.assertTrue(all(topic["title"] for topic in topics))

    def test_what_cannot_be_rendered_is_left_out(self):
        good = reason()
        for bad in (
            {"code": "of_tomorrow", "params": {}},
            {"code": None},
            {"code": ["long_silence"], "params": {"days_since": 1}},
            {"code": "long_silence"},
            {"code": "long_silence", "params": None},
            {"code": "long_silence", "params": {"days": 40}},
            {"code": "long_silence", "params": ["days_since"]},
            {},
        ):
            with self.subTest(bad=bad):
                self.assertEqual(self.codes([bad, good]), ["long_silence"])
                self.assertEqual(self.codes([bad]), [])
        for nothing in (None, False, [], {}, "x"):
            self.assertEqual(self.codes(nothing), [])

    def test_odd_records_are_no_links(self):
        for given in (None, "7", {"1": 1}, [0, None, "7", 1.5, True, 2**40, [3]]):
            with self.subTest(given=given):
                (topic,) = render_reasons(
                    self.env, [reason(record_ids=given, direction="sideways")], self.alpha.currency_id
                )
                (shown,) = topic["reasons"]
                self.assertEqual((shown["links"], shown["direction"], shown["meaning"]), ([], "", ""))

    def test_a_category_is_named_to_those_who_may_read_it(self):
        """By its name in the reader's Odoo; without one where it is gone, hidden, or no id at all."""
        juices = self.env["product.category"].create({"name": "Canned Juices"})
        given = reason("cross_sell_gap")
        due = reason("replacement_overdue")
        for each in (given, due):
            each["params"]["category"] = juices.id

        def texts(user):
            topics = render_reasons(self.env(user=user), [given, due], self.alpha.currency_id)
            return [each["text"] for topic in topics for each in topic["reasons"]]

        self.assertEqual(
            texts(self.user),
            [
                "40 % of 41 similar customers buy Canned Juices, it buys none",
                "Buys Canned Juices about every 40 days; has been due for 41 days",
            ],
        )
        self.env["ir.rule"].create(
            {
                "name": "not this one",
                "model_id": self.env.ref("product.model_product_category").id,
                "domain_force": f"[('id', '!=', {juices.id})]",
            }
        )
        unnamed = [
            "40 % of 41 similar customers buy a category in which it buys nothing",
            "A category it buys about every 40 days has been due for 41 days",
        ]
        self.assertEqual(texts(self.user), unnamed)
        for odd in (None, True, "Juices", 2**40, -1, [juices.id], {}):
            for each in (given, due):
                each["params"]["category"] = odd
            with self.subTest(category=odd):
                self.assertEqual(texts(self.env.user), unnamed)
        for each in (given, due):  # as a worker of an earlier version sends them
            del each["params"]["category"]
        self.assertEqual(texts(self.env.user), unnamed)

    def test_viewers_read_reasons_on_partner_and_profile(self):
        self.score([self.full(self.customer, reasons=[reason()])])
        contact = self.as_user("res.partner", self.viewer, self.alpha).browse(self.contact.id)
        profile = self.profile(self.customer).with_user(self.viewer)
        for page in (contact.value_page, profile.page):
            self.assertIn("Silent for 40 days", json.dumps(page["why"]))
        self.assertFalse(self.customer.with_company(self.beta).value_page)
        self.assertFalse(self.unscored.value_page)

    def test_margins_are_for_those_who_see_amounts(self):
        amounts = {code for code in REASON_SCHEMA if tells_amounts(code)}
        self.assertIn("poor_net_value", amounts)
        self.assertNotIn("top_share", amounts)
        given = [reason(code) for code in amounts]
        self.score([self.full(self.customer, reasons=given)])
        for user, shown in ((self.viewer, set()), (self.user, amounts)):
            contact = self.as_user("res.partner", user, self.alpha).browse(self.contact.id)
            profile = self.profile(self.customer).with_user(user)
            for page in (contact.value_page, profile.page):
                text = json.dumps(page)
                self.assertEqual({code for code in amounts if f'"{code}"' in text}, shown)

    def test_money_is_told_with_its_currency(self):
        """A figure of the type money, whatever it is called; and nothing of it to viewers."""
        params = REASON_SCHEMA["spend_rising"]["params"]
        self.addCleanup(params.__setitem__, "percent", params["percent"])
        params["percent"] = "money"
        self.score(
            [self.full(self.customer, reasons=[reason("spend_rising", params={"percent": 12345})])], self.beta
        )
        for user, shown in ((self.user, True), (self.viewer, False)):
            partner = self.as_user("res.partner", user, self.beta).browse(self.customer.id)
            text = json.dumps(partner.value_page, ensure_ascii=False)
            self.assertEqual(
                "12,345\N{NO-BREAK SPACE}€" in text or "€\N{NO-BREAK SPACE}12,345" in text, shown
            )
            self.assertEqual("12345" in text, False)


@tagged("post_install", "-at_install")
class TestOpenRecords(CustomerValueCase):
    """A reason opens the very records behind it, under the reader's own rights."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls._product()
        case = cls("setUp")
        case.env = cls.env
        cls.seller = cls._user("cv_seller", "sales_team.group_sale_salesman", cls.alpha)
        cls.chief = cls._user("cv_chief", "sales_team.group_sale_salesman_all_leads", cls.alpha)
        cls.reader = cls._user(
            "cv_reader", "sales_team.group_sale_salesman_all_leads,account.group_account_readonly", cls.alpha
        )
        cls.own = case.order(cls.customer, user_id=cls.seller.id)
        cls.other = case.order(cls.customer, user_id=cls.chief.id)
        cls.score_reasons(case)

    def score_reasons(self, **values):
        ids = [self.own.id, self.other.id]
        given = [reason("recent_order", record_ids=ids, **values), reason("top_share")]
        self.score([self.full(self.customer, reasons=given)])

    def pages(self, user):
        partner = self.as_user("res.partner", user, self.alpha).browse(self.contact.id)
        profile = self.as_user("crm.value.profile", user, self.alpha).browse(self.profile(self.customer).id)
        return {partner: partner.value_page, profile: profile.page}

    def links(self, page):
        return {each["code"]: [link["model"] for link in each["links"]] for each in page["why"]["reasons"]}

    def test_list_of_the_records(self):
        for record, page in self.pages(self.chief).items():
            with self.subTest(model=record._name):
                self.assertEqual(self.links(page), {"recent_order": ["sale.order"]})
                self.assertIn("Orders (2)", json.dumps(page))
                action = record.action_open_value_reason("recent_order", "sale.order")
                self.assertEqual(
                    (action["type"], action["res_model"]), ("ir.actions.act_window", "sale.order")
                )
                self.assertEqual([kind for _view, kind in action["views"]], ["list", "form"])
                orders = self.as_user("sale.order", self.chief, self.alpha).with_context(**action["context"])
                self.assertEqual(orders.search(action["domain"]), self.own | self.other)
                self.assertEqual(action["name"], "Ordered only 40 days ago")

    def test_own_records_only(self):
        for record in self.pages(self.seller):
            action = record.action_open_value_reason("recent_order", "sale.order")
            self.assertEqual(action["domain"], [["id", "in", self.own.ids]])

    def test_hidden_or_gone_is_said(self):
        self.own.user_id = self.chief
        (self.own | self.other).flush_recordset()
        for record in self.pages(self.seller):
            action = record.action_open_value_reason("recent_order", "sale.order")
            self.assertEqual((action["type"], action["tag"]), ("ir.actions.client", "display_notification"))
            self.assertIn("not yours to see", action["params"]["message"])
        (self.own | self.other).with_context(disable_cancel_warning=True)._action_cancel()
        (self.own | self.other).unlink()
        for record in self.pages(self.chief):
            action = record.action_open_value_reason("recent_order", "sale.order")
            self.assertEqual(action["tag"], "display_notification")

    def test_no_link_without_a_right_to_the_model(self):
        """Viewers who are no salespeople read the reason, and no order."""
        for record, page in self.pages(self.viewer).items():
            self.assertEqual(self.links(page), {"recent_order": []})
            with self.assertRaises(UserError):
                record.action_open_value_reason("recent_order", "sale.order")

    def test_no_other_records(self):
        """Only what the reason names, whatever one asks for."""
        for record in self.pages(self.chief):
            for code, model in (
                ("recent_order", "res.users"),
                ("recent_order", ["sale.order"]),
                ("recent_order", None),
                ("top_share", "sale.order"),
                ("of_tomorrow", "sale.order"),
                (["recent_order"], "sale.order"),
                (None, None),
            ):
                with self.subTest(code=code, model=model), self.assertRaises(UserError):
                    record.action_open_value_reason(code, model)

    def test_the_schema_says_the_model(self):
        self.score_reasons(model="res.users")
        for page in self.pages(self.chief).values():
            self.assertEqual(self.links(page), {"recent_order": ["sale.order"]})

    def test_sales_counted_from_invoices_open_invoices(self):
        """As far as the reader's own rules show them; what an order is behind stays an order."""
        self.env["account.chart.template"].try_loading("generic_coa", self.alpha, install_demo=False)
        own, other = self.env["account.move"].create(
            [
                {
                    "move_type": "out_invoice",
                    "partner_id": self.customer.id,
                    "company_id": self.alpha.id,
                    "invoice_user_id": user.id,
                }
                for user in (self.seller, self.chief)
            ]
        )
        given = [
            reason("recent_order", record_ids=[own.id, other.id], model="account.move"),
            reason("prefers_channel", record_ids=self.other.ids, model="account.move"),
        ]
        self.score([self.full(self.customer, reasons=given)])
        for user, seen in ((self.seller, own), (self.chief, own | other), (self.reader, own | other)):
            for record, page in self.pages(user).items():
                links = {
                    each["code"]: [link["model"] for link in each["links"]]
                    for topic in render_reasons(record.env, given, self.alpha.currency_id)
                    for each in topic["reasons"]
                }
                self.assertEqual(links, {"recent_order": ["account.move"], "prefers_channel": ["sale.order"]})
                self.assertIn("Invoices (2)", json.dumps(page))
                action = record.action_open_value_reason("recent_order", "account.move")
                if user != self.reader:
                    # Odoo shows the form of an invoice to nobody without rights in accounting.
                    self.assertIn("Only people with rights in accounting", action["params"]["message"])
                    action = action["params"]["next"]
                kinds = ["list", "form"] if user == self.reader else ["list"]
                self.assertEqual([kind for _view, kind in action["views"]], kinds)
                self.assertEqual(
                    (action["res_model"], set(action["domain"][0][2])), ("account.move", set(seen.ids))
                )
                with self.assertRaises(UserError):
                    record.action_open_value_reason("recent_order", "sale.order")

    def read_view(self, records, kind):
        """Read what a view of records shows, as the web client would."""
        arch = etree.fromstring(records.get_views([(False, kind)])["views"][kind]["arch"])

        def shown(node, model):
            spec = {}
            for field in node.iterfind(".//field"):
                if next(field.iterancestors("field"), arch) is not (node if node.tag == "field" else arch):
                    continue
                name, kind = field.get("name"), model._fields[field.get("name")].type
                spec[name] = {}
                if kind in ("many2one", "reference"):
                    spec[name] = {"fields": {"display_name": {}}}
                elif kind in ("one2many", "many2many"):
                    spec[name] = {"fields": shown(field, self.env[model._fields[name].comodel_name])}
            return spec

        return records.web_read(shown(arch, records))

    def test_what_is_opened_can_be_read(self):
        """Whatever a reason opens for whom, no view of it ends in an error of access."""
        self.env["account.chart.template"].try_loading("generic_coa", self.alpha, install_demo=False)
        invoice = self.own._create_invoices()
        invoice.action_post()
        wizard = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        )
        wizard.create({})._create_payments()
        lead = self.env["crm.lead"].create({"name": "x", "type": "opportunity", "user_id": self.seller.id})
        behind = {
            "sale.order": self.own,
            "account.move": invoice,
            "crm.lead": lead,
            "res.partner": self.customer,
        }
        for user in (self.seller, self.chief, self.reader):
            for model, opened in behind.items():
                with self.subTest(user=user.login, model=model):
                    record = self.as_user(model, user, self.alpha).browse(opened.id)
                    self.assertTrue(may_open(record.env, model))
                    self.assertTrue(self.read_view(record, "list"))
                    if may_open_form(record.env, model):
                        self.assertTrue(self.read_view(record, "form"))
        with self.assertRaises(AccessError, msg="Odoo shows it now: so may we"):
            self.read_view(self.as_user("account.move", self.chief, self.alpha).browse(invoice.id), "form")

    def test_a_number_that_is_no_id_opens_nothing(self):
        given = [reason("recent_order", record_ids=[-self.own.id, 0, True, 2**31, "7", self.other.id])]
        self.score([self.full(self.customer, reasons=given)])
        for record, page in self.pages(self.chief).items():
            self.assertEqual(self.links(page), {"recent_order": ["sale.order"]})
            action = record.action_open_value_reason("recent_order", "sale.order")
            self.assertEqual(action["domain"], [["id", "in", self.other.ids]])

    def test_archived_records_are_shown(self):
        lead = self.env["crm.lead"].create(
            {"name": "x", "type": "opportunity", "partner_id": self.customer.id, "company_id": self.alpha.id}
        )
        lead.action_set_lost()
        self.assertFalse(lead.active)
        given = [reason("recent_order", record_ids=lead.ids)]
        self.score([self.full(self.customer, reasons=given)])
        kept = REASON_SCHEMA["recent_order"]["model"]
        self.addCleanup(REASON_SCHEMA["recent_order"].__setitem__, "model", kept)
        REASON_SCHEMA["recent_order"]["model"] = "crm.lead"
        for record in self.pages(self.chief):
            action = record.action_open_value_reason("recent_order", "crm.lead")
            leads = self.as_user("crm.lead", self.chief, self.alpha).with_context(**action["context"])
            self.assertEqual(leads.search(action["domain"]), lead)

    def test_outsiders(self):
        partner = self.customer
        self.portal.partner_id.parent_id = partner
        profile = self.profile(self.customer)
        for user in (self.portal, self.employee, self.sync, self.env.ref("base.public_user")):
            for record in (partner, user.partner_id, profile):
                with self.subTest(user=user.login, model=record._name), self.assertRaises(AccessError):
                    record.with_user(user).with_context(
                        allowed_company_ids=self.alpha.ids
                    ).action_open_value_reason("recent_order", "sale.order")

    def test_profile_of_another_company(self):
        self.score(
            [self.full(self.customer, reasons=[reason("recent_order", record_ids=self.own.ids)])], self.beta
        )
        foreign = self.profile(self.customer, self.beta)
        seller = new_test_user(
            self.env,
            login="cv_alpha_only",
            groups="sales_team.group_sale_manager",
            company_id=self.alpha.id,
            company_ids=[(6, 0, self.alpha.ids)],
        )
        with self.assertRaises(AccessError):
            foreign.with_user(seller).with_context(
                allowed_company_ids=self.alpha.ids
            ).action_open_value_reason("recent_order", "sale.order")
