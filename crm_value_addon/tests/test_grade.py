import copy
import json

from odoo.tests import tagged

from ..backtest import FIGURE_BOUNDS, read_grades
from ..result_values import storable
from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestGrade(CustomerValueCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.wholesale = cls.env.ref("crm_value_addon.crm_value_format_wholesale")
        cls.other = cls.env.ref("crm_value_addon.crm_value_format_other")

    def test_backtest_run_keeps_its_grades(self):
        run = self.backtest(self.grade(), self.grade(self.wholesale, grade="D", gain=-0.02))
        self.assertEqual((run.state, run.kind, run.warnings), ("done", "backtest", False))
        whole, wholesale = run.grade_ids
        self.assertFalse(whole.format_id)
        self.assertEqual(wholesale.format_id, self.wholesale)
        self.assertEqual((whole.grade, wholesale.grade), ("A", "D"))
        self.assertEqual(whole.company_id, self.alpha)
        self.assertEqual(whole.currency_id, self.alpha.currency_id)
        self.assertEqual(whole.as_of, run.as_of)
        sent = self.grade()
        for name, value in sent.items():
            if name in whole._fields and name not in ("cutoff", "missing"):
                self.assertEqual(whole[name], value, name)
        self.assertEqual(str(whole.cutoff), sent["cutoff"])
        self.assertEqual((whole.rule_code, whole.rule_params), ("recency", {"days": 60}))
        self.assertEqual(whole.horizon_days, 90)
        self.assertFalse(whole.untold)
        self.assertAlmostEqual(wholesale.gain, -0.02)

    def test_scoring_run_keeps_its_grades_too(self):
        run = self.claim()
        self.publish(run, [self.full(self.customer)])
        grade = self.grade(horizon_days=60)
        result = {"backtest": {"horizon_days": 60, "grades": [grade]}, "orders": 3}
        self.assertEqual(self.close(run, 1, result=result)["inserted"], 1)
        record = self.env["crm.value.run"].browse(run["id"])
        self.assertEqual((record.grade_ids.grade, record.grade_ids.horizon_days), ("A", 60))
        self.assertEqual(record.result, result)

    def test_each_grade_keeps_its_horizon(self):
        run = self.backtest(
            self.grade(horizon_days=None),
            self.grade(self.wholesale, horizon_days=14),
            self.no_grade("customers", self.other, horizon_days=90),
        )
        self.assertEqual(run.grade_ids.mapped("horizon_days"), [0, 14, 90])
        self.assertFalse(run.warnings)

    def test_older_worker_tells_one_horizon_and_no_sample(self):
        grades = [self.grade(), self.grade(self.wholesale)]
        for grade in grades:
            del grade["horizon_days"]
        run = self.backtest(*grades, horizon_days=60)
        self.assertEqual(run.grade_ids.mapped("horizon_days"), [60, 60])
        self.assertEqual(run.grade_ids.mapped("sample_of"), [0, 0])

    def test_sample(self):
        grades = [self.grade(), self.grade(self.wholesale)]
        told = self.backtest(*grades, sample={"customers": 20000, "of": 41440}).grade_ids
        for grade in told:
            self.assertEqual((grade.sample_customers, grade.sample_of), (20000, 41440))
        self.assertFalse(self.backtest(*grades, sample=None).grade_ids[0].sample_of)

    def test_repeated_close_keeps_them_once(self):
        run = self.claim(kind="backtest")
        result = {"backtest": {"horizon_days": 90, "grades": [self.grade()]}}
        for _attempt in range(2):
            self.close(run, 0, result=result)
        self.assertEqual(len(self.env["crm.value.run"].browse(run["id"]).grade_ids), 1)

    def test_worker_without_backtest(self):
        for result in (None, {}, {"orders": 3}, {"backtest": None}, [], "done", 7):
            run = self.claim()
            self.publish(run, [self.full(self.customer)])
            with self.subTest(result=result):
                self.close(run, 1, result=result)
                record = self.env["crm.value.run"].browse(run["id"])
                self.assertEqual((record.state, record.warnings), ("done", False))
                self.assertFalse(record.grade_ids)

    def test_failed_run_keeps_none(self):
        run = self.claim(kind="backtest")
        result = {"backtest": {"horizon_days": 90, "grades": [self.grade()]}}
        self.contract.close_run(
            run_id=run["id"], token=run["token"], state="failed", result=result, error="no"
        )
        self.assertFalse(self.env["crm.value.run"].browse(run["id"]).grade_ids)

    def test_what_cannot_be_told_stays_empty(self):
        run = self.backtest(
            self.no_grade("customers", customers=12, churned=1),
            self.grade(self.wholesale, coverage=None, value_log_bias=float("nan")),
        )
        none, graded = run.grade_ids
        self.assertEqual((none.grade, none.missing, none.customers), (False, "customers", 12))
        self.assertEqual(set(none.untold), {*FIGURE_BOUNDS, "found_value", "rule_found_value"})
        self.assertEqual(set(graded.untold), {"coverage", "value_log_bias"})
        self.env.cr.execute("SELECT auc, listed, found_value FROM crm_value_grade WHERE id = %s", [none.id])
        self.assertEqual(self.env.cr.fetchone(), (None, None, None))
        averages = self.env["crm.value.grade"]._read_group(
            [("run_id", "=", run.id)], [], ["auc:avg", "coverage:avg"]
        )
        self.assertEqual(averages[0][0], 0.781, "no average with what is not known")
        self.assertIs(averages[0][1], False)

    def test_whole_backtest_of_a_wrong_shape(self):
        """A good run ends whatever comes beside it, and says what was left out."""
        good = {"horizon_days": 90, "grades": [self.grade()]}
        for wrong in (
            [],
            "A",
            5,
            {},
            {"grades": [self.grade()]},
            {**good, "grades": {}},
            {**good, "grades": "none"},
            {**good, "horizon_days": "90"},
            {**good, "horizon_days": -1},
            {**good, "sample": 20000},
            {**good, "sample": {"customers": "many", "of": 41440}},
            {**good, "sample": {"customers": 20000, "of": -1}},
        ):
            run = self.claim()
            self.publish(run, [self.full(self.customer)])
            with self.subTest(wrong=wrong):
                self.close(run, 1, result={"backtest": wrong}, warnings=["first"])
                record = self.env["crm.value.run"].browse(run["id"])
                self.assertEqual(record.state, "done")
                self.assertFalse(record.grade_ids)
                self.assertRegex(record.warnings, "^first\n.*left out")
        self.assertTrue(self.profile(self.customer))

    def test_one_grade_of_a_wrong_shape(self):
        """It is left out as a whole and named; the others are kept."""
        for name, wrong in (
            ("grade", "E"),
            ("grade", "a"),
            ("grade", 1),
            ("grade", ["A"]),
            ("missing", 3),
            ("horizon_days", "90"),
            ("horizon_days", -1),
            ("cutoff", "yesterday"),
            ("cutoff", 20260824),
            ("customers", "412"),
            ("customers", -1),
            ("customers", 2**40),
            ("found", 2.5),
            ("found", True),
            ("found_value", "81k"),
            ("found_value", 1e300),
            ("rule", "recency"),
            ("rule", {"code": 5}),
            ("rule", {"code": "recency", "params": [60]}),
            ("auc", 1.5),
            ("auc", -0.2),
            ("auc", {}),
            ("coverage", 81),
            ("calibration", "none"),
            ("calibration", [1, 2]),
            ("calibration", [{"predicted": "x"}]),
            ("lift", {"share": 0.1}),
            ("deciles", [[]]),
        ):
            with self.subTest(name=name, wrong=wrong):
                run = self.backtest(self.grade(**{name: wrong}), self.grade(self.wholesale))
                self.assertEqual(run.grade_ids.format_id, self.wholesale)
                self.assertEqual(len(run.grade_ids), 1)
                self.assertIn(f"grades[0].{name}", run.warnings)
        run = self.backtest(self.grade(missing="cutoffs"), self.grade(self.wholesale))
        self.assertEqual(len(run.grade_ids), 1, "a grade and a reason for having none")
        for wrong in (None, 5, "A", []):
            with self.subTest(wrong=wrong):
                run = self.backtest(wrong, self.grade(self.wholesale))
                self.assertEqual(len(run.grade_ids), 1)

    def test_whatever_becomes_of_one_value_the_run_ends(self):
        """Every value of a result in turn replaced by every kind of value."""
        backtest = {"horizon_days": 90, "grades": [self.grade()]}

        def paths(value, path=()):
            yield path
            if isinstance(value, dict | list):
                for key, each in value.items() if isinstance(value, dict) else enumerate(value):
                    yield from paths(each, (*path, key))

        def replaced(path, value):
            result = copy.deepcopy({"backtest": backtest})
            place = result
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = value
            return result

        formats = {self.wholesale.id}
        odd = (
            None,
            True,
            -1,
            10**30,
            1e308,
            float("nan"),
            float("inf"),
            "",
            "A\0\ud800",
            [],
            [[]],
            {},
            {"x": 1},
        )
        wrong = [replaced(("backtest", *path), value) for path in paths(backtest) for value in odd if path]
        self.assertGreater(len(wrong), 400)
        run = self.claim(kind="backtest")
        record = self.env["crm.value.run"].browse(run["id"])
        for result in wrong:
            with self.subTest(result=result):
                rows, faults = read_grades(storable(result), formats)
                self.assertLessEqual(len(rows), 1)
                json.dumps([rows, faults], allow_nan=False)
                self.env["crm.value.grade"]._record_grades(record, storable(result))
                self.env.cr.execute("DELETE FROM crm_value_grade WHERE run_id = %s", [record.id])

    def test_formats(self):
        gone = self.env["crm.value.format"].create({"name": "Brief", "code": "brief"})
        unknown, archived = gone.id, self.other
        gone.unlink()
        archived.active = False
        grades = [
            self.grade(),
            self.grade(self.wholesale),
            self.grade(archived),
            {**self.grade(), "format": unknown},
            {**self.grade(), "format": "wholesale"},
            {**self.grade(), "format": True},
            {**self.grade(), "format": [1]},
            self.grade(self.wholesale, grade="D"),
        ]
        run = self.backtest(*grades)
        self.assertFalse(run.warnings, "a format that is gone is nobody's fault")
        self.assertEqual(
            [(grade.format_id, grade.grade) for grade in run.grade_ids],
            [(self.env["crm.value.format"], "A"), (self.wholesale, "A"), (archived, "A")],
        )

    def test_deleted_format_never_speaks_for_the_company(self):
        brief = self.env["crm.value.format"].create({"name": "Brief", "code": "brief"})
        run = self.backtest(self.grade(), self.grade(brief, grade="D"))
        brief.unlink()
        run.invalidate_recordset()
        self.assertEqual(run.grade_ids.mapped("grade"), ["A"])

    def test_latest(self):
        """The last run that looked back, of each company, by the order of closing."""
        grades = self.env["crm.value.grade"]
        earlier = self.backtest(self.grade(), self.grade(self.wholesale))
        foreign = self.backtest(self.grade(), company=self.beta)
        slow = self.claim()
        self.publish(slow, [self.full(self.customer)])
        self.backtest(self.grade(), self.grade(self.wholesale))
        self.close(slow, 1, result={"backtest": {"horizon_days": 90, "grades": [self.grade()]}})
        self.score([self.full(self.customer)])
        self.backtest()
        latest = grades.search([("is_latest", "=", True), ("company_id", "in", (self.alpha | self.beta).ids)])
        self.assertEqual(sorted(latest.run_id.ids), sorted([slow["id"], foreign.id]))
        self.assertEqual(latest.mapped("format_id"), self.env["crm.value.format"])
        self.assertTrue(all(latest.mapped("is_latest")))
        older = grades.search([("is_latest", "=", False), ("company_id", "=", self.alpha.id)])
        self.assertEqual(len(older), 4)
        self.assertIn(earlier, older.run_id)
        self.assertFalse(any(older.mapped("is_latest")))
        self.assertFalse(older & latest)

    def test_order_of_the_list(self):
        run = self.backtest(self.grade(), self.grade(self.other), self.grade(self.wholesale))
        listed = self.env["crm.value.grade"].search([("run_id", "=", run.id)])
        self.assertEqual(listed.mapped("scope"), ["Whole company", self.other.name, self.wholesale.name])
