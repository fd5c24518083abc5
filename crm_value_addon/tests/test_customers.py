"""The customers by stage, and the panel that counts them."""

from lxml import etree

from odoo.tests import tagged

from ..labels import LIFECYCLE_STAGES, LOYALTY_STAGES
from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestCustomers(CustomerValueCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.format = cls.env["crm.value.format"].create({"name": "Bakery", "code": "bakery"})
        cls.customer.user_id = cls.user
        case = cls("setUp")
        case.env = cls.env
        case.score(
            [
                case.whole(
                    cls.customer, value_segment="key_stable", loyalty_stage="loyalty", format_id=cls.format.id
                ),
                case.whole(
                    cls.customer2, value_segment="dormant", loyalty_stage="awareness", churn_risk="high"
                ),
                case.whole(cls.customer3, value_segment="dormant", loyalty_stage="awareness"),
            ]
        )
        cls.domain = [("partner_id", "in", cls.partners.ids)]

    def records(self, user):
        return self.as_user("crm.value.profile", user, self.alpha)

    def test_columns_are_the_stages_in_their_order(self):
        for field, stages in (
            ("effective_loyalty_stage", LOYALTY_STAGES),
            ("effective_lifecycle_stage", LIFECYCLE_STAGES),
        ):
            records = self.records(self.viewer).with_context(read_group_expand=True)
            answer = records.web_read_group(
                self.domain, [field], auto_unfold=True, unfold_read_specification={"partner_id": {}}
            )
            self.assertEqual([group[field] for group in answer["groups"]], [code for code, _name in stages])

    def columns(self, stage="effective_loyalty_stage", **options):
        answer = self.records(self.user).web_read_group(
            self.domain,
            [stage],
            auto_unfold=True,
            unfold_read_specification={"partner_id": {}},
            **{"order": "lifetime_value desc", **options},
        )
        return {
            group[stage]: [row["partner_id"] for row in group.get("__records", [])]
            for group in answer["groups"]
        }

    def test_columns_hold_their_own_in_order(self):
        c1, c2, c3, _c4 = self.partners.ids
        self.env.cr.execute("UPDATE crm_value_profile SET lifetime_value = 9e6 WHERE partner_id = %s", [c3])
        self.assertEqual(self.columns(), {"awareness": [c3, c2], "loyalty": [c1]})
        self.assertEqual(self.columns(order="lifetime_value")["awareness"], [c2, c3])
        # Else as they were written, in whatever order a run merged them.
        written = self.records(self.user).search([("partner_id", "in", [c2, c3])], order="id").partner_id.ids
        self.assertEqual(self.columns(order=None)["awareness"], written)
        self.assertEqual(self.columns(unfold_read_default_limit=1), {"awareness": [c3], "loyalty": [c1]})
        self.assertEqual(self.columns("effective_lifecycle_stage"), {"retention": [c3, c1, c2]})

    def test_columns_as_they_were_left(self):
        c1, c2, c3, _c4 = self.partners.ids
        self.env.cr.execute("UPDATE crm_value_profile SET lifetime_value = 9e6 WHERE partner_id = %s", [c3])
        left = {"value": "awareness", "folded": False, "limit": 80, "offset": 0}
        other = {"value": "loyalty", "folded": False, "limit": 80, "offset": 0}
        for change, expected in (
            ({}, [c3, c2]),
            ({"folded": True}, []),
            ({"limit": 1}, [c3]),
            ({"limit": 1, "offset": 1}, [c2]),
            ({"progressbar_domain": [["effective_churn_risk", "=", "high"]]}, [c2]),
        ):
            with self.subTest(change=change):
                columns = self.columns(opening_info=[{**left, **change}, other])
                self.assertEqual(columns, {"awareness": expected, "loyalty": [c1]})

    def test_kanban(self):
        for user, sees in ((self.viewer, False), (self.user, True)):
            loaded = self.records(user).get_views([(False, "kanban"), (False, "search")])
            arch = etree.fromstring(loaded["views"]["kanban"]["arch"])
            self.assertEqual(arch.get("records_draggable"), "0")
            self.assertEqual(
                arch.get("default_order"), "lifetime_value desc" if sees else "value_percentile desc"
            )
            self.assertEqual(bool(arch.xpath("//field[@name='lifetime_value']")), sees)
            shown = {name: {} for name in loaded["models"]["crm.value.profile"]["fields"]}
            self.records(user).web_search_read(self.domain, shown, order=arch.get("default_order"))
            (bar,) = arch.xpath("//progressbar")
            counts = self.records(user).read_progress_bar(
                self.domain,
                "effective_loyalty_stage",
                {"field": bar.get("field"), "colors": {"low": "success", "high": "danger"}},
            )
            self.assertEqual(counts["awareness"], {"low": 1, "high": 1})

    def test_panel_counts(self):
        for user in (self.viewer, self.user):
            search = etree.fromstring(
                self.records(user).get_views([(False, "search")])["views"]["search"]["arch"]
            )
            fields = [field.get("name") for field in search.xpath("//searchpanel/field")]
            self.assertEqual(fields, ["effective_value_segment", "format_id", "user_id"])
            for field, expected in (
                ("effective_value_segment", [("key_stable", 1), ("dormant", 2)]),
                ("format_id", [(self.format.id, 1)]),
                ("user_id", [(self.user.id, 1)]),
            ):
                with self.subTest(user=user.login, field=field):
                    answer = self.records(user).search_panel_select_multi_range(
                        field, search_domain=self.domain, enable_counters=True
                    )
                    self.assertEqual([(each["id"], each["__count"]) for each in answer["values"]], expected)
