import io
import re
from pathlib import Path

import polib

from odoo.modules import get_module_path
from odoo.tests import tagged
from odoo.tools.translate import trans_export

from .common import CustomerValueCase

LANGUAGES = ("de", "es", "fr", "zh_CN", "zh_TW")
PLACEHOLDERS = re.compile(r"%\([a-z_0-9]+\)[sd]|%[sd]|%%|</?[a-z]+")


@tagged("post_install", "-at_install")
class TestTranslations(CustomerValueCase):
    """After a change of any text: script/translate, then translate what it says is missing."""

    def catalogues(self):
        names = self.env["ir.module.module"].search([("name", "=like", r"crm\_value\_%")]).mapped("name")
        for name in names:
            folder = Path(get_module_path(name), "i18n")
            for language in LANGUAGES:
                yield name, language, polib.pofile(str(folder / f"{language}.po"))

    def test_every_term_is_there_and_translated(self):
        exported = {}
        for name, language, catalogue in self.catalogues():
            if self.env["ir.module.module"]._get(name).state != "installed":
                continue
            if name not in exported:
                buffer = io.BytesIO()
                trans_export(False, [name], buffer, "po", self.env)
                exported[name] = {entry.msgid for entry in polib.pofile(buffer.getvalue().decode())}
            translated = {entry.msgid for entry in catalogue if entry.msgstr}
            with self.subTest(addon=name, language=language):
                self.assertEqual(sorted(exported[name] - translated), [])

    def test_placeholders_and_tags_are_kept(self):
        for name, language, catalogue in self.catalogues():
            for entry in catalogue:
                with self.subTest(addon=name, language=language, term=entry.msgid):
                    self.assertEqual(
                        sorted(PLACEHOLDERS.findall(entry.msgstr)), sorted(PLACEHOLDERS.findall(entry.msgid))
                    )

    def test_labels_and_reasons_in_chinese(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.env["ir.module.module"]._load_module_terms(["crm_value_addon"], ["zh_CN"])
        reason = {
            "code": "late_against_rhythm",
            "direction": "up",
            "params": {"days_since": 54, "typical_gap": 2},
        }
        self.score([self.full(self.customer, value_class="key", reasons=[{**reason, "record_ids": []}])])
        partner = self.as_user("res.partner", self.user, self.alpha).browse(self.customer.id)
        names = dict(
            partner.with_context(lang="zh_CN")
            ._fields["value_class"]
            ._description_selection(partner.with_context(lang="zh_CN").env)
        )
        self.assertEqual(names["key"], "大客户（核心）")
        page = partner.with_context(lang="zh_CN").value_page
        self.assertRegex(page["why"]["reasons"][0]["text"], r"[\u4e00-\u9fff].*54|54.*[\u4e00-\u9fff]")
