from datetime import timedelta
from itertools import product

from odoo.tests import tagged

from ..backtest_texts import rule_text
from ..reason_texts import reason_text
from ..reasons import REASON_SCHEMA, category_figures
from ..service_texts import offered_texts
from .common import CustomerValueCase

# A silence is of a week at least, as is a sudden change; payments and promises are told of from three on, ratings from
# two; a group has two customers, and a basket is broad beside one of a category.
NEVER_ONE = {
    ("won_back", "silence_days"),
    ("sudden_drop", "days"),
    ("sudden_surge", "days"),
    ("pays_late", "invoices"),
    ("pays_on_time", "invoices"),
    ("promises_kept", "promises"),
    ("satisfied_ratings", "ratings"),
    ("mixed_ratings", "ratings"),
    ("unsatisfied_ratings", "ratings"),
    ("group_of_branches", "branches"),
    ("broad_basket", "categories"),
}
THINGS = (
    *("days", "hours", "months", "categories", "customers", "invoices", "orders", "lines", "ratings"),
    *("promises", "quotations", "activities"),
)
PLURAL = rf"\b1 ({'|'.join(THINGS)})\b|every 1\b"


@tagged("post_install", "-at_install")
class TestSingular(CustomerValueCase):
    """No text counts “1 days”."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls._product()

    def test_reasons_whichever_figures_are_one(self):
        for code, spec in REASON_SCHEMA.items():
            many = {name: 9000 + number for number, name in enumerate(spec["params"])}
            names = [name for name in many if (code, name) not in NEVER_ONE]
            for ones in product((False, True), repeat=len(names)):
                params = many | {name: 1 for name, one in zip(names, ones, strict=True) if one}
                if params.get("low", 0) > params.get("ratings", 0):
                    continue
                # Its category may be one that the reader may not know.
                for given in (params, params | dict.fromkeys(category_figures(code))):
                    text = reason_text(self.env, code, given)
                    with self.subTest(code=code, params=given):
                        self.assertNotRegex(text, PLURAL)
                        self.assertNotRegex(text, r"%\(|%%")
                        for value in set(given.values()) - {1, None}:
                            self.assertIn(str(value), text)

    def test_reasons_read_well(self):
        for code, params, expected in (
            ("one_order_only", {"days_since": 1}, "Ordered once, 1 day ago"),
            (
                "on_rhythm",
                {"days_since": 1, "typical_gap": 7},
                "Orders in its usual rhythm: last 1 day ago, usually every 7 days",
            ),
            (
                "on_rhythm",
                {"days_since": 2, "typical_gap": 1},
                "Orders in its usual rhythm: last 2 days ago, usually every day",
            ),
            ("rare_buyer", {"order_days": 1, "months": 12}, "Orders seldom: on 1 day in 12 months"),
            ("slow_answers", {"hours": 5, "peers": 1}, "Waits 5 hours for our answer, its peers 1 hour"),
            ("spend_rising", {"percent": 1}, "Spends 1 % more than in the period before"),
        ):
            self.assertEqual(reason_text(self.env, code, params), expected)

    def test_what_a_service_policy_offers(self):
        policy = self.env["crm.value.service.policy"].new({"contact_days": 1, "response_hours": 1})
        self.assertEqual(offered_texts(self.env, policy), ["A contact every day", "An answer within 1 hour"])

    def test_rules_of_a_back_test(self):
        for code, params, expected in (
            ("recency", {"days": 1}, "silent for 1 day or more"),
            ("last_period", {"order_days": 1.0}, "at most 1 day with orders in the last 90 days"),
            ("run_rate", {"order_days": 1}, "at most 1 day with orders a year"),
            ("run_rate", {"order_days": 1.2}, "at most 1.2 days with orders a year"),
        ):
            self.assertEqual(rule_text(self.env, code, params, self.alpha.currency_id, 90), expected)

    def test_what_sets_a_portrait_apart(self):
        portrait = self.env["crm.value.portrait"].new({"company_id": self.alpha.id})
        told = portrait._apart_sentence({"code": "orders_more_often", "value": 1.2, "format_value": 9})
        self.assertEqual(told, "Order more often: every day, not every 9 days")

    def test_timeline(self):
        self.order(self.customer, day=f"{self.alpha._crm_value_today() - timedelta(days=10)} 12:00:00")
        self.score([self.full(self.customer)])
        leader = self._user("cv_leader", "sales_team.group_sale_salesman_all_leads", self.alpha)
        told = self.as_user("res.partner", leader).browse(self.customer.id).read_value_timeline()
        self.assertIn("Ordered on 1 day in the last 365 days", told["text"])

    def test_a_run_that_is_given_up(self):
        retention = self.env["crm.value.retention"]
        self.assertIn("for 1 day.", retention._given_up_text("w", 1))
        self.assertIn("for 2 days.", retention._given_up_text("w", 2))
