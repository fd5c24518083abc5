import json

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestSpreadsheetDashboard(TransactionCase):
    """What the dashboard asks can be answered, for whom it is shown to."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dashboard = cls.env.ref("crm_value_spreadsheet.customer_value_dashboard")
        cls.user = cls.reader("crm_value_addon.group_user")

    @classmethod
    def reader(cls, group):
        groups = cls.env.ref(group) | cls.env.ref("base.group_user")
        values = {"name": group, "login": group, "group_ids": [Command.set(groups.ids)]}
        return cls.env["res.users"].with_context(no_reset_password=True).create(values)

    def questions(self):
        """Model, domain, fields grouped by, and measures, of each pivot and chart."""
        told = json.loads(self.dashboard.with_user(self.user).spreadsheet_data)
        for pivot in told["pivots"].values():
            groups = [each["fieldName"] for each in pivot["rows"] + pivot["columns"]]
            yield pivot["model"], pivot["domain"], groups, [each["fieldName"] for each in pivot["measures"]]
        for figure in told["sheets"][0]["figures"]:
            asked = figure["data"]["metaData"]
            search = figure["data"]["searchParams"]
            yield asked["resModel"], search["domain"], asked["groupBy"], [asked["measure"]]

    def test_every_question_has_an_answer(self):
        questions = list(self.questions())
        self.assertEqual(len(questions), 5)
        for model, domain, groups, measures in questions:
            with self.subTest(model=model, groups=groups):
                aggregates = [name if name == "__count" else f"{name}:sum" for name in measures]
                self.env[model].with_user(self.user).formatted_read_group(domain, groups, aggregates)

    def test_filters_are_fields_of_what_they_filter(self):
        told = json.loads(self.dashboard.spreadsheet_data)
        models = {each["id"]: each["modelName"] for each in told["globalFilters"]}
        sources = [(pivot["model"], pivot["fieldMatching"]) for pivot in told["pivots"].values()]
        sources += [
            (figure["data"]["metaData"]["resModel"], figure["data"]["fieldMatching"])
            for figure in told["sheets"][0]["figures"]
        ]
        for model, matching in sources:
            self.assertEqual(set(matching), set(models))
            for filter_id, match in matching.items():
                self.assertEqual(self.env[model]._fields[match["chain"]].comodel_name, models[filter_id])

    def test_money_is_told_by_company(self):
        """Amounts of companies with different currencies are never added up."""
        for _model, _domain, groups, measures in self.questions():
            if set(measures) - {"__count"}:
                self.assertEqual(groups[0], "company_id")

    def test_who_sees_it(self):
        shown = self.env["spreadsheet.dashboard"]
        self.assertIn(self.dashboard, shown.with_user(self.user).search([]))
        viewer = self.reader("crm_value_addon.group_viewer")
        self.assertNotIn(self.dashboard, shown.with_user(viewer).search([]))
        with self.assertRaises(AccessError):
            self.dashboard.with_user(viewer).read(["name"])
