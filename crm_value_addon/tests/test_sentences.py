from odoo.tests import tagged

from ..sentences import SENTENCE_SCHEMA, coded, told_text
from .common import CustomerValueCase

FIGURES = {
    "integer": 1234,
    "number": 0.5,
    "share": 0.25,
    "date": "2026-11-20",
    "dataset": "orders",
    "basis": "margin",
    "sales": "invoices",
    "standing": ["blocked", "credit_limit"],
    "rule": "key_share",
    "text": "some text",
}


@tagged("post_install", "-at_install")
class TestSentences(CustomerValueCase):
    """What a worker tells by a code is told in the reader's language; what it tells in words stays as it is."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("de_DE")

    def close_with(self, **told):
        run = self.claim()
        self.publish(run, [self.full(self.customer)])
        self.close(run, 1, **told)
        return self.env["crm.value.run"].browse(run["id"])

    def test_every_code_has_words(self):
        for code, kinds in SENTENCE_SCHEMA.items():
            told = {
                "code": code,
                "params": {name: FIGURES[kind] for name, kind in kinds.items()},
                "text": "x",
            }
            with self.subTest(code=code):
                self.assertIsNotNone(coded(told))
                self.assertGreater(len(told_text(self.env, coded(told), "x")), 4)

    def test_figures_are_told_in_the_readers_language(self):
        told = {"code": "orders_dated_after", "params": {"count": 1234, "day": "2026-11-20"}, "text": "late"}
        run = self.close_with(warnings=["As it is.", told])
        self.assertEqual(run.warnings, "As it is.\nlate")
        self.assertIn("1,234", run.warnings_told)
        german = run.with_context(lang="de_DE").warnings_told
        first, second = german.split("\n")
        self.assertEqual(first, "As it is.")
        self.assertIn("20.11.2026", second)
        self.assertIn("1.234", second)

    def test_steps_and_failures(self):
        run = self.claim()
        record = self.env["crm.value.run"].browse(run["id"])
        lease = {"run_id": run["id"], "token": run["token"]}
        step = {"code": "reading", "params": {"dataset": "orders", "rows": 5}, "text": "reading orders: 5"}
        self.contract.beat(**lease, progress=10, message=step)
        self.assertEqual((record.message, record.message_told), ("reading orders: 5", "Reading orders: 5"))
        self.contract.beat(**lease, progress=11, message="of an old worker")
        self.assertEqual(record.message_told, "of an old worker")
        error = {"code": "row_without_date", "params": {"row": 3}, "text": "Row 3 is bad."}
        self.contract.close_run(**lease, state="failed", error=error)
        self.assertEqual((record.error, record.error_told), ("Row 3 is bad.", "Row 3 has no date."))

    def test_what_is_not_as_documented_is_told_in_words(self):
        for wrong in (
            {"code": "of a later release", "params": {}},
            {"code": "sending", "params": {}},
            {"code": "sending", "params": {"rows": "many"}},
            {"code": "sending", "params": {"rows": float("nan")}},
            {"code": "sending"},
            {"code": ["sending"], "params": {"rows": 1}},
            {"code": "orders_dated_after", "params": {"count": 1, "day": "soon"}},
            {"code": "stated_today", "params": {"columns": "blocked", "day": "2026-11-20"}},
        ):
            with self.subTest(wrong=wrong):
                self.assertIsNone(coded({**wrong, "text": "words"}))
        run = self.close_with(warnings=[{"code": "sending", "params": {}, "text": "two\nlines"}, "last"])
        self.assertEqual(run.warnings_told, "two lines\nlast")

    def test_describe_names_the_codes(self):
        self.assertEqual(self.contract.describe()["sentence_codes"], sorted(SENTENCE_SCHEMA))

    def test_what_stands_for_no_value_is_told_in_the_readers_language(self):
        partners = self.env["res.partner"]
        for lang, words in (("en_US", "Not scored"), ("de_DE", "Nicht bewertet")):
            told = partners.with_context(lang=lang).fields_get(["value_segment"], ["falsy_value_label"])
            self.assertEqual(told["value_segment"]["falsy_value_label"], words)
