import hashlib
import json

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date

from ..formatting import amount_text, number_text
from ..labels import LABELS
from ..policy_schema import POLICY_SCHEMA
from ..policy_texts import policy_label, policy_meaning, policy_unit
from ..result_values import LARGEST_AMOUNT, LARGEST_COUNT, read_number


class CrmValuePolicyVersion(models.Model):
    """What a draft would change, before it does; and what one version has changed against another."""

    _inherit = "crm.value.policy.version"

    preview = fields.Json(compute="_compute_preview", help="What the last preview of this draft found.")
    compared_with_id = fields.Many2one(
        "crm.value.policy.version",
        string="Compared with",
        compute="_compute_compared_with_id",
        readonly=False,
        store=False,
        domain="[('company_id', '=', company_id), ('id', '!=', id)]",
    )
    differences = fields.Json(
        compute="_compute_differences", help="Rules that differ from the other version."
    )

    all_rules = fields.Json(
        compute="_compute_all_rules", help="Every rule there is, with its value by this version."
    )

    # ----------------------------------------------------------------- preview

    def action_preview(self):
        """Ask the worker what this draft would change; the figures are shown as soon as they are there."""
        self.ensure_one()
        self.check_access("write")
        if self.state != "draft":
            raise UserError(self.env._("Only a draft can be previewed; the others were or are in force."))
        self._check_rules_fit()
        done = [("company_id", "=", self.company_id.id), ("kind", "=", "score"), ("state", "=", "done")]
        if not self.env["crm.value.run"].sudo().search_count(done, limit=1):
            raise UserError(
                self.env._("Score the customers first: a preview shows what would become of them.")
            )
        self.env["crm.value.run"].sudo()._request(self.company_id, "preview", self)
        self.invalidate_recordset(["preview"])
        return True

    @api.depends("rule_ids", "rule_ids.key", "rule_ids.value", "rule_ids.format_id")
    @api.depends_context("lang")
    def _compute_preview(self):
        runs = self.env["crm.value.run"].sudo()
        for version in self:
            run = runs.search(
                [("kind", "=", "preview"), ("policy_version_id", "in", version.ids)], order="id desc", limit=1
            )
            version.preview = version._preview_of(run) if run else False

    def _preview_of(self, run):
        result = run.result if isinstance(run.result, dict) else {}
        found = result.get("preview")
        found = found if run.state == "done" and isinstance(found, dict) else {}
        return {
            "run": run.id,
            "state": run.state,
            "progress": run.progress,
            "message": run.message_told or "",
            "error": run.error_told or "",
            "stale": run.state == "done" and (run.parameters or {}).get("rules") != self._digest(),
            "as_of": self._day_text(found.get("as_of")),
            "customers": self._count_text(found.get("customers")),
            "changed": self._count_text(found.get("changed")),
            "labels": [
                {"label": label, "name": name, "moves": moves}
                for label, name in self.env["crm.value.override"]
                ._fields["label"]
                ._description_selection(self.env)
                if (moves := self._moves(label, found))
            ],
        }

    def _day_text(self, day):
        try:
            return format_date(self.env, day) if day else ""
        except (TypeError, ValueError):
            return ""

    def _count_text(self, count):
        return number_text(self.env, count) if isinstance(count, int) else ""

    def _moves(self, label, found):
        """The moves of a label as people read them, the one of most money first."""
        labels = found.get("labels")
        moves = labels.get(label) if isinstance(labels, dict) else None
        names = dict(self.env["crm.value.preview"]._fields[label]._description_selection(self.env))
        read = []
        for move in moves if isinstance(moves, list) else []:
            try:
                customers = read_number(move["customers"], "customers", 0, LARGEST_COUNT)
                value = read_number(move["value"], "value", -LARGEST_AMOUNT, LARGEST_AMOUNT) or 0.0
                codes = move["before"], move["after"]
            except (KeyError, TypeError, ValueError):
                continue  # not as documented: told by nobody
            if customers and codes[0] != codes[1] and all(code is None or code in names for code in codes):
                read.append((codes, int(customers), value))
        return [
            {
                "before": before,
                "after": after,
                "before_name": names.get(before, self.env._("None")),
                "after_name": names.get(after, self.env._("None")),
                "customers": number_text(self.env, customers),
                "value": amount_text(self.env, value, self.company_id.currency_id),
            }
            for (before, after), customers, value in sorted(read, key=lambda move: (-move[2], -move[1]))
        ]

    def action_open_preview(self, label=None, before=None, after=None):
        """The customers whose labels the draft changes: all of them, those of a label, or those of one move."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_value_addon.crm_value_preview_action")
        domain = [("version_id", "=", self.id)]
        rows, columns = ["user_id", "format_id"], []
        if label in LABELS:
            domain.append((f"{label}_changed", "=", True))
            rows, columns = [f"before_{label}"], [label]
            field = self.env["crm.value.preview"]._fields[label]
            names = dict(field._description_selection(self.env))
            title = self.env._("%s: from now (rows) to the draft (columns)", self._label_name(label))
            if before or after:
                title = self.env._(
                    "%(label)s: %(before)s to %(after)s",
                    label=self._label_name(label),
                    before=names.get(before, self.env._("None")),
                    after=names.get(after, self.env._("None")),
                )
                domain += [(f"before_{label}", "=", before or False), (label, "=", after or False)]
                action["views"] = sorted(action["views"], key=lambda view: view[1] != "list")
        action["context"] = {
            "pivot_row_groupby": rows,
            "pivot_column_groupby": columns,
            "pivot_measures": ["__count", "value"],
        }
        if label in LABELS:
            action["context"]["preview_label"] = label
            action.update(name=title, display_name=title)
        return {**action, "domain": domain}

    def _label_name(self, label):
        field = self.env["crm.value.override"]._fields["label"]
        return dict(field._description_selection(self.env))[label]

    # ----------------------------------------------------------------- compare

    @api.depends("company_id", "state")
    def _compute_compared_with_id(self):
        """What holds now, or held before: other drafts were never in force."""
        for version in self:
            others = [("company_id", "=", version.company_id.id), ("id", "not in", version.ids)]
            if version.state == "draft":
                others.append(("state", "=", "active"))
            else:
                at = version.activated_at
                others += [("state", "!=", "draft"), "|", ("activated_at", "<", at)]
                others += ["&", ("activated_at", "=", at), ("number", "<", version.number)]
            version.compared_with_id = self.search(others, order="activated_at desc, number desc", limit=1)

    @api.depends("compared_with_id", "rule_ids", "rule_ids.key", "rule_ids.value", "rule_ids.format_id")
    @api.depends_context("lang")
    def _compute_differences(self):
        for version in self:
            version.differences = version._differences(version.compared_with_id)

    def _differences(self, other):
        """What is in force by this version and not by the other, a row per rule and business format."""
        owners = [self.env["crm.value.format"], *(self.rule_ids | other.rule_ids).format_id]
        rows = []
        for owner in owners:
            ours, theirs = self._values(owner), other._values(owner)
            of_company = (self._values(owners[0]), other._values(owners[0]))
            for key in POLICY_SCHEMA:
                # What a format takes over from the company is told there already.
                taken_over = owner and (ours[key], theirs[key]) == (of_company[0][key], of_company[1][key])
                if ours[key] != theirs[key] and not taken_over:
                    rows.append(
                        {
                            "key": key,
                            "name": policy_label(self.env, key),
                            "format": owner.display_name if owner else "",
                            "before": f"{theirs[key]:g}",
                            "after": f"{ours[key]:g}",
                            "unit": policy_unit(self.env, key),
                        }
                    )
        return rows

    @api.depends("rule_ids", "rule_ids.key", "rule_ids.value", "rule_ids.format_id")
    @api.depends_context("lang")
    def _compute_all_rules(self):
        for version in self:
            given = {(rule.key, rule.format_id): rule.value or "" for rule in version.rule_ids}
            everywhere = self.env["crm.value.format"]
            version.all_rules = [
                {
                    "key": key,
                    "name": policy_label(self.env, key),
                    "value": given.get((key, everywhere), f"{spec['default']:g}"),
                    "given": (key, everywhere) in given,
                    "own": [
                        {"format": owner.display_name, "value": value}
                        for (rule, owner), value in given.items()
                        if rule == key and owner
                    ],
                    "unit": policy_unit(self.env, key),
                    "default": f"{spec['default']:g}",
                    "bounds": f"{spec['minimum']:g} - {spec['maximum']:g}",
                    "meaning": policy_meaning(self.env, key),
                }
                for key, spec in POLICY_SCHEMA.items()
            ]

    def action_draft(self):
        """Change what is in force: a draft with the same rules, to edit, preview and activate."""
        return self._open_copy()

    def action_restore(self):
        """Go back to what was in force once: a draft with the same rules, to preview and activate."""
        self.ensure_one()
        return self._open_copy(note=self.env._("As version %s again", self.number))

    def _open_copy(self, **values):
        self.ensure_one()
        self.check_access("create")
        draft = self.copy(values)
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": draft.id,
            "views": [(False, "form")],
        }

    def _digest(self):
        """What the rules are, in short: it changes when one of them does."""
        rules = sorted((rule.key, rule.format_id.id or 0, rule._typed_value()) for rule in self.rule_ids)
        return hashlib.sha256(json.dumps(rules).encode()).hexdigest()[:16]
