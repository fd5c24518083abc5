from odoo.exceptions import AccessError
from odoo.tests import tagged

from .test_analysis import MODELS, AnalysisCase


@tagged("post_install", "-at_install")
class TestAnalysisAccess(AnalysisCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls("setUp")
        case.env = cls.env
        cls.run_ = case.analysis()
        cls.foreign = case.analysis(company=cls.beta)

    def test_who_reads_it(self):
        for model in MODELS:
            row = self.rows(self.run_, model)[0]
            for user in (self.user, self.manager):
                records = self.as_user(model, user, self.alpha)
                self.assertEqual(records.search([]).run_id.sudo(), self.run_)
                records.browse(row.id).read()
            for user in (
                self.portal,
                self.employee,
                self.viewer,
                self.sync,
                self.env.ref("base.public_user"),
            ):
                records = self.env[model].with_user(user)
                for name, call in {
                    "search": lambda r=records: r.search([]),
                    "read": lambda r=records, i=row.id: r.browse(i).read(["as_of"]),
                    "group": lambda r=records: r.formatted_read_group([], ["run_id"], ["__count"]),
                }.items():
                    with (
                        self.subTest(user=user.login, model=model, call=name),
                        self.assertRaises(AccessError),
                    ):
                        call()

    def test_companies(self):
        for model in MODELS:
            for ticked, expected in (
                ([self.alpha], self.run_),
                ([self.beta], self.foreign),
                ([self.branch], self.run_),
                ([self.alpha, self.beta], self.run_ | self.foreign),
            ):
                records = self.as_user(model, self.user, *ticked)
                self.assertEqual(records.search([]).run_id.sudo(), expected)
            with self.assertRaises(AccessError):
                self.as_user(model, self.user, self.beta).browse(self.rows(self.run_, model)[0].id).read(
                    ["as_of"]
                )

    def test_nobody_writes_it(self):
        for model in MODELS:
            rows = self.rows(self.run_, model)
            for user in (self.user, self.manager, self.sync, self.env.ref("base.user_admin"), self.env.user):
                for records in (rows.with_user(user), rows.with_user(user).sudo()):
                    for call in (
                        lambda r=records: r.create({"run_id": self.run_.id}),
                        lambda r=records: r.write({"as_of": "2020-01-01"}),
                        lambda r=records: r.unlink(),
                    ):
                        with self.subTest(user=user.login, model=model), self.assertRaises(AccessError):
                            call()

    def test_result_is_kept_as_it_is(self):
        given = self.scope()["lorenz"]
        self.assertTrue(given)
        self.assertEqual(self.run_.result["concentration"]["customers"]["lorenz"], given)
