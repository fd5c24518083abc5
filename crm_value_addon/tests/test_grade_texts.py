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
            "or more) finds 15, a list drawn by lot 7.",
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
        verdicts = [self.judged(grade=letter, gain_low=-0.01).verdict for letter in "ABCD"]
        self.assertEqual(len(set(verdicts)), 4)
        self.assertIn("better than any simple rule", verdicts[0])
        self.assertIn("No better than the best simple rule", verdicts[2])
        self.assertIn("No skill", verdicts[3])
        self.assertIn("its probabilities are off", self.judged(grade="C", gain_low=0.01).verdict)
        self.assertEqual(self.judged(grade="C", gain_low=None).verdict, verdicts[2])
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
