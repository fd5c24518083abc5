import zlib
from base64 import b64decode

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL

from .test_export import ExportCase


@tagged("post_install", "-at_install", "crm_value_export")
class TestOtherDatasets(ExportCase):
    def test_lines(self):
        order = self.order(self.contact, 50, line={"product_uom_qty": 4, "discount": 10})
        self.order(self.customer, state="draft")
        self.order(self.customer, 7, self.beta)
        row = self.export("lines")[0]
        self.assertEqual(
            {name: float(value) for name, value in row.items()},
            {
                "line_id": order.order_line.id,
                "order_id": order.id,
                "product_id": self.product.id,
                "quantity": 4,
                "amount": 180,
                "discount": 10,
            },
        )
        self.assertEqual(len(self.export("lines")), 1)
        self.assertEqual([float(r["amount"]) for r in self.export("lines", self.beta)], [7])

    def test_every_line_belongs_to_an_exported_order(self):
        for company in (self.alpha, self.branch, self.beta):
            for state in ("draft", "sale", "cancel"):
                self.order(self.contact, 10, company, state=state)
        for company in (self.alpha, self.beta):
            orders = {row["order_id"] for row in self.export("orders", company)}
            self.assertEqual({row["order_id"] for row in self.export("lines", company)}, orders)

    def partners_exported(self, company=None):
        return {int(row["customer_id"]): row for row in self.export("partners", company)}

    def test_partners(self):
        self.order(self.contact, day="2026-01-15 12:00:00")
        self.order(self.customer, day="2025-11-03 12:00:00", state="cancel")
        self.order(self.customer2, day="2026-01-01 12:00:00", state="draft")
        self.customer2.active = False
        lead = self.env["crm.lead"].create(
            {"name": "x", "partner_id": self.customer3.id, "company_id": self.alpha.id}
        )
        self.env.flush_all()
        self.env.cr.execute(
            SQL("UPDATE crm_lead SET create_date = '2025-06-01 12:00:00' WHERE id = %s", lead.id)
        )
        exported = self.partners_exported()
        self.assertEqual(set(exported), {self.customer.id, self.customer2.id, self.customer3.id})
        self.assertEqual(exported[self.customer.id]["first_seen"], "2025-11-03")
        self.assertEqual(exported[self.customer.id]["archived"], "f")
        self.assertEqual(exported[self.customer2.id]["archived"], "t")
        self.assertEqual(exported[self.customer3.id]["first_seen"], "2025-06-01")

    def test_prospects_of_a_lost_lead_and_of_another_company(self):
        self.env["crm.lead"].create(
            [
                {
                    "name": "lost",
                    "partner_id": self.customer.id,
                    "company_id": self.alpha.id,
                    "active": False,
                },
                {"name": "beta", "partner_id": self.customer2.id, "company_id": self.beta.id},
            ]
        )
        lead = self.env["crm.lead"].create({"name": "any", "partner_id": self.customer3.id, "user_id": False})
        lead.company_id = False
        self.assertEqual(set(self.partners_exported()), {self.customer.id, self.customer3.id})
        self.assertEqual(set(self.partners_exported(self.beta)), {self.customer2.id, self.customer3.id})

    def test_format(self):
        tag = self.env["res.partner.category"].create({"name": "Chain"})
        industry = self.env.ref("base.res_partner_industry_G")
        by_tag = self.env.ref("crm_value_addon.crm_value_format_chain")
        by_industry = self.env.ref("crm_value_addon.crm_value_format_wholesale")
        by_tag.category_ids = tag
        self.customer.write({"category_id": [Command.set(tag.ids)], "industry_id": industry.id})
        self.customer2.industry_id = industry
        for partner in self.partners:
            self.order(partner)
        exported = {partner: row["format_id"] for partner, row in self.partners_exported().items()}
        self.assertEqual(exported[self.customer.id], str(by_tag.id))
        self.assertEqual(exported[self.customer2.id], str(by_industry.id))
        self.assertEqual(exported[self.customer3.id], "")
        by_tag.active = False
        self.assertEqual(self.partners_exported()[self.customer.id]["format_id"], str(by_industry.id))

    def test_products(self):
        foreign = self._product("Foreign", company_id=self.beta.id)
        self.order(self.customer)
        exported = {int(row["product_id"]): row["category_id"] for row in self.export("products")}
        self.assertEqual(exported[self.product.id], str(self.product.categ_id.id or ""))
        self.assertNotIn(foreign.id, exported)
        self.assertIn(foreign.id, {int(row["product_id"]) for row in self.export("products", self.beta)})

    def test_archived_product_and_variant(self):
        self.order(self.customer)
        self.product.active = False
        self.assertIn(self.product.id, {int(row["product_id"]) for row in self.export("products")})

    def test_profiles(self):
        self.score(
            [self.full(self.customer, value_class="key", value_basis="margin"), self.full(self.customer2)]
        )
        self.score([self.full(self.customer, value_class="unprofitable")], self.beta)
        rows = {int(row["customer_id"]): row for row in self.export("profiles")}
        self.assertEqual(set(rows), {self.customer.id, self.customer2.id})
        row = rows[self.customer.id]
        self.assertEqual((row["value_class"], row["churn_risk"]), ("key", "low"))
        self.assertEqual(row["since"], str(self.history(self.customer).valid_from))
        self.assertEqual(row["value_basis"], "margin")
        self.assertEqual(rows[self.customer2.id]["value_basis"], "revenue")

    def test_profiles_say_by_which_policy_they_were_judged(self):
        """The version of the last completed run, of customers too that it left as they were."""

        def told():
            return {int(row["customer_id"]): row["policy_version_id"] for row in self.export("profiles")}

        def activated():
            version = self.env["crm.value.policy.version"].create({"company_id": self.alpha.id})
            version.action_activate()
            return version

        self.score([self.full(self.customer2)], self.beta)
        first = activated()
        rows = [self.full(self.customer, value_class="key", burden="t"), self.full(self.customer2)]
        self.score(rows)
        self.assertEqual(told(), dict.fromkeys([self.customer.id, self.customer2.id], str(first.id)))
        self.assertEqual(
            {row["as_of"] for row in self.export("profiles")}, {str(self.alpha._crm_value_today())}
        )
        exported = {int(row["customer_id"]): row["burden"] for row in self.export("profiles")}
        self.assertEqual(exported, {self.customer.id: "t", self.customer2.id: "f"})
        second = activated()
        self.assertEqual(set(told().values()), {str(first.id)})
        run = self.claim()
        self.assertEqual(run["policy"]["version_id"], second.id)
        self.contract.close_run(run_id=run["id"], token=run["token"], state="failed", error="e")
        self.assertEqual(set(told().values()), {str(first.id)})
        self.score(rows)
        self.assertEqual(set(told().values()), {str(second.id)})
        # A back-test judges nobody anew.
        activated()
        self.close(self.claim(kind="backtest"), 0)
        self.assertEqual(set(told().values()), {str(second.id)})

    def test_profiles_are_the_engines_word(self):
        self.env["crm.value.override"].create(
            {
                "partner_id": self.customer.id,
                "label": "value_class",
                "value": "key",
                "reason": "r",
                "date_until": "2099-01-01",
            }
        )
        self.score([self.full(self.customer)])
        self.assertEqual(self.export("profiles")[0]["value_class"], "standard")

    def test_nothing_personal(self):
        secret = "Zyxwvut"
        self.customer.write(
            {"name": secret, "email": f"{secret}@example.com", "street": secret, "ref": secret}
        )
        self.contact.write({"name": secret, "phone": secret})
        self.product.name = secret
        self.order(self.contact, client_order_ref=secret, note=secret)
        self.env["crm.lead"].create(
            {"name": secret, "partner_id": self.customer.id, "company_id": self.alpha.id}
        )
        for dataset in self.contract.describe()["datasets"]:
            page = self.contract.export_history(dataset=dataset, company_id=self.alpha.id)
            self.assertNotIn(secret.lower().encode(), zlib.decompress(b64decode(page["data"])).lower())

    def test_answers_read_only(self):
        """Odoo gives these methods a read-only transaction."""
        self.order(self.customer)
        self.env.flush_all()
        self.assertTrue(self.registry["crm.value.sync"].describe._readonly)
        self.assertTrue(self.registry["crm.value.sync"].export_history._readonly)
        for method in ("claim_run", "beat", "publish", "close_run"):
            self.assertFalse(getattr(getattr(self.registry["crm.value.sync"], method), "_readonly", False))
