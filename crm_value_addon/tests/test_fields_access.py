"""Who may not read a score may not find, group, sort or sum by it either."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import MONEY_FIELDS
from .test_fields import ScoredCase

LABEL_FIELDS = ("value_class", "value_segment", "churn_risk")
MODELS = ("res.partner", "sale.order", "crm.lead", "sale.report")
PARTNER_FIELDS = (
    "loyalty_stage",
    "lifecycle_stage",
    "score_confidence",
    "churn_probability",
    "churn_withheld",
    "expected_next_order",
    "expected_next_order_low",
    "expected_next_order_high",
    "value_percentile",
    "attitude",
    "value_currency_id",
)


@tagged("post_install", "-at_install")
class TestFieldAccess(ScoredCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Rights to read the records themselves, so that nothing but the fields' groups is in the way.
        cls.env["ir.model.access"].create(
            [
                {
                    "name": f"test {model} {group}",
                    "model_id": cls.env["ir.model"]._get_id(model),
                    "group_id": cls.env.ref(group).id,
                    "perm_read": True,
                }
                for model in (*MODELS, "res.users")
                for group in ("base.group_user", "base.group_portal")
            ]
        )
        case = cls("setUp")
        case.env = cls.env
        cls.order_ = case.order(cls.customer)
        cls.lead = cls.env["crm.lead"].create(
            {"name": "x", "type": "opportunity", "partner_id": cls.customer.id, "company_id": cls.alpha.id}
        )
        cls.portal.partner_id.parent_id = cls.customer
        cls.employee.partner_id.parent_id = cls.customer

    def ways(self, records, field, model_fields=True):
        """Every way to learn something about a field."""
        kind = self.env[records._name]._fields[field].type
        value = {"date": "2020-01-01", "many2one": 1, "selection": "key"}.get(kind, 1)
        positive = "=" if kind in ("selection", "many2one", "boolean") else ">"
        yield "domain", lambda: records.search([(field, positive, value)])
        yield "negated domain", lambda: records.search(["!", (field, positive, value)])
        yield "set", lambda: records.search([(field, "!=", False)])
        yield "unset", lambda: records.search_count([(field, "=", False)])
        yield "order", lambda: records.search([], order=f"{field} desc")
        yield "web order", lambda: records.web_search_read([], {"id": {}}, order=f"{field} asc nulls first")
        groupby = f"{field}:month" if kind == "date" else field
        yield "group", lambda: records.formatted_read_group([], [groupby], ["__count"])
        yield "array", lambda: records.formatted_read_group([], [], [f"{field}:array_agg"])
        yield "count", lambda: records.formatted_read_group([], [], [f"{field}:count_distinct"])
        yield (
            "grouped order",
            lambda: records.formatted_read_group([], ["id"], ["__count"], order=f"{field}:max"),
        )
        if kind in ("float", "monetary"):
            yield "sum", lambda: records.formatted_read_group([], [], [f"{field}:sum"])
            yield "avg", lambda: records.formatted_read_group([], [], [f"{field}:avg"])
        if kind == "date":
            yield "date part", lambda: records.search([(f"{field}.month_number", "=", 3)])
        if model_fields:
            yield "read", lambda: records.search([], limit=1).read([field])
            yield "web read", lambda: records.search([], limit=1).web_read({field: {}})

    def assertDenied(self, records, field):
        for name, call in self.ways(records, field):
            with (
                self.subTest(model=records._name, user=self.env.user.login, field=field, way=name),
                self.assertRaises(AccessError),
            ):
                call()
        self.assertNotIn(field, records.fields_get())

    def assertAllowed(self, records, field):
        for name, call in self.ways(records, field):
            with self.subTest(model=records._name, field=field, way=name):
                call()

    def test_outsiders(self):
        for user in (self.portal, self.employee, self.sync):
            for model in MODELS:
                for field in LABEL_FIELDS:
                    self.assertDenied(self.as_user(model, user, self.alpha), field)
            for field in (*PARTNER_FIELDS, *MONEY_FIELDS):
                self.assertDenied(self.as_user("res.partner", user, self.alpha), field)
            for field in ("scored_at", "value_page"):
                with self.assertRaises(AccessError):
                    self.as_user("res.partner", user, self.alpha).browse(user.partner_id.id).read([field])

    def test_viewers_see_labels_and_no_money(self):
        records = self.as_user("res.partner", self.viewer, self.alpha)
        for field in (*LABEL_FIELDS, "loyalty_stage", "churn_probability", "expected_next_order"):
            self.assertAllowed(records, field)
        for field in MONEY_FIELDS:
            self.assertDenied(records, field)

    def test_users_see_money(self):
        for field in MONEY_FIELDS:
            self.assertAllowed(self.as_user("res.partner", self.user, self.alpha), field)

    def test_paths_from_other_models(self):
        for user in (self.portal, self.employee):
            for model, path in (
                ("sale.order", "partner_id"),
                ("crm.lead", "partner_id"),
                ("res.users", "partner_id"),
            ):
                records = self.as_user(model, user, self.alpha)
                for call in (
                    lambda r=records, p=path: r.search([(f"{p}.value_class", "=", "key")]),
                    lambda r=records, p=path: r.search([(p, "any", [("churn_probability", ">", 0.5)])]),
                    lambda r=records, p=path: r.search([(p, "not any", [("value_class", "=", "key")])]),
                    lambda r=records, p=path: r.formatted_read_group([], [f"{p}.value_class"], ["__count"]),
                    lambda r=records, p=path: (
                        r.web_read({p: {"fields": {"value_class": {}}}})
                        or r.search([], limit=1).web_read({p: {"fields": {"value_class": {}}}})
                    ),
                ):
                    with self.subTest(model=model, user=user.login), self.assertRaises(AccessError):
                        call()

    def test_users_inherit_the_groups_of_partners(self):
        """Every field of a partner is a field of res.users too."""
        for user in (self.portal, self.employee):
            for field in ("value_class", "churn_probability", "lifetime_value", "expected_next_order"):
                self.assertDenied(self.as_user("res.users", user, self.alpha), field)
        self.assertDenied(self.as_user("res.users", self.viewer, self.alpha), "lifetime_value")
        users = self.as_user("res.users", self.viewer, self.alpha)
        self.assertEqual(users.browse(self.portal.id).read(["value_class"])[0]["value_class"], "key")

    def test_portal_reads_itself_without_scores(self):
        partner = self.as_user("res.partner", self.portal, self.alpha).browse(self.portal.partner_id.id)
        self.assertTrue(partner.read(["name"]))
        self.assertFalse(
            set(partner.fields_get())
            & {*LABEL_FIELDS, *PARTNER_FIELDS, *MONEY_FIELDS, "value_page", "scored_at"}
        )

    def test_back_doors(self):
        """Ways to a value other than read: each refuses or stays silent."""
        self.employee.group_ids += self.env.ref("base.group_allow_export") | self.env.ref(
            "base.group_partner_manager"
        )
        for user, field in ((self.employee, "value_class"), (self.viewer, "lifetime_value")):
            records = self.as_user("res.partner", user, self.alpha)
            customer = records.browse(self.customer.id)
            for name, call in {
                "export": lambda r=customer, f=field: r.export_data([f]),
                "onchange": lambda r=customer, f=field: r.onchange({}, [], {f: {}}),
                "onchange of a new one": lambda r=records, f=field: r.onchange(
                    {"parent_id": self.customer.id, "type": "contact"},
                    ["parent_id"],
                    {"parent_id": {}, f: {}},
                ),
                "save": lambda r=customer, f=field: r.web_save({"comment": "x"}, {f: {}}),
                "through another": lambda r=records, f=field: r.browse(self.contact.id).web_read(
                    {"parent_id": {"fields": {f: {}}}}
                ),
                "progress bar": lambda r=records, f=field: r.read_progress_bar(
                    [], "company_id", {"field": f, "colors": {"key": "success"}}
                ),
                "search panel": lambda r=records, f=field: r.search_panel_select_range(
                    f, enable_counters=True
                ),
                "copy": lambda r=customer: r.copy_data(),
                "grouping sets": lambda r=records, f=field: r.formatted_read_grouping_sets(
                    [], [[f]], ["__count"]
                ),
            }.items():
                with self.subTest(user=user.login, way=name):
                    try:
                        answer = call()
                    except (AccessError, UserError, KeyError):  # Odoo itself does not find the field
                        continue
                    text = str(answer).lower()
                    self.assertFalse("key" in text.replace("'key': ", "") or "1750" in text, answer)

    def test_money_of_profile_and_history(self):
        profile = (
            self.profile(self.customer)
            .with_user(self.viewer)
            .with_context(allowed_company_ids=self.alpha.ids)
        )
        history = (
            self.history(self.customer)
            .with_user(self.viewer)
            .with_context(allowed_company_ids=self.alpha.ids)
        )
        profile.read(["effective_value_class", "churn_probability", "page"])
        history.read(["value_class", "valid_from"])
        for records, fields_ in (
            (
                profile,
                (*MONEY_FIELDS, "expected_value", "reasons", "net_value", "cost_to_serve", "next_class_gap"),
            ),
            (history, MONEY_FIELDS),
        ):
            for field in fields_:
                with self.subTest(model=records._name, field=field), self.assertRaises(AccessError):
                    records.read([field])
            for call in (
                lambda r=records: r.search([("current_value", ">", 0)]),
                lambda r=records: r.search([], order="current_value"),
                lambda r=records: r.formatted_read_group([], [], ["current_value:sum"]),
            ):
                with self.assertRaises(AccessError):
                    call()

    def test_salespeople_and_managers_have_their_groups(self):
        for group, own in (
            ("sales_team.group_sale_salesman", "crm_value_addon.group_viewer"),
            ("sales_team.group_sale_salesman_all_leads", "crm_value_addon.group_user"),
            ("sales_team.group_sale_manager", "crm_value_addon.group_manager"),
        ):
            user = self._user(f"cv_{group}", group, self.alpha)
            self.assertTrue(user.has_group(own))
        own_documents = self._user("cv_own", "sales_team.group_sale_salesman", self.alpha)
        self.assertFalse(own_documents.has_group("crm_value_addon.group_user"))
        self.assertTrue(self.env.ref("base.user_admin").has_group("crm_value_addon.group_manager"))

    def test_amounts_for_every_salesperson(self):
        user = self._user("cv_own", "sales_team.group_sale_salesman", self.alpha)
        settings = self.env["res.config.settings"].create({"group_crm_value_user": True})
        settings.execute()
        self.assertTrue(user.has_group("crm_value_addon.group_user"))
        self.env["res.config.settings"].create({"group_crm_value_user": False}).execute()
        self.assertFalse(user.has_group("crm_value_addon.group_user"))
