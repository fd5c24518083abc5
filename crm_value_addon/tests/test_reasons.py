from markupsafe import Markup

from odoo.tests import tagged

from ..reasons import REASON_SCHEMA, reason_text, render_reasons
from .common import CustomerValueCase


@tagged("post_install", "-at_install")
class TestReasons(CustomerValueCase):
    def test_every_code_reads_as_a_sentence_with_its_figures(self):
        for code, spec in REASON_SCHEMA.items():
            params = {name: 9000 + number for number, name in enumerate(spec["params"])}
            with self.subTest(code=code):
                text = reason_text(self.env, code, params)
                self.assertNotRegex(text, r"%\(|%%")
                for value in params.values():
                    self.assertIn(str(value), text)
                html = render_reasons(
                    self.env, [{"code": code, "direction": spec["direction"], "params": params}]
                )
                self.assertEqual(html.count("<li>"), 1)

    def test_what_cannot_be_rendered_is_left_out(self):
        good = {"code": "long_silence", "direction": "up", "params": {"days_since": 40}}
        for bad in (
            {"code": "of_tomorrow", "params": {}},
            {"code": None},
            {"code": ["long_silence"], "params": {"days_since": 1}},
            {"code": "long_silence"},
            {"code": "long_silence", "params": None},
            {"code": "long_silence", "params": {"days": 40}},
            {"code": "long_silence", "params": ["days_since"]},
            {},
        ):
            with self.subTest(bad=bad):
                self.assertEqual(render_reasons(self.env, [bad, good]).count("<li>"), 1)
                self.assertFalse(render_reasons(self.env, [bad]))
        for nothing in (None, False, []):
            self.assertFalse(render_reasons(self.env, nothing))

    def test_figures_cannot_carry_markup(self):
        reason = {"code": "long_silence", "direction": '"><script>', "params": {"days_since": "<b>40</b>"}}
        html = render_reasons(self.env, [reason])
        self.assertIsInstance(html, Markup)
        self.assertNotIn("<script>", html)
        self.assertNotIn("<b>", html)

    def test_viewers_read_reasons_on_partner_and_profile(self):
        reason = {"code": "long_silence", "direction": "up", "params": {"days_since": 40}}
        self.score([self.full(self.customer, reasons=[reason])])
        contact = self.contact.with_user(self.viewer).with_context(allowed_company_ids=self.alpha.ids)
        self.assertIn("Silent for 40 days", contact.value_reasons)
        self.assertIn("Silent for 40 days", self.profile(self.customer).with_user(self.viewer).reasons_html)
        self.assertFalse(self.customer.with_company(self.beta).value_reasons)
        self.assertFalse(self.unscored.value_reasons)

    def test_margins_are_for_those_who_see_amounts(self):
        reason = {"code": "poor_net_value", "direction": "value", "params": {"percent": 3}}
        self.score([self.full(self.customer, reasons=[reason])])
        for user, shown in ((self.viewer, False), (self.user, True)):
            contact = self.contact.with_user(user).with_context(allowed_company_ids=self.alpha.ids)
            profile = self.profile(self.customer).with_user(user)
            self.assertEqual("margin" in (contact.value_reasons or ""), shown)
            self.assertEqual("margin" in (profile.reasons_html or ""), shown)
