from odoo.exceptions import AccessError, MissingError
from odoo.tests import tagged

from .test_movement import MovementCase

AMOUNTS = ("opening_value", "closing_value", "change_value")
SNAPSHOT_AMOUNTS = ("historical_value", "current_value", "potential_value", "lifetime_value")


@tagged("post_install", "-at_install")
class TestMovementAccess(MovementCase):
    """Labels for everybody who sees labels, amounts for those who see amounts."""

    def setUp(self):
        super().setUp()
        self.score_on("2026-01-10", [self.full(self.customer)])
        self.score_on("2026-02-10", [self.full(self.customer, value_class="key")])

    def records(self, model, user):
        records = self.as_user(model, user, self.alpha)
        records = records.with_context(movement_from="2026-01-31", movement_to="2026-02-10")
        records.invalidate_model()
        return records

    def test_amounts(self):
        for model, amounts in {"crm.value.movement": AMOUNTS, "crm.value.snapshot": SNAPSHOT_AMOUNTS}.items():
            for user in (self.user, self.manager):
                row = self.records(model, user).search([])
                self.assertEqual(row.partner_id, self.customer)
                self.assertEqual(set(amounts) - set(row.read()[0]), set())
            row = self.records(model, self.viewer).search([])
            self.assertEqual(row.partner_id, self.customer)
            self.assertFalse(set(amounts) & set(row.read()[0]))
            for name in amounts:
                for call, ask in {
                    "read": lambda r=row, n=name: r.read([n]),
                    "search": lambda r=row, n=name: r.search([(n, ">", 0)]),
                    "group": lambda r=row, n=name: r.formatted_read_group([], [], [f"{n}:sum"]),
                    "order": lambda r=row, n=name: r.search([], order=n),
                }.items():
                    with self.subTest(model=model, field=name, call=call), self.assertRaises(AccessError):
                        ask()

    def test_screens(self):
        kinds = [(False, kind) for kind in ("pivot", "list", "graph", "search")]
        for user, sees in ((self.viewer, False), (self.user, True)):
            records = self.records("crm.value.movement", user)
            views = records.get_views(kinds)["views"]
            for kind in ("pivot", "list"):
                with self.subTest(user=user.login, kind=kind):
                    self.assertEqual("change_value" in views[kind]["arch"], sees)
            measures = ["customers:sum", *(["change_value:sum"] if sees else [])]
            for name in ("direction", "cause", "format_id", "user_id", "company_id"):
                self.assertEqual(
                    len(records.formatted_read_group([], [name, "from_label", "to_label"], measures)), 1
                )

    def test_outsiders(self):
        for user in (self.portal, self.employee, self.sync, self.env.ref("base.public_user")):
            for model in ("crm.value.movement", "crm.value.snapshot", "crm.value.change", "crm.value.cohort"):
                records = self.env[model].with_user(user)
                for call in (
                    lambda r=records: r.search([]),
                    lambda r=records: r.formatted_read_group([], [], ["__count"]),
                ):
                    with self.subTest(user=user.login, model=model), self.assertRaises(AccessError):
                        call()
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env["crm.value.movement.wizard"].with_user(user).create({})

    def test_cohorts_are_for_sales_managers(self):
        for user in (self.viewer, self.user, self.manager):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.as_user("crm.value.cohort", user, self.alpha).search([])

    def test_nobody_writes_them(self):
        row = self.records("crm.value.movement", self.manager).search([])
        change = self.records("crm.value.change", self.manager).search([], limit=1)
        for record in (row, change):
            for call in (
                lambda r=record: r.create({}),
                lambda r=record: r.write({"company_id": self.alpha.id}),
                lambda r=record: r.unlink(),
            ):
                with self.subTest(model=record._name), self.assertRaises(AccessError):
                    call()

    def test_history_of_a_row(self):
        action = self.records("crm.value.movement", self.viewer).search([]).action_open_history()
        self.assertEqual((action["res_model"], action["name"]), ("crm.value.change", "History of Customer 0"))
        changes = self.as_user(action["res_model"], self.viewer, self.alpha).search(action["domain"])
        self.assertEqual(changes.partner_id, self.customer)
        foreign = self.as_user("crm.value.movement", self.viewer, self.beta).browse(
            self.records("crm.value.movement", self.viewer).search([]).id
        )
        with self.assertRaises(MissingError):
            foreign.with_context(movement_from="2026-01-31").action_open_history()
