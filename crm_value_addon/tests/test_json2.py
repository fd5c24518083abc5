import json
from datetime import timedelta

from odoo import fields
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import CustomerValueCase, pack


@tagged("post_install", "-at_install")
class TestJson2(CustomerValueCase, HttpCase):
    """What only HTTP shows: keys, signatures, status codes, read-only transactions."""

    def key(self, user):
        return (
            self.env["res.users.apikeys"]
            .with_user(user)
            ._generate("rpc", "test", fields.Datetime.now() + timedelta(days=1))
        )

    def call(self, key, method, model="crm.value.sync", **params):
        response = self.url_open(
            f"/json/2/{model}/{method}",
            data=json.dumps(params),
            headers={
                "Authorization": f"bearer {key}",
                "Content-Type": "application/json",
                "X-Odoo-Database": self.env.cr.dbname,
            },
            timeout=60,
        )
        return response.status_code, response.json()

    def test_a_whole_run(self):
        key = self.key(self.sync)
        status, described = self.call(key, "describe")
        self.assertEqual((status, described["contract"]), (200, 1))
        self.assertTrue(described["user"]["key_expiry"])
        status, page = self.call(key, "export_history", dataset="orders", company_id=self.alpha.id)
        self.assertEqual((status, page["rows"], page["after"]), (200, 0, None))
        status, claimed = self.call(key, "claim_run", worker="h:1", company_id=self.alpha.id, request=True)
        self.assertEqual(status, 200)
        run = {"run_id": claimed["run"]["id"], "token": claimed["run"]["token"]}
        self.assertEqual(self.call(key, "beat", **run, progress=10, message="x")[1], {"lease_seconds": 120})
        row = self.full(self.customer)
        row["reasons"] = "[]"
        status, counts = self.call(
            key, "publish", **run, batch=1, columns=list(row), data=pack([list(row.values())])
        )
        self.assertEqual((status, counts["ok"]), (200, 1))
        status, answer = self.call(
            key, "close_run", **run, state="done", rows=1, result={"x": 1}, warnings=["w"]
        )
        self.assertEqual((status, answer["inserted"]), (200, 1))
        self.env.invalidate_all()
        self.assertEqual(self.profile(self.customer).effective_value_class, "standard")

    @mute_logger("odoo.http", "odoo.addons.rpc.controllers.json2")
    def test_refusals(self):
        status, answer = self.call(self.key(self.employee), "describe")
        self.assertEqual(status, 403)
        self.assertIn("Sync worker", answer["message"])
        self.assertEqual(self.call("0" * 40, "describe")[0], 401)
        key = self.key(self.sync)
        for method in ("_get_run", "_merge", "_load_batch", "_check_worker", "_datasets"):
            with self.subTest(method=method):
                self.assertEqual(self.call(key, method)[0], 403)
        self.assertEqual(self.call(key, "init", model="crm.value.profile")[0], 403)
        for method, params in {
            "describe": {"extra": 1},
            "claim_run": {},
            "export_history": {"dataset": "names", "company_id": self.alpha.id},
            "beat": {"run_id": 0, "token": "x", "progress": 1},
            "publish": {"run_id": 0, "token": "x", "batch": 1, "columns": [], "data": ""},
            "close_run": {"run_id": 0, "token": "x", "state": "done"},
        }.items():
            with self.subTest(method=method):
                self.assertEqual(self.call(key, method, **params)[0], 422)

    @mute_logger("odoo.http", "odoo.addons.rpc.controllers.json2")
    def test_the_account_reads_no_order_by_itself(self):
        key = self.key(self.sync)
        for model in (
            "sale.order",
            "crm.lead",
            "sale.report",
            "crm.value.profile",
            "crm.value.run",
            "crm.value.staging",
        ):
            with self.subTest(model=model):
                self.assertEqual(self.call(key, "search_read", model=model, domain=[], fields=["id"])[0], 403)
        self.assertEqual(
            self.call(key, "search_count", model="res.partner", domain=[["value_class", "=", "key"]])[0], 403
        )

    @mute_logger("odoo.http", "odoo.addons.rpc.controllers.json2")
    def test_forged_scores(self):
        self.score([self.full(self.customer)])
        profile = self.profile(self.customer)
        admin = self.key(self.env.ref("base.user_admin"))
        status, _answer = self.call(
            admin,
            "write",
            model="crm.value.profile",
            ids=profile.ids,
            vals={"effective_value_class": "key"},
            context={"crm_value_pen": True},
        )
        self.assertEqual(status, 403)
