import ast

from lxml import etree

from odoo.tests import tagged

from .test_fields import ScoredCase


@tagged("post_install", "-at_install")
class TestScreens(ScoredCase):
    """Every screen loads and lists its records for everybody who has its menu."""

    def screens(self, user):
        menus = self.env["ir.ui.menu"].with_user(user)
        root = self.env.ref("crm_value_addon.crm_value_menu").id
        visible = menus.browse(menus._visible_menu_ids()).filtered(
            lambda menu: menu.parent_path.startswith(f"{root}/")
        )
        return [menu.action for menu in visible.sudo() if menu.action]

    def test_menus(self):
        admin = self.env.ref("base.user_admin")
        admin.company_ids |= self.alpha
        counts = {
            user.login: len(self.screens(user))
            for user in (self.employee, self.viewer, self.user, self.manager)
        }
        self.assertEqual(counts["cv_employee"], 0)
        self.assertTrue(0 < counts["cv_viewer"] < counts["cv_user"] < counts["cv_manager"])
        self.assertGreater(len(self.screens(admin)), counts["cv_manager"])
        for user in (self.viewer, self.user, self.manager, admin):
            for action in self.screens(user):
                with self.subTest(user=user.login, action=action.name):
                    self.load(action, user)

    def load(self, action, user):
        if action._name == "ir.actions.client":  # the web client's own screens have tests of their own
            return
        if action._name == "ir.actions.server":
            opened = self.as_user(action._name, user, self.alpha).browse(action.id).run()
            model, views, search = opened["res_model"], [tuple(view) for view in opened["views"]], False
        else:
            model, views, search = action.res_model, action.views, action.search_view_id.id
        records = self.as_user(model, user, self.alpha)
        loaded = records.get_views([*views, (search, "search")])
        shown = loaded["models"][model]["fields"]
        if records._transient:
            return
        if not model.startswith("crm.value."):
            # Beside a search view come all fields, those of other addons too that they show to nobody.
            lists = records.get_views([view for view in views if view[1] in ("list", "kanban")])
            shown = lists["models"][model]["fields"]
        specification = {name: {} for name in shown}
        arch = etree.fromstring(loaded["views"]["list"]["arch"]) if "list" in loaded["views"] else {}
        records.web_search_read([], specification, limit=5, order=arch.get("default_order"))
        for name, description in shown.items():
            if description.get("groupable") and description["type"] in ("selection", "many2one"):
                records.formatted_read_group([], [name], ["__count"])

    def test_actions_are_understood_by_the_web_client(self):
        """Those without a menu too, which a button opens: domain and context are expressions, not templates of one."""
        ours = [("module", "=", "crm_value_addon"), ("model", "=", "ir.actions.act_window")]
        actions = self.env["ir.actions.act_window"].browse(
            self.env["ir.model.data"].search(ours).mapped("res_id")
        )
        self.assertGreater(len(actions), 20)
        for action in actions:
            for expression in (action.context, action.domain):
                with self.subTest(action=action.name):
                    ast.parse(expression or "[]", mode="eval")

    def test_styles_compile(self):
        bundle = self.env["ir.qweb"]._get_asset_bundle("web.assets_web", js=False)
        bundle.preprocess_css()
        self.assertEqual(bundle.css_errors, [])

    def test_extended_screens(self):
        for model, group in (
            ("res.partner", "crm_value_addon.group_viewer"),
            ("sale.order", "sales_team.group_sale_salesman"),
            ("crm.lead", "sales_team.group_sale_salesman"),
            ("sale.report", "sales_team.group_sale_salesman"),
        ):
            user = self._user(f"cv_{model}", group, self.alpha)
            records = self.as_user(model, user, self.alpha)
            kinds = ["search", "pivot"] if model == "sale.report" else ["list", "form", "search", "kanban"]
            loaded = records.get_views([(False, kind) for kind in kinds])
            self.assertIn("value_class", loaded["models"][model]["fields"])

    def test_outsiders_are_offered_nothing(self):
        """A filter or field that answers with a refusal has no place on their screens."""
        for group, models in (
            ("base.group_user", ["res.partner"]),
            ("account.group_account_invoice", ["res.partner", "sale.order"]),
        ):
            user = self._user(f"cv_{group}", group, self.alpha)
            for model in models:
                kinds = [(False, kind) for kind in ("list", "form", "search", "kanban")]
                loaded = self.as_user(model, user, self.alpha).get_views(kinds)
                self.assertNotIn("value_class", loaded["models"][model]["fields"])
                for kind, view in loaded["views"].items():
                    for field in ("value_class", "value_segment", "churn_risk"):
                        with self.subTest(group=group, model=model, kind=kind, field=field):
                            self.assertFalse(field in view["arch"])
