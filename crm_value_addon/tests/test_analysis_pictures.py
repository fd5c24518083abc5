import json

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..analysis import EQUITY_STEPS
from .test_analysis import AnalysisCase


@tagged("post_install", "-at_install")
class TestAnalysisPictures(AnalysisCase):
    """What the pictures of equity and concentration are drawn from."""

    def test_bridge_as_a_picture(self):
        """Every row knows the whole bridge of its run, with what it says and each step in words."""
        rows = self.rows(self.analysis(), "crm.value.equity")
        self.analysis(company=self.beta, equity=self.equity(opening=0.0, closing=-9.5))
        (bridge,) = {json.dumps(row.bridge) for row in rows}
        bridge = json.loads(bridge)
        space = "\N{NO-BREAK SPACE}"
        self.assertEqual(
            bridge["text"].replace(space, " "),
            "Customer equity went from $ 900 to $ 890: $ 96 more, $ 105 less.",
        )
        steps = {each["step"]: each for each in bridge["steps"]}
        self.assertEqual(list(steps), list(EQUITY_STEPS))
        self.assertEqual(steps["growth"]["text"], f"+{space}${space}96")
        self.assertEqual(steps["lost"]["text"], f"\N{MINUS SIGN}{space}${space}45")
        self.assertEqual(
            (steps["opening"]["text"], steps["acquired"]["text"]), (f"${space}900", f"${space}0")
        )
        self.assertEqual((steps["lost"]["label"], steps["lost"]["customers"]), ("Lost", "4"))
        nothing = dict.fromkeys(("opening", "acquired", "won_back", "growth", "decline", "lost"))
        first = self.analysis(equity={**nothing, "closing": 890.5, "customers": {}})
        self.assertIn("from the next run on", self.rows(first, "crm.value.equity").bridge["text"])

    def test_latest_opens_as_a_picture(self):
        for model in ("crm.value.equity", "crm.value.concentration"):
            records = self.as_user(model, self.user, self.alpha)
            self.assertEqual(records._open_latest()["views"][0][1], "graph" if "equity" in model else "list")
        run = self.analysis()
        for model in ("crm.value.equity", "crm.value.concentration"):
            with self.subTest(model=model):
                records = self.as_user(model, self.user, self.alpha)
                action = records._open_latest()
                self.assertEqual(action["views"], [(False, "form")])
                self.assertEqual(records.browse(action["res_id"]).run_id.sudo(), run)
                other = self.as_user(model, self.user, self.beta)
                self.assertNotIn("res_id", {k: v for k, v in other._open_latest().items() if v})
                with self.assertRaises(AccessError):
                    self.as_user(model, self.viewer, self.alpha)._open_latest()
        self.analysis(company=self.beta)
        both = self.as_user("crm.value.equity", self.user, self.alpha, self.beta)
        self.assertGreater(len(both._open_latest()["views"]), 1, "whose picture?")

    def test_a_curve_that_is_none_is_left_out_with_its_figures(self):
        for odd in ([[0, 0], [1]], [[0, 0], [0.5, None]], [[0.5, 0], [0.4, 1]], [[0, 0], [1, 1.5]], "x", [7]):
            run = self.analysis(
                concentration={"basis": "margin", "customers": self.scope(lorenz=odd), "groups": self.scope()}
            )
            with self.subTest(lorenz=odd):
                self.assertIn("lorenz", run.warnings)
                self.assertEqual(self.rows(run, "crm.value.concentration").scope, "groups")
