"""The lists people work through: who is in them, in which order, and for whom."""

from datetime import date, timedelta

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .common import CustomerValueCase

ACTIONS = ("overdue", "key_at_risk", "promising", "won_back", "not_loyal")


def day(ahead):
    return (date.today() + timedelta(days=ahead)).isoformat()


class WorkCase(CustomerValueCase):
    """A salesperson with own documents only, and one who leads the team."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        companies = cls.alpha | cls.branch | cls.beta
        cls.seller = cls._user("cv_seller", "sales_team.group_sale_salesman", companies)
        cls.leader = cls._user("cv_leader", "sales_team.group_sale_salesman_all_leads", companies)
        cls.product = cls._product()

    def action(self, name):
        action = self.env["ir.actions.act_window"]._for_xml_id(f"crm_value_addon.res_partner_action_{name}")
        return {**action, "domain": safe_eval(action["domain"])}

    def views(self, name, user):
        action = self.action(name)
        views = [*action["views"], (action["search_view_id"][0], "search")]
        return self.as_user("res.partner", user, self.alpha).get_views(views)["views"]

    def order_of(self, name, user):
        return self.views(name, user)["list"]["arch"].split('default_order="')[1].split('"')[0]

    def listed(self, name, user=None, company=None):
        """The customers of a list, in its own order."""
        user = user or self.leader
        records = self.as_user("res.partner", user, company or self.alpha)
        return list(records.search(self.action(name)["domain"], order=self.order_of(name, user)).sudo())


@tagged("post_install", "-at_install")
class TestWorkingLists(WorkCase):
    def test_who_is_where(self):
        late = {"expected_next_order": day(-9), "expected_next_order_high": day(-1)}
        ahead = {"expected_next_order": day(9), "expected_next_order_high": day(20)}
        more = self.env["res.partner"].create([{"name": f"More {i}", "is_company": True} for i in range(5)])
        some, richer, today, lost, dormant = more
        self.score(
            [
                self.whole(some, current_value=100, value_percentile=0.9, **late),
                self.whole(richer, current_value=900, value_percentile=0.2, **late),
                self.whole(today, **{**late, "expected_next_order_high": day(0)}),
                self.whole(lost, lifecycle_stage="lost", **late),
                self.whole(dormant, lifecycle_stage="dormant", **late),
                self.whole(self.customer, value_class="key", value_segment="key_at_risk", **ahead),
                self.whole(self.customer2, value_class="growth", value_segment="promising", **ahead),
                self.whole(self.customer3, lifecycle_stage="won_back", value_segment="new", **ahead),
                self.whole(self.unscored, attitude="satisfied_not_loyal", **ahead),
            ]
        )
        # The contact of a customer carries its scores, and is no customer.
        self.assertEqual(self.contact.with_company(self.alpha).value_segment, "key_at_risk")
        for name, expected in (
            ("overdue", [richer, some]),
            ("key_at_risk", [self.customer]),
            ("promising", [self.customer2]),
            ("won_back", [self.customer3]),
            ("not_loyal", [self.unscored]),
        ):
            with self.subTest(list=name):
                self.assertEqual(self.listed(name), expected)
                self.assertEqual(self.listed(name, company=self.branch), expected)
                self.assertEqual(self.listed(name, company=self.beta), [])
        self.assertEqual(self.listed("overdue", self.viewer), [some, richer], "by the place among peers")

    def test_orders_by_amounts_are_for_those_who_see_amounts(self):
        for name in ACTIONS:
            amount = "potential_value desc" if name == "promising" else "current_value desc"
            for user in (self.user, self.leader, self.manager):
                self.assertEqual(self.order_of(name, user), amount)
            for user in (self.viewer, self.seller):
                self.assertEqual(self.order_of(name, user), "value_percentile desc")
            self.assertIn(
                f'default_order="{"current_value desc"}"', self.views(name, self.user)["kanban"]["arch"]
            )
            self.assertNotIn("current_value", self.views(name, self.viewer)["kanban"]["arch"])

    def test_every_view_loads_for_everybody(self):
        for name in ACTIONS:
            action = self.action(name)
            self.assertTrue(action["help"])
            for user in (self.viewer, self.seller, self.user, self.leader, self.manager):
                records = self.as_user("res.partner", user, self.alpha)
                loaded = records.get_views([*action["views"], (action["search_view_id"][0], "search")])
                shown = {field: {} for field in loaded["models"]["res.partner"]["fields"]}
                with self.subTest(list=name, user=user.login):
                    records.web_search_read(action["domain"], shown, order=self.order_of(name, user))

    def test_how_late(self):
        for days, text in ((12, "12 days late"), (1, "1 day late"), (0, False), (-3, False)):
            self.score([self.full(self.customer, expected_next_order_high=day(-days))])
            self.env.invalidate_all()
            partner = self.as_user("res.partner", self.viewer, self.alpha).browse(self.customer.id)
            self.assertEqual(partner.order_lateness, text)
        self.assertFalse(partner.browse(self.unscored.id).order_lateness)

    def test_late_by_the_day_of_the_company(self):
        # Of two neighbours a day apart, one is late whatever the hour; the reader's own time zone tells neither.
        self.score([self.full(self.customer, expected_next_order_high=day(-3))])
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
            self.alpha.partner_id.tz = zone
            self.env.invalidate_all()
            latest = self.alpha._crm_value_today() - timedelta(days=1)
            self.env.cr.execute("UPDATE crm_value_profile SET expected_next_order_high = %s", [latest])
            for reader in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
                records = self.as_user("res.partner", self.viewer, self.alpha).with_context(tz=reader)
                self.assertEqual(
                    records.browse(self.customer.id).order_lateness, "1 day late", (zone, reader)
                )

    def test_own_customers_first_for_those_with_own_documents(self):
        self.assertEqual(safe_eval(self.action("overdue")["context"])["search_default_my_customers"], 1)
        for user, filters in (
            (self.seller, {"my_customers"}),
            (self.leader, {"my_customers_of_team"}),
            (self.viewer, set()),
        ):
            arch = self.views("overdue", user)["search"]["arch"]
            for name in ("my_customers", "my_customers_of_team"):
                self.assertEqual(f'name="{name}"' in arch, name in filters, (user.login, name))

    def test_quotation_is_for_salespeople(self):
        for user, offered in ((self.viewer, False), (self.seller, True), (self.leader, True)):
            for kind in ("list", "kanban"):
                arch = self.views("overdue", user)[kind]["arch"]
                self.assertEqual("action_quote_last_order" in arch, offered, (user.login, kind))

    def test_as_many_queries_for_many_as_for_few(self):
        partners = self.env["res.partner"].create([{"name": f"More {i}"} for i in range(40)])
        for partner in partners:
            self.order(partner)
        late = {"expected_next_order_high": day(-1)}
        self.score([self.whole(partner, **late) for partner in partners])
        action = self.action("overdue")
        shown = [view for view in action["views"] if view[1] in ("list", "kanban")]
        for user in (self.seller, self.leader):
            records = self.as_user("res.partner", user, self.alpha)
            fields = records.get_views(shown)["models"]["res.partner"]["fields"]
            specification = {name: {} for name in fields}
            counts = []
            for limit in (40, 5, 40):
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                records.web_search_read(
                    action["domain"], specification, order="value_percentile desc", limit=limit
                )
                counts.append(self.env.cr.sql_log_count - before)
            self.assertLessEqual(counts[2], counts[1] + 1, f"{counts}; the count of the whole comes on top")


@tagged("post_install", "-at_install")
class TestUsualOrder(WorkCase):
    def usual(self, partner, company=None, user=None):
        self.env.flush_all()
        self.env.invalidate_all()
        records = self.as_user("res.partner", user or self.user, company or self.alpha)
        return records.browse(partner.id).usual_order

    def test_median_of_the_latest(self):
        self.score([self.full(self.customer), self.full(self.customer2)])
        for number, amount in enumerate([5000, 5000, *(10 * i for i in range(1, 11))]):
            self.order(
                self.contact if number % 2 else self.customer, amount, day=f"2026-01-{number + 1:02} 12:00:00"
            )
        self.assertEqual(self.usual(self.customer), 55, "the oldest two are history")
        self.assertEqual(self.usual(self.contact), 55)
        self.assertEqual(self.usual(self.customer2), 0)

    def test_what_is_no_order(self):
        self.score([self.full(self.customer)])
        self.order(self.customer, 100)
        self.order(self.customer, -700)
        self.order(self.customer, 900, state="draft")
        self.order(self.customer, 900, state="cancel")
        self.order(self.customer, 900, self.beta)
        self.order(self.customer, 900, day=f"{day(30)} 12:00:00")
        self.assertEqual(self.usual(self.customer), 100)
        self.order(self.customer, 300, self.branch)
        self.assertEqual(self.usual(self.customer), 200, "a branch is of the company")
        self.assertEqual(self.usual(self.customer, self.branch), 200)

    def test_in_the_currency_of_the_company(self):
        self.score([self.full(self.customer)])
        order = self.order(self.customer, 100)
        self.env.flush_all()
        self.env.cr.execute("UPDATE sale_order SET currency_rate = 4 WHERE id = %s", [order.id])
        self.assertEqual(self.usual(self.customer), 25)

    def test_nothing_of_whom_nothing_is_kept(self):
        self.order(self.unscored, 100)
        self.assertEqual(self.usual(self.unscored), 0)

    def test_amounts_are_for_those_who_see_amounts(self):
        self.score([self.full(self.customer)])
        self.order(self.customer, 100)
        for user in (self.viewer, self.seller, self.employee):
            with self.assertRaises(AccessError):
                self.as_user("res.partner", user, self.alpha).browse(self.customer.id).read(["usual_order"])
