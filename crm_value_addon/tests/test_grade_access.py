from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestGradeAccess(CustomerValueCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls("setUp")
        case.env = cls.env
        cls.run_ = case.backtest(case.grade())
        cls.foreign = case.backtest(case.grade(), company=cls.beta)

    def test_who_reads_it(self):
        grade = self.run_.grade_ids
        for user in (self.user, self.manager):
            records = self.as_user("crm.value.grade", user, self.alpha)
            self.assertEqual(records.search([]), grade)
            self.assertTrue(records.browse(grade.id).read(["story", "found_value", "lift"])[0]["story"])
        for user in (self.portal, self.employee, self.viewer, self.sync, self.env.ref("base.public_user")):
            records = self.env["crm.value.grade"].with_user(user)
            for name, call in {
                "search": lambda r=records: r.search([]),
                "read": lambda r=records: r.browse(grade.id).read(["grade"]),
                "group": lambda r=records: r.formatted_read_group([], ["grade"], ["auc:avg"]),
                "open": lambda r=records: r.browse(grade.id).action_open_withheld(),
                "views": lambda r=records: r.web_search_read([], {"story": {}}),
            }.items():
                with self.subTest(user=user.login, call=name), self.assertRaises(AccessError):
                    call()

    def test_nobody_writes_it(self):
        grade = self.run_.grade_ids
        for user in (self.user, self.manager, self.sync, self.env.ref("base.user_admin"), self.env.user):
            for records in (grade.with_user(user), grade.with_user(user).sudo()):
                for name, call in {
                    "create": lambda r=records: r.create(
                        {"run_id": self.run_.id, "company_id": self.alpha.id, "as_of": "2026-01-01"}
                    ),
                    "write": lambda r=records: r.write({"grade": "A"}),
                    "unlink": lambda r=records: r.unlink(),
                    "web_save": lambda r=records: r.web_save({"grade": "A"}, {}),
                }.items():
                    with (
                        self.subTest(user=user.login, su=records.env.su, call=name),
                        self.assertRaises(AccessError),
                    ):
                        call()
        with self.assertRaises(AccessError):
            self.run_.sudo().write({"grade_ids": [(5, 0, 0)]})

    def test_companies(self):
        for ticked, expected in (
            ([self.alpha], self.run_),
            ([self.beta], self.foreign),
            ([self.branch], self.run_),
            ([self.alpha, self.beta], self.run_ | self.foreign),
        ):
            records = self.as_user("crm.value.grade", self.user, *ticked)
            self.assertEqual(records.search([("is_latest", "=", True)]).run_id.sudo(), expected)
        with self.assertRaises(AccessError):
            self.as_user("crm.value.grade", self.user, self.beta).browse(self.run_.grade_ids.id).read(
                ["grade"]
            )
        with self.assertRaises(AccessError):
            self.as_user("crm.value.grade", self.manager, self.beta).browse(
                self.run_.grade_ids.id
            ).action_open_withheld()

    def test_managers_request_a_backtest(self):
        self.as_user("crm.value.run", self.manager, self.branch, self.alpha).action_request_backtest()
        self.as_user("crm.value.grade", self.manager, self.alpha).action_request()
        waiting = self.env["crm.value.run"].search([("state", "=", "requested")])
        self.assertEqual(
            (waiting.kind, waiting.company_id), ("backtest", self.alpha), "asked twice, made once"
        )
        self.assertEqual(waiting.requested_by_id, self.manager)
        self.assertIsNone(self.contract.claim_run(worker="w", kind="score")["run"])
        claimed = self.contract.claim_run(worker="w", kind="backtest")["run"]
        self.assertEqual((claimed["id"], claimed["kind"]), (waiting.id, "backtest"))
        for user in (self.portal, self.employee, self.viewer, self.user, self.sync):
            for model, method in (
                ("crm.value.run", "action_request_backtest"),
                ("crm.value.grade", "action_request"),
            ):
                with self.subTest(user=user.login, model=model), self.assertRaises(AccessError):
                    getattr(self.as_user(model, user), method)()

    def test_backtest_beside_a_scoring_run(self):
        score, backtest = self.claim(), self.claim(kind="backtest")
        self.publish(score, [self.full(self.customer)])
        with self.assertRaisesRegex(UserError, r"^\[not-score\]"):
            self.publish(backtest, [self.full(self.customer)])
        self.close(backtest, 0, result={"backtest": {"horizon_days": 90, "grades": []}})
        self.assertFalse(self.profile(self.customer))
        self.close(score, 1)
        self.assertTrue(self.profile(self.customer))

    def test_backtest_retires_nobody(self):
        self.score([self.full(self.customer)])
        self.backtest(self.grade())
        self.assertTrue(self.profile(self.customer))
