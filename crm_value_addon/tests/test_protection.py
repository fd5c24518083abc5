from types import FunctionType

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.service.model import get_public_method
from odoo.tests import tagged

from .common import CustomerValueCase

OURS = (
    "crm.value.case",
    "crm.value.case.report",
    "crm.value.change",
    "crm.value.cohort",
    "crm.value.concentration",
    "crm.value.concentration.loss",
    "crm.value.demand",
    "crm.value.equity",
    "crm.value.factor",
    "crm.value.format",
    "crm.value.grade",
    "crm.value.history",
    "crm.value.movement",
    "crm.value.objection",
    "crm.value.override",
    "crm.value.policy.rule",
    "crm.value.policy.version",
    "crm.value.portrait",
    "crm.value.preview",
    "crm.value.profile",
    "crm.value.promise",
    "crm.value.run",
    "crm.value.snapshot",
    "crm.value.staging",
)


@tagged("post_install", "-at_install")
class TestProtectedRows(CustomerValueCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls("setUp")
        case.env = cls.env
        case.score_on("2026-01-10", [case.full(cls.customer), case.full(cls.customer2)])
        case.score_on("2026-02-10", [case.full(cls.customer), case.full(cls.customer2)])

    def rows(self):
        run = self.claim()
        self.publish(run, [self.full(self.customer)])
        return {
            "crm.value.profile": (
                self.profile(self.customer),
                {"partner_id": self.customer3.id, "company_id": self.alpha.id},
                {"effective_value_class": "key"},
            ),
            "crm.value.history": (
                self.history(self.customer),
                {
                    "partner_id": self.customer3.id,
                    "company_id": self.alpha.id,
                    "valid_from": "2026-01-01",
                    "cause": "behaviour",
                },
                {"value_class": "key"},
            ),
            "crm.value.snapshot": (
                self.env["crm.value.snapshot"].search([("partner_id", "=", self.customer.id)]),
                {"partner_id": self.customer3.id, "company_id": self.alpha.id, "date": "2026-01-31"},
                {"value_class": "key"},
            ),
            "crm.value.staging": (
                self.env["crm.value.staging"].sudo().search([("run_id", "=", run["id"])]),
                {"run_id": run["id"], "batch": 1, "status": "ok", "partner_id": self.customer.id},
                {"status": "ok"},
            ),
        }

    def test_nobody_writes_them(self):
        people = [
            self.viewer,
            self.user,
            self.manager,
            self.sync,
            self.env.ref("base.user_admin"),
            self.env.user,
        ]
        for model, (rows, create, write) in self.rows().items():
            self.assertTrue(rows, model)
            for user in people:
                for records in (rows.with_user(user), rows.with_user(user).sudo()):
                    for context in (
                        {},
                        {"crm_value_pen": True},
                        {"crm_value_pen": "x"},
                        {"install_mode": True},
                    ):
                        records = records.with_context(**context)  # noqa: PLW2901
                        for name, call in {
                            "create": lambda r=records, v=create: r.create([v]),
                            "write": lambda r=records, v=write: r.write(v),
                            "unlink": lambda r=records: r.unlink(),
                            "copy": lambda r=records: r.copy(),
                            "web_save": lambda r=records, v=write: r.web_save(v, {}),
                        }.items():
                            with (
                                self.subTest(model=model, user=user.login, su=records.env.su, call=name),
                                self.assertRaises(AccessError),
                            ):
                                call()
            self.assertEqual(rows.exists(), rows)

    def test_import_is_refused(self):
        result = self.env["crm.value.profile"].load(
            ["partner_id/.id", "company_id/.id"], [[str(self.customer3.id), str(self.alpha.id)]]
        )
        self.assertFalse(result["ids"])

    def test_not_through_the_partner(self):
        for field in self.env["res.partner"]._fields.values():
            if field.comodel_name in OURS:
                self.assertTrue(field.readonly, field.name)

    def test_runs_are_not_written_by_people(self):
        run = self.env["crm.value.run"].browse(self.claim()["id"])
        for user in (
            self.portal,
            self.employee,
            self.viewer,
            self.user,
            self.manager,
            self.sync,
            self.env.ref("base.user_admin"),
        ):
            for call in (
                lambda u=user: self.as_user("crm.value.run", u).create({"company_id": self.alpha.id}),
                lambda u=user: run.with_user(u).write({"state": "done"}),
                lambda u=user: run.with_user(u).unlink(),
                lambda u=user: run.with_user(u).copy(),
            ):
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    call()

    def test_staging_is_read_by_nobody(self):
        self.rows()
        for user in (
            self.portal,
            self.employee,
            self.viewer,
            self.user,
            self.manager,
            self.sync,
            self.env.ref("base.user_admin"),
        ):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.as_user("crm.value.staging", user).search([])

    def test_outsiders_read_none_of_our_models(self):
        for user in (self.portal, self.employee, self.sync, self.env.ref("base.public_user")):
            for model in OURS:
                with self.subTest(user=user.login, model=model), self.assertRaises(AccessError):
                    self.env[model].with_user(user).search([])

    def test_public_methods_of_our_models(self):
        """Whatever is public is callable by a portal user: the list is short and each one checks."""
        checked = {
            "crm.value.run": {"action_request", "action_request_backtest", "action_cancel"},
            "crm.value.grade": {"action_request", "action_open_withheld"},
            "crm.value.policy.version": {
                "action_activate",
                "action_draft",
                "action_open_preview",
                "action_preview",
                "action_restore",
                "action_take_over",
            },
            "crm.value.movement": {"action_open_history"},
            "crm.value.movement.wizard": {"action_open"},
            "crm.value.profile": {"action_open_value_reason", "action_open_value_history"},
            "res.partner": {
                "action_new_value_complaint",
                "action_open_value_cases",
                "action_open_value_customer",
                "action_open_value_history",
                "action_open_value_profile",
                "action_open_value_reason",
                "action_quote_last_order",
                "read_value_timeline",
            },
            "crm.lead": {"action_open_value_customer"},
            "crm.value.told": {"action_open_value_customer"},
            "sale.order": {"action_open_value_customer"},
            "crm.value.dashboard": {
                "open_customers",
                "open_movement",
                "read_cohorts",
                "read_movement",
                "read_overview",
            },
            "crm.value.rules": {"read_rules"},
            "crm.value.step": {"open_finding", "read_steps", "tick"},
            "crm.value.promise": {"action_open_deliveries", "action_open_orders"},
            "crm.value.factor": {"action_open_ratings"},
            "product.template": {"action_open_likely_customers"},
            "product.product": {"action_open_likely_customers"},
            "crm.value.override": {"action_end"},
            "crm.value.alert": {"action_open_customer", "action_release"},
            "crm.value.service.policy": {"action_open_customers", "action_suggest"},
            "crm.value.case": {"action_open_record"},
            "crm.value.case.report": {"action_open_case"},
            "crm.value.winback": {
                "action_fill",
                "action_open_customers",
                "action_start",
                "action_stop",
            },
        }
        found = {}
        for model, registered in self.env.registry.items():
            for cls in registered.mro():
                if not cls.__module__.startswith("odoo.addons.crm_value_addon."):
                    continue
                for name, value in vars(cls).items():
                    if isinstance(value, FunctionType) and not name.startswith("_"):
                        try:
                            get_public_method(self.env[model], name)
                        except AccessError:
                            continue
                        found.setdefault(model, set()).add(name)
        contract = found.pop("crm.value.sync")
        self.assertEqual(
            contract, {"describe", "export_history", "claim_run", "beat", "publish", "close_run"}
        )
        found = {
            model: names - {"create", "default_get", "write", "unlink"} for model, names in found.items()
        }
        self.assertEqual({model: names for model, names in found.items() if names}, checked)

    def test_internals_cannot_be_called(self):
        for model, names in {
            "crm.value.sync": ["_merge", "_load_batch", "_get_company", "_claim_company"],
            "crm.value.profile": ["init", "_with_pen"],
            "crm.value.staging": ["init", "_clear"],
            "crm.value.run": ["_end", "_start", "_request", "_request_now"],
            "crm.value.grade": ["_record_grades", "_row_sql", "_with_pen"],
            "crm.value.portrait": ["_record_analysis", "_insert", "_row_sql", "_with_pen"],
            "crm.value.override": ["_cron_expire", "_refresh_effective"],
            "crm.value.snapshot": ["_take", "_merge_customers", "_with_pen"],
            "crm.value.retention": ["_cron_forget", "_forget_runs", "_forget_history", "_delete"],
            "crm.value.change": ["_latest"],
            "crm.value.objection": ["_erase"],
            "res.partner": ["_read_profiles", "_read_own_profiles"],
        }.items():
            for name in names:
                with self.subTest(model=model, method=name), self.assertRaises(AccessError):
                    get_public_method(self.env[model], name)


@tagged("post_install", "-at_install")
class TestCompanyRules(CustomerValueCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls("setUp")
        case.env = cls.env
        for company in (cls.alpha, cls.beta):
            case.score([case.full(cls.customer)], company)

    def test_own_companies_only(self):
        for model in ("crm.value.profile", "crm.value.history", "crm.value.run", "crm.value.policy.version"):
            everything = self.env[model].search([("company_id", "in", (self.alpha | self.beta).ids)])
            self.assertEqual(everything.company_id, self.alpha | self.beta, model)
            for ticked, expected in (
                ([self.alpha], self.alpha),
                ([self.beta], self.beta),
                ([self.branch], self.alpha),
                ([self.alpha, self.beta], self.alpha | self.beta),
            ):
                with self.subTest(model=model, ticked=[company.name for company in ticked]):
                    records = self.as_user(model, self.user, *ticked)
                    self.assertEqual(records.search([]).company_id.sudo(), expected)
                    for hidden in everything.filtered(lambda r, e=expected: r.company_id not in e):
                        with self.assertRaises(AccessError):
                            records.browse(hidden.id).read(["company_id"])

    def test_cancel_of_a_foreign_run(self):
        run = self.claim(self.alpha)
        with self.assertRaises(AccessError):
            self.as_user("crm.value.run", self.manager, self.beta).browse(run["id"]).action_cancel()

    def test_user_of_one_company(self):
        outsider = self._user("cv_beta", "crm_value_addon.group_user", self.beta)
        partner = self.as_user("res.partner", outsider).browse(self.customer.id)
        self.assertEqual(partner.value_class, "standard")
        with self.assertRaises(AccessError):
            partner.with_context(allowed_company_ids=self.alpha.ids).read(["value_class"])
        outsider.company_ids = [Command.set(self.beta.ids)]
        self.assertFalse(
            self.as_user("crm.value.profile", outsider).search([("company_id", "=", self.alpha.id)])
        )
