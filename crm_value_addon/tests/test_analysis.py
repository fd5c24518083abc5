from odoo.tests import tagged

from ..analysis import APART, EQUITY_STEPS
from .common import CustomerValueCase

MODELS = (
    "crm.value.portrait",
    "crm.value.equity",
    "crm.value.concentration",
    "crm.value.concentration.loss",
    "crm.value.demand",
)


class AnalysisCase(CustomerValueCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.wholesale = cls.env.ref("crm_value_addon.crm_value_format_wholesale")
        cls.category = cls.env["product.category"].create({"name": "Snacks"})

    def portrait(self, **values):
        return {
            "format": self.wholesale.id,
            "value_class": "key",
            "customers": 9,
            "basket": 812.5,
            "rhythm_days": 21.0,
            "margin_rate": 0.21,
            "discount_share": 0.0,
            "breadth": 6.0,
            "apart": [{"code": "larger_basket", "value": 812.5, "format_value": 402.0}],
            **values,
        }

    def equity(self, **values):
        steps = dict.fromkeys(EQUITY_STEPS, 0) | {"opening": 900.0, "growth": 95.5, "decline": 60, "lost": 45}
        counts = {"opening": 58, "growth": 22, "decline": 19, "lost": 4, "unchanged": 11, "closing": 54}
        return {**steps, "closing": 890.5, "customers": counts, **values}

    def scope(self, **values):
        return {
            "top_1": 0.12,
            "top_5": 0.41,
            "top_10": 0.6,
            "hhi": 0.04,
            "gini": 0.61,
            "customers_for_80_percent": 19,
            "lorenz": [[0.0, 0.0], [1.0, 1.0]],
            "losses": [
                {"id": self.customer.id, "value": 24300.0, "percent": 112.2},
                {"id": self.customer2.id, "value": 9000.0, "percent": 4.5},
            ],
            **values,
        }

    def expected(self, **values):
        return {
            "format": self.wholesale.id,
            "category_id": self.category.id,
            "expected": 1200.0,
            "low": 900.0,
            "high": None,
            **values,
        }

    def analysis(self, company=None, **values):
        """A whole scoring run with company-level results; the run."""
        run = self.claim(company)
        self.publish(run, [self.full(self.customer), self.full(self.customer2)])
        self.close(
            run,
            2,
            result={
                "portraits": [self.portrait()],
                "equity": self.equity(),
                "concentration": {"basis": "margin", "customers": self.scope(), "groups": None},
                "demand": {"horizon_days": 90, "rows": [self.expected()], "left_out": 0},
                **values,
            },
        )
        run = self.env["crm.value.run"].browse(run["id"])
        self.assertEqual(run.state, "done")
        return run

    def rows(self, run, model):
        return self.env[model].search([("run_id", "=", run.id)])

    def raw(self, run, model, *columns):
        """Values as they are kept, an empty number as None."""
        self.env.cr.execute(
            "SELECT {} FROM {} WHERE run_id = %s ORDER BY id".format(
                ", ".join(columns), self.env[model]._table
            ),
            [run.id],
        )
        return self.env.cr.fetchall()


@tagged("post_install", "-at_install")
class TestAnalysis(AnalysisCase):
    def test_portraits(self):
        run = self.analysis(
            portraits=[
                self.portrait(value_class=None, margin_rate=None, apart=[]),
                self.portrait(),
                self.portrait(format=None, value_class="standard", basket=0),
            ]
        )
        self.assertFalse(run.warnings)
        whole, key, none = self.rows(run, "crm.value.portrait")
        self.assertEqual((whole.format_id, whole.value_class, whole.customers), (self.wholesale, False, 9))
        self.assertEqual((whole.untold, none.untold), (["margin_rate"], []))
        self.assertEqual(
            key.apart_text, "Larger orders: $\N{NO-BREAK SPACE}812, in the format $\N{NO-BREAK SPACE}402"
        )
        self.assertEqual((key.currency_id, key.as_of), (self.alpha.currency_id, run.as_of))
        self.assertFalse(none.format_id)
        margins = self.raw(run, "crm.value.portrait", "margin_rate", "discount_share")
        self.assertEqual(margins[0], (None, 0), "unknown is not zero")

    def test_what_sets_apart_in_words(self):
        for code in APART:
            run = self.analysis(
                portraits=[self.portrait(apart=[{"code": code, "value": 0.5, "format_value": 0.25}])]
            )
            text = self.rows(run, "crm.value.portrait").apart_text
            self.assertRegex(text, r"^[A-Z].*\d.*\d", code)
            self.assertNotIn("%(", text)
        for odd in (
            {"code": "of_tomorrow", "value": 1, "format_value": 2},
            {"code": "broader", "value": None},
        ):
            run = self.analysis(portraits=[self.portrait(apart=[odd])])
            self.assertFalse(run.warnings)
            self.assertEqual(self.rows(run, "crm.value.portrait").apart_text, "")

    def test_equity_adds_up(self):
        run = self.analysis()
        rows = self.rows(run, "crm.value.equity")
        self.assertEqual(rows.mapped("step"), list(EQUITY_STEPS))
        amounts = dict(zip(rows.mapped("step"), rows.mapped("amount"), strict=True))
        self.assertEqual((amounts["decline"], amounts["lost"]), (-60, -45))
        closing = amounts.pop("closing")
        self.assertEqual(sum(amounts.values()), closing)
        self.assertEqual(rows[0].customers, 58)

    def test_steps_in_their_order(self):
        self.analysis()
        records = self.as_user("crm.value.equity", self.user, self.alpha)
        for order in (None, "step", "step asc"):
            groups = records.formatted_read_group([], ["step"], ["amount:sum"], order=order)
            self.assertEqual([group["step"] for group in groups], list(EQUITY_STEPS), order)
        groups = records.formatted_read_group([], ["as_of:day", "step"], ["amount:sum"])
        self.assertEqual([group["step"] for group in groups], list(EQUITY_STEPS))
        groups = records.formatted_read_group([], ["step"], ["amount:sum"], order="step desc")
        self.assertEqual([group["step"] for group in groups], list(reversed(EQUITY_STEPS)))
        groups = records.formatted_read_group([], ["step"], ["amount:sum"], order="amount:sum desc", limit=1)
        self.assertEqual(groups[0]["step"], "opening")

    def test_first_run_has_no_bridge(self):
        nothing = dict.fromkeys(("opening", "acquired", "won_back", "growth", "decline", "lost"))
        run = self.analysis(equity={**nothing, "closing": 890.5, "customers": {**nothing, "closing": 54}})
        self.assertFalse(run.warnings)
        row = self.rows(run, "crm.value.equity")
        self.assertEqual((row.step, row.amount, row.customers), ("closing", 890.5, 54))

    def test_concentration(self):
        run = self.analysis(
            concentration={
                "basis": "margin",
                "customers": self.scope(),
                "groups": self.scope(losses=[], gini=None),
            }
        )
        self.assertFalse(run.warnings)
        customers, groups = self.rows(run, "crm.value.concentration")
        self.assertEqual((customers.scope, customers.top_10, customers.carriers), ("customers", 0.6, 19))
        self.assertEqual((groups.scope, groups.gini), ("groups", 0))
        self.assertEqual(customers.lorenz, [[0, 0], [1, 1]])
        losses = self.rows(run, "crm.value.concentration.loss")
        self.assertEqual(losses.partner_id, self.customer | self.customer2)
        self.assertAlmostEqual(losses[0].share, 1.122)

    def test_nobody_has_a_value(self):
        nothing = dict.fromkeys(self.scope())
        run = self.analysis(
            concentration={"basis": "margin", "customers": {**nothing, "lorenz": [], "losses": []}}
        )
        self.assertFalse(run.warnings)
        self.assertFalse(self.rows(run, "crm.value.concentration"))

    def test_demand(self):
        run = self.analysis(
            demand={
                "horizon_days": 90,
                "rows": [self.expected(), self.expected(category_id=None, format=None, low=None)],
            }
        )
        self.assertFalse(run.warnings)
        known, rest = self.rows(run, "crm.value.demand")
        self.assertEqual(
            (known.category_id, known.format_id, known.expected), (self.category, self.wholesale, 1200)
        )
        self.assertEqual((known.untold, rest.untold), (["high"], ["low", "high"]))
        self.assertFalse(rest.category_id or rest.format_id)
        self.assertEqual(known.horizon_days, 90)

    def test_what_is_gone_is_passed_over(self):
        gone = self.env["product.category"].create({"name": "Gone"})
        partner = self.env["res.partner"].create({"name": "Gone"})
        ids = gone.id, partner.id
        gone.unlink()
        partner.unlink()
        run = self.analysis(
            portraits=[self.portrait(format=2**30), self.portrait()],
            demand={"horizon_days": 90, "rows": [self.expected(category_id=ids[0]), self.expected()]},
            concentration={"customers": self.scope(losses=[{"id": ids[1], "value": 1.0, "percent": 1.0}])},
        )
        self.assertFalse(run.warnings)
        self.assertEqual(len(self.rows(run, "crm.value.portrait")), 1)
        self.assertEqual(len(self.rows(run, "crm.value.demand")), 1)
        self.assertFalse(self.rows(run, "crm.value.concentration.loss"))

    def test_malformed_entries_are_left_out_and_named(self):
        good = dict(zip(MODELS, (1, 7, 1, 2, 1), strict=True))
        for values, named, left in (
            ({"portraits": [self.portrait(), self.portrait(customers="9")]}, "portraits[1].customers", {}),
            (
                {"portraits": [self.portrait(), self.portrait(value_class="A")]},
                "portraits[1].value_class",
                {},
            ),
            ({"portraits": [self.portrait(), 7]}, "portraits[1].entry", {}),
            ({"portraits": [self.portrait(basket=[]), self.portrait()]}, "portraits[0].basket", {}),
            ({"portraits": [self.portrait(apart=[3]), self.portrait()]}, "portraits[0].apart", {}),
            ({"portraits": [{}, self.portrait()]}, "portraits[0].'customers'", {}),
            ({"portraits": {}}, "portraits", {"portrait": 0}),
            ({"equity": []}, "equity", {"equity": 0}),
            ({"equity": self.equity(growth="much")}, "equity.growth", {"equity": 0}),
            ({"equity": {"opening": 1}}, "equity.'acquired'", {"equity": 0}),
            ({"equity": self.equity(customers=[1])}, "equity.customers", {"equity": 0}),
            ({"concentration": 7}, "concentration", {"concentration": 0, "concentration.loss": 0}),
            (
                {"concentration": {"customers": self.scope(top_1=1.5)}},
                "concentration.customers.top_1",
                {"concentration": 0, "concentration.loss": 0},
            ),
            (
                {"concentration": {"customers": self.scope(losses=[{"id": "7", "value": 1}])}},
                "concentration.customers.losses[0].id",
                {"concentration.loss": 0},
            ),
            (
                {"concentration": {"customers": self.scope(losses={})}},
                None,
                {"concentration.loss": 0},
            ),
            (
                {"concentration": {"customers": self.scope(losses=7)}},
                "concentration.customers.losses",
                {"concentration.loss": 0},
            ),
            ({"demand": {"rows": [self.expected()]}}, "demand.'horizon_days'", {"demand": 0}),
            ({"demand": {"horizon_days": 90, "rows": 7}}, "demand.rows", {"demand": 0}),
            (
                {"demand": {"horizon_days": 90, "rows": [self.expected(), self.expected(expected="1")]}},
                "demand.rows[1].expected",
                {},
            ),
        ):
            with self.subTest(values=str(values)[:80]):
                run = self.analysis(**values)
                found = {model: len(self.rows(run, model)) for model in MODELS}
                self.assertEqual(found, good | {f"crm.value.{name}": count for name, count in left.items()})
                if named:
                    self.assertIn(f": {named}.", run.warnings)
                else:
                    self.assertFalse(run.warnings)

    def test_no_result_of_whatever_shape_keeps_a_run_open(self):
        for result in (
            None,
            [],
            7,
            "x",
            {},
            {"portraits": None, "demand": None},
            {"portraits": [float("nan")]},
        ):
            with self.subTest(result=result):
                run = self.claim()
                self.publish(run, [self.full(self.customer)])
                self.close(run, 1, result=result)
                self.assertEqual(self.env["crm.value.run"].browse(run["id"]).state, "done")

    def test_agreement_of_value_types(self):
        for given, text in (
            ({"customers": 312, "adjusted_rand": 0.431}, "Groups of 312 customers that form by themselves"),
            (None, ""),
            (7, ""),
            ({"customers": "312", "adjusted_rand": 0.4}, ""),
            ({"customers": 312}, ""),
        ):
            run = self.analysis(value_type_agreement=given).with_user(self.user)
            self.assertTrue(run.type_agreement.startswith(text) if text else run.type_agreement == "", given)

    def test_latest(self):
        old, new, other = self.analysis(), self.analysis(), self.analysis(company=self.beta)
        for model in MODELS:
            rows = self.env[model].search(
                [("is_latest", "=", True), ("run_id", "in", (old | new | other).ids)]
            )
            self.assertEqual(rows.run_id, new | other)
            self.assertTrue(self.rows(old, model), "kept per run")
            self.assertEqual(self.rows(old, model).mapped("is_latest"), [False] * len(self.rows(old, model)))
            self.assertEqual(len(self.rows(new, model).filtered("is_latest")), len(self.rows(new, model)))

    def test_deleted_run_takes_its_rows_along(self):
        run = self.analysis()
        run.sudo().unlink()
        for model in MODELS:
            self.assertFalse(self.rows(run, model))

    def test_objecting_customer_is_erased(self):
        run = self.analysis()
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        self.assertEqual(self.rows(run, "crm.value.concentration.loss").partner_id, self.customer2)

    def test_who_objects_while_a_run_is_under_way_is_not_kept(self):
        for gone in (self.customer, self.customer3):
            self.env["crm.value.objection"].create({"partner_id": gone.id})
        named = (self.customer, self.customer3, self.customer2)
        losses = [{"id": each.id, "value": 1.0, "percent": 1.0} for each in named]
        run = self.analysis(concentration={"customers": self.scope(losses=losses)})
        self.assertEqual(self.rows(run, "crm.value.concentration.loss").partner_id, self.customer2)

    def test_only_customers_of_the_company_are_named(self):
        foreign = self.env["res.partner"].create({"name": "Of another", "company_id": self.beta.id})
        named = (foreign, self.contact, self.customer)
        losses = [{"id": each.id, "value": 1.0, "percent": 1.0} for each in named]
        run = self.analysis(concentration={"customers": self.scope(losses=losses)})
        self.assertEqual(self.rows(run, "crm.value.concentration.loss").partner_id, self.customer)

    def test_the_result_of_a_run_names_nobody(self):
        """What is kept there no objection erases."""
        run = self.analysis()
        self.assertTrue(self.rows(run, "crm.value.concentration.loss"))
        self.assertNotIn("losses", run.result["concentration"]["customers"])

    def test_merged_customer_takes_its_row_along(self):
        run = self.analysis()
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge([self.customer.id, self.customer3.id], self.customer3)
        self.assertIn(self.customer3, self.rows(run, "crm.value.concentration.loss").partner_id)
