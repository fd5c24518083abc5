"""Sales of the point of sale; like test_export_modules.py run in a database that has it."""

from odoo.fields import Command
from odoo.tests import tagged

from .test_export_facts import InvoiceCase


class CounterCase(InvoiceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids += cls.env.ref("point_of_sale.group_pos_manager")
        cls.tip = cls._product("Tip")
        cls.config, cls.session = cls._counter(cls.alpha)

    @classmethod
    def _counter(cls, company):
        config = (
            cls.env["pos.config"]
            .with_company(company)
            .create({"name": f"Counter of {company.name}", "company_id": company.id})
        )
        config.tip_product_id = cls.tip
        session = cls.env["pos.session"].with_company(company).create({"config_id": config.id})
        return config, session

    def sell(self, partner, *lines, day="2026-02-03 12:00:00", state="done", session=None, **values):
        """An order of (product, quantity, price, what else is set of the line)."""
        session = session or self.session
        order = (
            self.env["pos.order"]
            .with_company(session.company_id)
            .create(
                {
                    "session_id": session.id,
                    "company_id": session.company_id.id,
                    "partner_id": partner.id,
                    "amount_tax": 0,
                    "amount_total": sum(line[1] * line[2] for line in lines),
                    "amount_paid": 0,
                    "amount_return": 0,
                    "lines": [
                        Command.create(
                            {
                                "name": "x",
                                "product_id": line[0].id,
                                "qty": line[1],
                                "price_unit": line[2],
                                "price_subtotal": line[1] * line[2],
                                "price_subtotal_incl": line[1] * line[2],
                                **(line[3] if len(line) > 3 else {}),
                            }
                        )
                        for line in lines
                    ],
                    **values,
                }
            )
        )
        self.stamp(order, state=state, date_order=day)
        return order

    def cost(self, order, total):
        for line in order.lines:
            self.stamp(line, total_cost=total, is_total_cost_computed=True)


@tagged("post_install", "-at_install", "-standard", "crm_value_export")
class TestPointOfSale(CounterCase):
    def test_orders_and_lines(self):
        order = self.sell(self.contact, (self.product, 2, 50, {"discount": 10}), (self.product, 1, 7))
        self.assertEqual(
            self.rows("pos_orders"),
            {
                order.id: {
                    "order_id": str(order.id),
                    "customer_id": str(self.customer.id),
                    "date": "2026-02-03",
                    "amount": "107.00",
                    "margin": "",
                }
            },
        )
        self.assertEqual(
            [
                {name: float(value) for name, value in row.items()}
                for row in sorted(self.export("pos_lines"), key=lambda row: int(row["line_id"]))
            ],
            [
                {
                    "line_id": line.id,
                    "order_id": order.id,
                    "product_id": self.product.id,
                    "quantity": quantity,
                    "amount": amount,
                    "discount": discount,
                }
                for line, quantity, amount, discount in zip(
                    order.lines, (2, 1), (100, 7), (10, 0), strict=True
                )
            ],
        )

    def test_paid_orders_of_somebody(self):
        kept = [self.sell(self.customer, (self.product, 1, 5), state=state) for state in ("paid", "done")]
        for state in ("draft", "cancel"):
            self.sell(self.customer, (self.product, 1, 5), state=state)
        self.sell(self.env["res.partner"], (self.product, 1, 5))
        self.assertEqual(set(self.rows("pos_orders")), {order.id for order in kept})
        self.assertEqual(
            {int(row["order_id"]) for row in self.export("pos_lines")}, {order.id for order in kept}
        )

    def test_returns_are_below_zero_however_they_were_entered(self):
        for subtotal in (-20, 20):
            refund = self.sell(
                self.customer, (self.product, -2, 10, {"price_subtotal": subtotal}), is_refund=True
            )
            self.assertEqual(float(self.rows("pos_orders")[refund.id]["amount"]), -20)
        self.assertEqual({float(row["amount"]) for row in self.export("pos_lines")}, {-20})

    def test_margin_where_every_cost_is_known(self):
        known, unknown, returned = (
            self.sell(self.customer, (self.product, 1, 100)),
            self.sell(self.customer, (self.product, 1, 100)),
            self.sell(self.customer, (self.product, -1, 100), is_refund=True),
        )
        self.cost(known, 60)
        self.cost(unknown, 0)
        self.cost(returned, -60)
        margins = {key: row["margin"] for key, row in self.rows("pos_orders").items()}
        self.assertEqual((float(margins[known.id]), margins[unknown.id]), (40, ""))
        self.assertEqual(float(margins[returned.id]), -40)

    def test_tips_and_money_are_no_sales(self):
        gift = self._product("Gift card")
        program = self.env["loyalty.program"].create(
            {
                "name": "Gift cards",
                "program_type": "gift_card",
                "company_id": self.alpha.id,
                **self.env["loyalty.program"]._get_template_values()["gift_card"],
            }
        )
        program.rule_ids.product_ids = gift
        payment = program.reward_ids.discount_line_product_id
        order = self.sell(
            self.customer, (self.product, 1, 100), (self.tip, 1, 5), (gift, 1, 50), (payment, 1, -30)
        )
        self.sell(self.customer, (self.tip, 1, 5))
        self.assertEqual(
            {key: float(row["amount"]) for key, row in self.rows("pos_orders").items()}, {order.id: 100}
        )
        self.assertEqual([float(row["amount"]) for row in self.export("pos_lines")], [100])

    def test_a_sales_order_settled_at_the_counter_is_sold_once(self):
        settled = self.order(self.customer, 100)
        cancelled = self.order(self.customer, 30, state="cancel")
        other = self.order(self.customer, 40, user_id=self.user.id)
        order = self.sell(
            self.customer,
            (self.product, 1, 100, {"sale_order_origin_id": settled.id}),
            (self.product, 1, 30, {"sale_order_origin_id": cancelled.id}),
        )
        self.assertEqual(float(self.rows("pos_orders")[order.id]["amount"]), 30)
        self.assertEqual(set(self.amounts()), {settled.id, other.id})
        details = self.rows("order_details")
        self.assertEqual(details[settled.id]["channel"], "point_of_sale")
        self.assertEqual(details[other.id]["channel"], "salesperson")

    def test_currency_at_the_rate_of_the_order(self):
        order = self.sell(self.customer, (self.product, 1, 100))
        self.cost(order, 60)
        self.stamp(order, currency_rate=4)
        row = self.rows("pos_orders")[order.id]
        self.assertEqual((float(row["amount"]), float(row["margin"])), (25, 10))
        self.assertEqual(float(self.export("pos_lines")[0]["amount"]), 25)

    def test_a_customer_of_the_counter_alone_is_known(self):
        self.sell(self.contact, (self.product, 1, 5), day="2026-02-03 12:00:00")
        [row] = self.export("partners")
        self.assertEqual((row["customer_id"], row["first_seen"]), (str(self.customer.id), "2026-02-03"))

    def test_pages(self):
        for partner in self.partners[:3]:
            self.sell(partner, (self.product, 1, 5), (self.product, 2, 7))
        for dataset in ("pos_orders", "pos_lines"):
            with self.subTest(dataset=dataset):
                self.assert_paged(dataset)
                self.assert_splits(dataset)

    def test_companies_and_objection(self):
        self._chart(self.beta)
        _config, session = self._counter(self.beta)
        own = self.sell(self.contact, (self.product, 1, 5))
        other = self.sell(self.customer, (self.product, 1, 5), session=session)
        self.assertEqual(set(self.rows("pos_orders")), {own.id})
        self.assertEqual(set(self.rows("pos_orders", self.beta)), {other.id})
        self.object(self.customer)
        self.assertEqual((self.export("pos_orders"), self.export("pos_lines")), ([], []))
        self.assertEqual(self.export("partners"), [])
