from odoo.tests import tagged

from ..backtest_texts import rule_text
from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestGradeTexts(CustomerValueCase):
    def judged(self, **values):
        return self.backtest(self.grade(**values)).grade_ids

    def test_story(self):
        self.assertEqual(
            self.judged(found_value=81234.4).story,
            "Had we run this on August 24, 2026, of the 50 customers we would have called most at risk 23 did not "
            "come back within 90 days, carrying $\N{NO-BREAK SPACE}81,234; the best simple rule (silent for 60 days "
            "or more) finds 15, a list drawn by lot 7.4.",
        )

    def test_by_lot_with_a_decimal_where_it_matters(self):
        for found, told in ((7.44, "7.4"), (9.99, "10.0"), (10.0, "10"), (12.6, "13")):
            story = self.judged(chance_found=found).story
            self.assertTrue(story.endswith(f", a list drawn by lot {told}."), story)

    def test_story_of_the_horizon_of_a_format(self):
        self.assertIn("23 did not come back within 14 days, carrying", self.judged(horizon_days=14).story)
        mixed = self.judged(horizon_days=None).story
        self.assertIn("within the churn horizon of their business format, carrying", mixed)
        bare = self.judged(horizon_days=None, found_value=None, rule=None, chance_found=None).story
        self.assertTrue(
            bare.endswith("23 did not come back within the churn horizon of their business format."), bare
        )

    def test_rule_names_the_window_it_looked_at(self):
        rule = {"code": "last_period", "params": {"order_days": 2, "window_days": 60}}
        for horizon in (14, None):
            story = self.judged(horizon_days=horizon, rule=rule).story
            self.assertIn("(at most 2 days with orders in the last 60 days)", story)

    def test_story_of_a_sample(self):
        run = self.backtest(self.grade(), sample={"customers": 20000, "of": 41440})
        self.assertTrue(
            run.grade_ids.story.startswith(
                "Of a sample of 20,000 of the 41,440 customers: Had we run this on August 24, 2026, of the 50"
            )
        )

    def test_story_of_what_is_known(self):
        self.assertFalse(self.backtest(self.no_grade("customers")).grade_ids.story)
        bare = self.judged(found_value=None, rule=None, rule_found=None, chance_found=None).story
        self.assertTrue(bare.endswith("23 did not come back within 90 days."), bare)
        unknown = self.judged(rule={"code": "of_tomorrow", "params": {}}, chance_found=None).story
        self.assertTrue(unknown.endswith("; the best simple rule finds 15."), unknown)
        nothing = self.judged(found=0, found_value=0.0).story
        self.assertIn("0 did not come back within 90 days, carrying $\N{NO-BREAK SPACE}0;", nothing)

    def test_story_in_the_readers_language(self):
        self.env["res.lang"]._activate_lang("de_DE")
        grade = self.judged(found_value=81234.4)
        english, german = grade.story, grade.with_context(lang="de_DE").story
        self.assertIn("24. August 2026", german)
        self.assertIn("81.234", german)
        self.assertIn("81,234", english)

    def test_amounts_in_the_currency_of_the_company(self):
        rule = {"code": "low_spend", "params": {"amount": 1500}}
        story = self.backtest(self.grade(rule=rule), company=self.beta).grade_ids.story
        self.assertIn("81,234\N{NO-BREAK SPACE}€", story)
        self.assertIn("(spent 1,500\N{NO-BREAK SPACE}€ or less in the last 90 days)", story)

    def test_every_rule_reads_as_words_with_its_figure(self):
        currency = self.alpha.currency_id
        for code, params, figure in (
            ("recency", {"days": 61}, "61"),
            ("lateness", {"percent": 152.0}, "152 %"),
            ("rfm_score", {"score": 7}, "7"),
            ("last_period", {"order_days": 2}, "2"),
            ("low_spend", {"amount": 1234}, "$\N{NO-BREAK SPACE}1,234"),
            ("run_rate", {"order_days": 3.27}, "3.3"),
        ):
            with self.subTest(code=code):
                text = rule_text(self.env, code, params, currency, 90)
                self.assertIn(figure, text)
                self.assertNotRegex(text, r"%\(|%%")
                for wrong in (
                    {},
                    {"x": 1},
                    None,
                    {name: "many" for name in params},
                    {name: None for name in params},
                ):
                    self.assertEqual(rule_text(self.env, code, wrong, currency, 90), "")
        for code in (None, False, "", "of_tomorrow", ["recency"]):
            self.assertEqual(rule_text(self.env, code, {"days": 1}, currency, 90), "")

    def test_verdict(self):
        cases = (
            ("A", {}, "probabilities at their word"),
            ("B", {}, "probabilities as rough"),
            ("C", {"gain_low": 0.01, "gain_high": 0.1}, "its probabilities are off"),
            ("C", {"gain_low": -0.01, "gain_high": 0.01}, "without a clear difference"),
            ("C", {"gain_low": -0.1, "gain_high": -0.01}, "the best simple rule tells better"),
            ("D", {"auc_low": 0.51}, "worse than the churn rate alone: do not use them"),
            ("D", {"auc_low": 0.5}, "no better than chance"),
        )
        verdicts = [self.judged(grade=letter, **values).verdict for letter, values, _words in cases]
        self.assertEqual(len(set(verdicts)), 7)
        for verdict, (_letter, _values, words) in zip(verdicts, cases, strict=True):
            self.assertIn(words, verdict)
            self.assertNotIn("any simple rule", verdict)
        self.assertEqual(self.judged(grade="C", gain_low=None, gain_high=None).verdict, verdicts[3])
        self.assertEqual(self.judged(grade="D", auc_low=None).verdict, verdicts[6])
        untold = [
            self.backtest(self.no_grade(missing)).grade_ids.verdict
            for missing in ("cutoffs", "customers", "outcomes", "of_tomorrow", None)
        ]
        self.assertEqual(len(set(untold)), 4)
        for text in untold:
            self.assertIn("Too little data to tell", text)

    def test_caution(self):
        for values, words in (
            ({"value_log_bias": 0.2, "coverage": 0.9}, []),
            ({"value_log_bias": -0.2, "coverage": 0.7}, []),
            ({"value_log_bias": 0.25}, ["28 % too high"]),
            ({"value_log_bias": -0.25}, ["22 % too low"]),
            ({"coverage": 0.61}, ["Only 61 %"]),
            ({"coverage": 0.95}, ["95 %", "wider than need be"]),
            ({"coverage": 0.0, "value_log_bias": 1.0}, ["Only 0 %", "172 % too high"]),
            ({"coverage": None, "value_log_bias": None}, []),
        ):
            with self.subTest(values=values):
                caution = self.judged(**values).caution
                self.assertEqual(bool(caution), bool(words))
                for word in words:
                    self.assertIn(word, caution)
