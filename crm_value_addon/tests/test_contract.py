from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from ..publish_columns import COLUMN_TYPES
from ..reasons import REASON_SCHEMA
from .common import CustomerValueCase
from .test_export_modules import BASIC, OPTIONAL


@tagged("post_install", "-at_install")
class TestDescribe(CustomerValueCase):
    def test_versions_and_identity(self):
        answer = self.contract.describe()
        self.assertEqual(answer["contract"], 1)
        self.assertRegex(answer["addon_version"], r"^19\.0\.\d+\.\d+\.\d+$")
        self.assertTrue(answer["odoo_version"].startswith("19"))
        self.assertEqual(
            answer["database_uuid"], self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        )
        self.assertFalse(answer["neutralized"])
        self.env["ir.config_parameter"].sudo().set_param("database.is_neutralized", True)
        self.assertTrue(self.contract.describe()["neutralized"])

    def test_companies_are_roots_of_the_account(self):
        self.sync.company_ids |= self.branch
        companies = {company["id"]: company for company in self.contract.describe()["companies"]}
        self.assertEqual(set(companies), {self.alpha.id, self.beta.id})
        self.assertEqual(companies[self.alpha.id]["currency"], "USD")
        self.assertEqual(companies[self.beta.id]["currency"], "EUR")
        self.assertEqual(companies[self.alpha.id]["decimals"], 2)
        self.sync.write({"company_id": self.beta.id, "company_ids": [Command.set(self.beta.ids)]})
        self.assertEqual([company["id"] for company in self.contract.describe()["companies"]], [self.beta.id])

    def test_policy_and_time_zone(self):
        self.alpha.partner_id.tz = "Asia/Tokyo"
        version = self.env["crm.value.policy.version"]._get_active(self.alpha)
        company = next(c for c in self.contract.describe()["companies"] if c["id"] == self.alpha.id)
        self.assertEqual(company["timezone"], "Asia/Tokyo")
        self.assertEqual(company["policy"], {"version_id": version.id, "number": version.number, "rules": []})

    def test_company_without_policy(self):
        company = next(c for c in self.contract.describe()["companies"] if c["id"] == self.beta.id)
        self.assertEqual(company["policy"]["version_id"], None)
        self.assertEqual(company["policy"]["rules"], [])

    def test_columns_datasets_and_codes(self):
        answer = self.contract.describe()
        self.assertEqual(answer["publish_columns"], COLUMN_TYPES)
        # What modules bring along that may be here or not is the matter of test_export_modules.py.
        self.assertEqual(set(answer["datasets"]) - set(OPTIONAL), BASIC)
        self.assertEqual(answer["reason_codes"], sorted(REASON_SCHEMA))
        self.assertIn("churn_horizon_days", answer["policy_keys"])
        self.assertIn("wholesale", [item["code"] for item in answer["formats"]])

    def test_nothing_personal_in_datasets(self):
        for columns in self.contract.describe()["datasets"].values():
            for column in columns:
                self.assertNotRegex(column, "name|mail|phone|street|city|zip|vat|user|note|ref")

    def test_excess_groups(self):
        self.assertEqual(self.contract.describe()["user"]["excess_groups"], [])
        self.sync.group_ids += self.env.ref("sales_team.group_sale_salesman")
        self.assertEqual(
            self.contract.describe()["user"]["excess_groups"],
            ["sales_team.group_sale_salesman", "crm_value_addon.group_viewer"],
        )

    def test_key_expiry(self):
        self.assertIsNone(self.contract.describe()["user"]["key_expiry"])
        keys = self.env["res.users.apikeys"].with_user(self.sync)
        expiry = fields.Datetime.now() + timedelta(days=200)
        keys._generate("rpc", "worker", expiry)
        self.assertEqual(self.contract.describe()["user"]["key_expiry"], fields.Date.to_string(expiry))

    def test_key_expiry_forgets_expired_keys(self):
        keys = self.env["res.users.apikeys"].with_user(self.sync)
        keys._generate("rpc", "old", fields.Datetime.now() + timedelta(days=5))
        keys._generate("rpc", "new", fields.Datetime.now() + timedelta(days=200))
        with freeze_time(fields.Datetime.now() + timedelta(days=10)):
            expiry = self.contract.describe()["user"]["key_expiry"]
        self.assertEqual(expiry, fields.Date.to_string(fields.Date.today() + timedelta(days=200)))

    def test_key_may_last_a_year(self):
        self.assertEqual(self.env.ref("crm_value_addon.group_sync").api_key_duration, 365)

    def test_erasures(self):
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        self.assertIn(self.customer.id, self.contract.describe()["erasures"])


@tagged("post_install", "-at_install")
class TestRefusals(CustomerValueCase):
    def calls(self, model):
        return {
            "describe": model.describe,
            "export_history": lambda: model.export_history(dataset="orders", company_id=self.alpha.id),
            "claim_run": lambda: model.claim_run(worker="x"),
            "beat": lambda: model.beat(run_id=1, token="x", progress=1),
            "publish": lambda: model.publish(run_id=1, token="x", batch=1, columns=["partner_id"], data=""),
            "close_run": lambda: model.close_run(run_id=1, token="x", state="done"),
        }

    def test_only_the_sync_group(self):
        for user in (
            self.portal,
            self.employee,
            self.viewer,
            self.user,
            self.manager,
            self.env.ref("base.user_admin"),
        ):
            for name, call in self.calls(self.env["crm.value.sync"].with_user(user)).items():
                with self.subTest(user=user.login, method=name), self.assertRaises(AccessError):
                    call()

    def test_public_user(self):
        model = self.env["crm.value.sync"].with_user(self.env.ref("base.public_user"))
        for name, call in self.calls(model).items():
            with self.subTest(method=name), self.assertRaises(AccessError):
                call()

    def test_every_public_method_is_in_the_contract(self):
        model = self.env.registry["crm.value.sync"]
        base = self.env.registry["crm.value.protected"]
        public = {name for name in dir(model) if not name.startswith("_") and callable(getattr(model, name))}
        base_public = {name for name in dir(base) if not name.startswith("_")}
        self.assertEqual(public - base_public, set(self.calls(self.env["crm.value.sync"])))

    def test_foreign_company(self):
        self.sync.write({"company_id": self.beta.id, "company_ids": [Command.set(self.beta.ids)]})
        with self.assertRaises(AccessError):
            self.contract.export_history(dataset="orders", company_id=self.alpha.id)
        with self.assertRaises(AccessError):
            self.contract.claim_run(worker="x", company_id=self.alpha.id, request=True)

    def test_run_of_a_foreign_company(self):
        run = self.claim(self.alpha)
        self.publish(run, [self.full(self.customer)])
        self.sync.write({"company_id": self.beta.id, "company_ids": [Command.set(self.beta.ids)]})
        for call in (
            lambda: self.contract.beat(run_id=run["id"], token=run["token"], progress=1),
            lambda: self.publish(run, [self.full(self.customer)]),
            lambda: self.close(run, 1),
        ):
            with self.assertRaises(AccessError):
                call()
        self.sync.company_ids |= self.alpha
        self.close(run, 1)
        self.sync.company_ids -= self.alpha
        with self.assertRaises(AccessError):
            self.close(run, 1)

    def test_branch(self):
        self.sync.company_ids |= self.branch
        with self.assertRaisesRegex(UserError, "branch"):
            self.contract.export_history(dataset="orders", company_id=self.branch.id)
        with self.assertRaisesRegex(UserError, "branch"):
            self.contract.claim_run(worker="x", company_id=self.branch.id, request=True)

    def test_unknown_dataset(self):
        for dataset in ("employees", "sale_order; DROP TABLE res_users", "_orders"):
            with self.assertRaises(UserError):
                self.contract.export_history(dataset=dataset, company_id=self.alpha.id)


@tagged("post_install", "-at_install")
class TestLease(CustomerValueCase):
    def setUp(self):
        super().setUp()
        self.runs = self.env["crm.value.run"]

    def test_nothing_waits(self):
        self.assertEqual(
            self.contract.claim_run(worker="x", company_id=self.alpha.id), {"run": None, "busy": None}
        )

    def test_request_of_a_manager_is_claimed(self):
        self.as_user("crm.value.run", self.manager, self.alpha).action_request()
        run = self.contract.claim_run(worker="host:1")["run"]
        self.assertEqual((run["company_id"], run["kind"], run["attempt"]), (self.alpha.id, "score", 1))
        self.assertTrue(run["policy"]["version_id"])
        record = self.runs.browse(run["id"])
        self.assertEqual((record.state, record.worker), ("running", "host:1"))
        self.assertEqual(record.requested_by_id, self.manager)
        self.assertEqual(run["as_of"], fields.Date.to_string(record.as_of))

    def test_requesting_twice_makes_one_run(self):
        self.as_user("crm.value.run", self.manager, self.alpha).action_request()
        self.as_user("crm.value.run", self.manager, self.branch, self.alpha).action_request()
        self.assertEqual(self.runs.search_count([("company_id", "=", self.alpha.id)]), 1)

    def test_only_managers_request_and_cancel(self):
        run = self.runs.browse(self.claim()["id"])
        for user in (self.portal, self.employee, self.viewer, self.user, self.sync):
            with self.assertRaises(AccessError):
                self.as_user("crm.value.run", user).action_request()
            with self.assertRaises(AccessError):
                run.with_user(user).action_cancel()
        self.assertEqual(run.state, "running")

    def test_busy(self):
        run = self.claim()
        answer = self.contract.claim_run(worker="other:2", company_id=self.alpha.id, request=True)
        self.assertIsNone(answer["run"])
        self.assertEqual((answer["busy"]["run_id"], answer["busy"]["worker"]), (run["id"], "test:1"))
        self.assertEqual(self.runs.search_count([("company_id", "=", self.alpha.id)]), 1)

    def test_claim_committed_meanwhile(self):
        def claimed_by_another(sync, company, kind, request, day):
            runs = sync.env["crm.value.run"].sudo()
            return runs._request(company, kind), None

        self.claim()
        with patch.object(self.registry["crm.value.sync"], "_claim_company", claimed_by_another):
            answer = self.contract.claim_run(worker="x", company_id=self.alpha.id, request=True)
        self.assertEqual(answer, {"run": None, "busy": {"run_id": None, "worker": None, "until": None}})
        self.assertEqual(self.runs.search_count([("company_id", "=", self.alpha.id)]), 1)

    def test_companies_and_kinds_are_apart(self):
        self.claim(self.alpha)
        self.assertTrue(self.claim(self.beta))
        self.assertTrue(self.claim(self.alpha, kind="backtest"))

    def test_oldest_request_of_any_company(self):
        self.runs._request(self.beta, "score")
        self.assertEqual(self.contract.claim_run(worker="x")["run"]["company_id"], self.beta.id)

    def test_expired_lease_is_taken_over(self):
        first = self.claim()
        self.publish(first, [self.full(self.customer)])
        self.runs.browse(first["id"]).lease_until = fields.Datetime.now() - timedelta(seconds=1)
        second = self.contract.claim_run(worker="other:2", company_id=self.alpha.id)["run"]
        self.assertEqual((second["id"], second["attempt"]), (first["id"], 2))
        self.assertNotEqual(second["token"], first["token"])
        for call in (
            lambda: self.contract.beat(run_id=first["id"], token=first["token"], progress=1),
            lambda: self.publish(first, [self.full(self.customer)]),
            lambda: self.close(first, 1),
        ):
            with self.assertRaisesRegex(UserError, r"^\[lease-lost\]"):
                call()
        with self.assertRaisesRegex(UserError, r"^\[count-mismatch\]"):  # what the first one staged is gone
            self.close(second, 1)

    def test_due_by_schedule(self):
        self.alpha.crm_value_interval_hours = 24
        run = self.contract.claim_run(worker="x")["run"]
        self.assertEqual(run["company_id"], self.alpha.id)
        self.publish(run, [self.full(self.customer)])
        self.close(run, 1)
        self.assertIsNone(self.contract.claim_run(worker="x")["run"])
        with freeze_time(fields.Datetime.now() + timedelta(hours=25)):
            self.assertTrue(self.contract.claim_run(worker="x")["run"])

    def test_failed_run_is_tried_again_after_an_hour(self):
        self.alpha.crm_value_interval_hours = 24
        run = self.contract.claim_run(worker="x")["run"]
        self.contract.close_run(run_id=run["id"], token=run["token"], state="failed", error="no data")
        self.assertIsNone(self.contract.claim_run(worker="x")["run"])
        with freeze_time(fields.Datetime.now() + timedelta(minutes=61)):
            self.assertTrue(self.contract.claim_run(worker="x")["run"])

    def test_schedule_off(self):
        self.assertIsNone(self.contract.claim_run(worker="x")["run"])
        self.alpha.crm_value_interval_hours = -1
        self.assertIsNone(self.contract.claim_run(worker="x")["run"])

    def test_unknown_kind(self):
        with self.assertRaises(UserError):
            self.contract.claim_run(worker="x", company_id=self.alpha.id, kind="erase", request=True)

    def test_beat(self):
        run = self.claim()
        record = self.runs.browse(run["id"])
        with freeze_time(fields.Datetime.now() + timedelta(seconds=60)):
            answer = self.contract.beat(run_id=run["id"], token=run["token"], progress=140, message="m" * 500)
            self.assertEqual(answer, {"lease_seconds": 120})
            self.assertEqual(record.lease_until, fields.Datetime.now() + timedelta(seconds=120))
        self.assertEqual((record.progress, len(record.message)), (100, 200))
        for progress, expected in ((12.5, 12.5), (-1, 0), (float("nan"), 0), (float("inf"), 100)):
            self.contract.beat(run_id=run["id"], token=run["token"], progress=progress)
            self.assertEqual(record.progress, expected)

    def test_wrong_token(self):
        run = self.claim()
        for token in ("", None, False, "x", run["token"].upper() + "x"):
            with self.assertRaisesRegex(UserError, r"^\[lease-lost\]"):
                self.contract.beat(run_id=run["id"], token=token, progress=1)
        with self.assertRaisesRegex(UserError, r"^\[lease-lost\]"):
            self.contract.beat(run_id=2**31 - 1, token=run["token"], progress=1)

    def test_cancelled(self):
        run = self.claim()
        self.publish(run, [self.full(self.customer)])
        self.runs.browse(run["id"]).with_user(self.manager).action_cancel()
        with self.assertRaisesRegex(UserError, r"^\[lease-lost\]"):
            self.close(run, 1)
        self.assertFalse(self.profile(self.customer))

    def test_token_is_shown_to_nobody(self):
        run = self.runs.browse(self.claim()["id"])
        for user in (self.user, self.manager, self.env.ref("base.user_admin")):
            with self.assertRaises(AccessError):
                run.with_user(user).read(["token"])
            with self.assertRaises(AccessError):
                self.runs.with_user(user).search([("token", "like", "a%")])
            self.assertNotIn("token", self.runs.with_user(user).fields_get())
