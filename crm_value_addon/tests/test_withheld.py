from datetime import timedelta

from lxml import etree

from odoo import fields
from odoo.tests import Form, tagged
from odoo.tools.safe_eval import safe_eval

from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestWithheld(CustomerValueCase):
    """Where the forecast has no skill, value and stages are shown; probability and risk are not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.wholesale = cls.env.ref("crm_value_addon.crm_value_format_wholesale")
        case = cls("setUp")
        case.env = cls.env
        case.score(
            [
                case.withheld(cls.customer, format_id=cls.wholesale.id),
                case.full(cls.customer2, churn_risk="high", churn_probability=0.9),
            ]
        )

    def withheld(self, partner, **values):
        return self.full(
            partner, **{"churn_withheld": "t", "churn_risk": None, "churn_probability": None, **values}
        )

    def partner(self, partner, user=None):
        return self.as_user("res.partner", user or self.viewer, self.alpha).browse(partner.id)

    def test_fields(self):
        partner = self.partner(self.contact)
        self.assertTrue(partner.churn_withheld)
        self.assertFalse(partner.churn_risk)
        self.assertEqual((partner.value_class, partner.lifecycle_stage), ("standard", "retention"))
        other = self.partner(self.customer2)
        self.assertEqual((other.churn_withheld, other.churn_risk), (False, "high"))
        self.assertFalse(self.partner(self.unscored).churn_withheld)

    def test_filter_and_group(self):
        partners = self.as_user("res.partner", self.viewer, self.alpha)
        mine = [("id", "in", self.partners.ids)]
        self.assertEqual(partners.search([*mine, ("churn_withheld", "=", True)]).ids, self.customer.ids)
        self.assertEqual(
            partners.search([*mine, ("churn_withheld", "=", False)]).ids,
            (self.customer2 | self.customer3 | self.unscored).ids,
        )
        groups = partners.formatted_read_group(mine, ["churn_withheld"], ["__count", "churn_probability:avg"])
        self.assertEqual(
            [(g["churn_withheld"], g["__count"]) for g in groups],
            [(False, 3), (True, 1)],
        )
        self.assertEqual(groups[0]["churn_probability:avg"], 0.9)
        self.assertIs(groups[1]["churn_probability:avg"], False, "no probability of zero")

    def test_published_again_it_is_shown(self):
        self.score([self.full(self.customer, churn_risk="low"), self.full(self.customer2)])
        partner = self.partner(self.customer)
        self.assertEqual((partner.churn_withheld, partner.churn_risk), (False, "low"))

    def test_worker_that_knows_nothing_of_it(self):
        rows = [self.full(self.customer), self.full(self.customer2)]
        for row in rows:
            del row["churn_withheld"]
        self.score(rows)
        partner = self.partner(self.customer)
        self.assertEqual((partner.churn_withheld, partner.churn_risk), (False, "low"))

    def test_withheld_figures_do_not_arrive(self):
        """A list, a filter or an export would show them all the same."""
        for values in ({"churn_risk": "high"}, {"churn_probability": 0.5}):
            run = self.claim()
            answer = self.publish(
                run, [self.withheld(self.customer3, **values), self.withheld(self.customer)]
            )
            self.assertEqual((answer["ok"], answer["out_of_range"]), (1, 1))
            self.close(run, 2)
            self.assertFalse(self.profile(self.customer3))

    def shown(self, user, partner):
        """Names of the fields and words in the box of the partner form, for this customer."""
        record = self.partner(partner, user)
        arch = etree.fromstring(record.get_view(view_type="form")["arch"])
        (box,) = arch.xpath("//div[@name='crm_value']")
        context = {
            "churn_withheld": record.churn_withheld,
            "churn_risk": record.churn_risk,
            "value_segment": record.value_segment,
        }
        seen = set()
        for node in box.iter("field", "button", "span"):
            hidden = [
                step.get("invisible")
                for step in (node, *node.iterancestors())
                if step.get("invisible") and "churn" in step.get("invisible")
            ]
            if node.get("invisible") != "1" and not any(safe_eval(each, dict(context)) for each in hidden):
                seen.add(
                    node.get("name")
                    if node.tag == "field"
                    else node.get("string") or (node.text or "").strip()
                )
        return seen

    def test_partner_form(self):
        for user in (self.viewer, self.user, self.manager):
            with self.subTest(user=user.login):
                withheld, shown = self.shown(user, self.customer), self.shown(user, self.customer2)
                self.assertIn("Not reliable here", withheld)
                self.assertFalse({"churn_risk", "churn_probability"} & withheld)
                self.assertLessEqual({"value_class", "loyalty_stage", "lifecycle_stage"}, withheld)
                self.assertNotIn("Not reliable here", shown)
                self.assertLessEqual({"churn_risk", "churn_probability"}, shown)

    def test_own_view_of_a_person_is_shown(self):
        self.env["crm.value.override"].create(
            {
                "partner_id": self.customer.id,
                "label": "churn_risk",
                "value": "high",
                "reason": "they told us",
                "date_until": fields.Date.today() + timedelta(days=30),
            }
        )
        seen = self.shown(self.viewer, self.customer)
        self.assertEqual(self.partner(self.customer).churn_risk, "high")
        self.assertIn("churn_risk", seen)
        self.assertFalse({"churn_probability", "Not reliable here"} & seen)

    def test_link_to_the_grade_is_for_those_who_may_read_it(self):
        for user, links in ((self.viewer, 0), (self.user, 1)):
            for model in ("res.partner", "crm.value.profile"):
                view = self.as_user(model, user, self.alpha).get_view(
                    self.env.ref("base.view_partner_form").id if model == "res.partner" else False, "form"
                )
                action = self.env.ref("crm_value_addon.crm_value_grade_action").id
                arch = etree.fromstring(view["arch"])
                self.assertEqual(len(arch.xpath(f"//button[@name='{action}']")), links, (user.login, model))

    def test_how_many_are_withheld(self):
        run = self.backtest(
            self.grade(),
            self.grade(self.wholesale, grade="D"),
            self.grade(self.env.ref("crm_value_addon.crm_value_format_other")),
        )
        grades = run.grade_ids.with_user(self.user)
        self.assertEqual(grades.mapped("withheld_count"), [1, 1, 0])
        self.score([self.withheld(self.customer)], self.beta)
        grades.invalidate_recordset()
        self.assertEqual(
            grades.mapped("withheld_count"), [1, 1, 0], "another company's customers do not count"
        )
        for grade, expected in zip(grades, (1, 1, 0), strict=True):
            action = grade.action_open_withheld()
            found = self.as_user("crm.value.profile", self.user, self.alpha, self.beta).search(
                action["domain"]
            )
            self.assertEqual(len(found), expected)

    def test_forms_open(self):
        grade = self.backtest(self.grade(grade="D")).grade_ids
        for record in (grade, grade.run_id, self.profile(self.customer)):
            view = Form(record.with_user(self.manager))
            self.assertEqual(view.record, record)
