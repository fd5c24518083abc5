from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..backtest import GRADES, read_grades
from ..backtest_texts import caution_texts, rule_text, story_text, verdict_text
from ..empty_labels import TOO_LITTLE_DATA, WHOLE_COMPANY
from ..labels import GROUP_USER


class CrmValueGrade(models.Model):
    """How good the churn forecast was for a company or one of its business formats, when a run looked back.

    Figures of an empty format are those of the whole company. What a figure means is told in
    docs/backtest.md.
    """

    _name = "crm.value.grade"
    _inherit = ["crm.value.finding"]
    _description = "Customer Value Forecast Quality"

    as_of = fields.Date(string="Judged on", help="The day the run looked back from.")
    # Not emptied when a format is deleted: the row would then speak of the whole company.
    format_id = fields.Many2one(
        "crm.value.format",
        string="Business Format",
        ondelete="cascade",
        falsy_value_label=WHOLE_COMPANY,
    )
    scope = fields.Char(string="Judged", compute="_compute_scope")
    is_latest = fields.Boolean(help="Of the company's last run that looked back.")

    grade = fields.Selection([(grade, grade) for grade in GRADES], falsy_value_label=TOO_LITTLE_DATA)
    missing = fields.Selection(
        [
            ("cutoffs", "History too short"),
            ("customers", "Too few customers"),
            ("outcomes", "Too few outcomes"),
        ],
        string="Why No Grade",
    )
    horizon_days = fields.Integer(
        string="Churn Horizon",
        aggregator=None,
        help="Days; 0 where the customers judged have those of several business formats.",
    )
    sample_customers = fields.Integer(
        string="Customers Looked At",
        aggregator=None,
        help="Where these were a sample: numbers of customers and amounts are theirs.",
    )
    sample_of = fields.Integer(
        string="Customers in All", aggregator=None, help="Of whom a sample was looked at; 0 where all were."
    )
    cutoff = fields.Date(string="Looked Back to", help="The latest cut-off, which the story tells about.")
    customers = fields.Integer(string="Active Customers", aggregator=None, help="Active at the cut-off.")
    churned = fields.Integer(
        string="Did Not Come Back", aggregator=None, help="Of the active, within the churn horizon."
    )
    listed = fields.Integer(
        string="Called at Risk", aggregator=None, help="How many would have been called most at risk."
    )
    found = fields.Integer(aggregator=None, help="Of those called at risk, who did not come back.")
    found_value = fields.Monetary(
        string="Value Found",
        aggregator=None,
        groups=GROUP_USER,
        help="What those found had spent in the current window before.",
    )
    rule_code = fields.Char(string="Best Simple Rule")
    rule_params = fields.Json(groups=GROUP_USER)
    rule_found = fields.Integer(
        string="Found by Best Rule", aggregator=None, help="The same for a list by the best simple rule."
    )
    rule_found_value = fields.Monetary(string="Value Found by Best Rule", aggregator=None, groups=GROUP_USER)
    chance_found = fields.Float(string="Found by Lot", aggregator=None)

    auc = fields.Float(
        string="AUC",
        aggregator="avg",
        help="How often one who left was ranked above one who stayed: 0.5 is chance, 1 perfect.",
    )
    auc_low = fields.Float(string="AUC, Lower End", aggregator=None, help="Of the 90 % interval.")
    auc_high = fields.Float(string="AUC, Upper End", aggregator=None, help="Of the 90 % interval.")
    rule_auc = fields.Float(string="AUC of Best Rule", aggregator="avg")
    gain = fields.Float(
        string="Gain over Best Rule", aggregator="avg", help="AUC of the forecast less that of the best rule."
    )
    gain_low = fields.Float(string="Gain, Lower End", aggregator=None, help="Of the 90 % interval.")
    gain_high = fields.Float(string="Gain, Upper End", aggregator=None, help="Of the 90 % interval.")
    brier = fields.Float(
        string="Brier Score", aggregator="avg", help="Mean squared error of the probabilities; 0 is perfect."
    )
    base_brier = fields.Float(
        string="Brier Score of the Churn Rate",
        aggregator="avg",
        help="Had everyone been given the churn rate.",
    )
    ece = fields.Float(
        string="Calibration Error",
        aggregator="avg",
        help="How far probabilities lay from what came, on average.",
    )
    value_log_bias = fields.Float(
        string="Value Bias (Log)", aggregator="avg", help="Logarithm of forecast over actual value."
    )
    coverage = fields.Float(
        string="Within Range",
        aggregator="avg",
        help="Share of customers whose value came out within the 80 % range.",
    )
    untold = fields.Json()
    calibration = fields.Json()
    lift = fields.Json(groups=GROUP_USER)
    deciles = fields.Json(groups=GROUP_USER)

    rule_text = fields.Char(compute="_compute_texts", groups=GROUP_USER)
    story = fields.Text(string="In Words", compute="_compute_texts", groups=GROUP_USER)
    verdict = fields.Text(string="What It Means", compute="_compute_texts")
    caution = fields.Text(compute="_compute_texts")
    withheld_count = fields.Integer(
        string="Withheld",
        compute="_compute_withheld_count",
        help="Customers whose churn probability and risk are withheld at present.",
    )

    _once = models.UniqueIndex("(run_id, COALESCE(format_id, 0))", "A run grades each format once.")
    _newest = models.Index("(company_id, id)")

    @api.depends("format_id")
    @api.depends_context("lang")
    def _compute_scope(self):
        for grade in self:
            grade.scope = grade.format_id.display_name or self.env._("Whole company")

    @api.depends("scope", "as_of")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for grade in self:
            grade.display_name = f"{grade.scope}, {fields.Date.to_string(grade.as_of) or ''}"

    @api.depends("grade", "missing", "cutoff")
    @api.depends_context("lang")
    def _compute_texts(self):
        for grade in self:
            grade.rule_text = rule_text(
                self.env, grade.rule_code, grade.rule_params, grade.currency_id, grade.horizon_days
            )
            grade.story = story_text(self.env, grade)
            grade.verdict = verdict_text(self.env, grade)
            grade.caution = "\n".join(caution_texts(self.env, grade))

    @api.depends("company_id", "format_id")
    def _compute_withheld_count(self):
        groups = self.env["crm.value.profile"]._read_group(
            [("company_id", "in", self.company_id.ids), ("churn_withheld", "=", True)],
            ["company_id", "format_id"],
            ["__count"],
        )
        for grade in self:
            grade.withheld_count = sum(
                count
                for company, business_format, count in groups
                if company == grade.company_id and (not grade.format_id or grade.format_id == business_format)
            )

    # ------------------------------------------------------------------ people

    def action_request(self):
        """Ask for a back-test of the current company now."""
        if not self.env.user.has_group("crm_value_addon.group_manager"):
            raise AccessError(self.env._("Only customer value managers can request a run."))
        return self.env["crm.value.run"].action_request_backtest()

    def action_open_withheld(self):
        """The customers whose probability and risk are withheld, of the company or format."""
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_value_addon.crm_value_profile_action")
        domain = [("company_id", "in", self.company_id.ids), ("churn_withheld", "=", True)]
        if self.format_id:
            domain.append(("format_id", "in", self.format_id.ids))
        return {**action, "domain": domain, "context": {}}

    # ------------------------------------------------------------------ engine

    @api.model
    def _record_grades(self, run, result):
        """Keep the grades in the result of a run that ends.

        What cannot be read is left out and never keeps a run from ending.

        :return: sentences for the warnings of the run
        """
        formats = (
            self.env["crm.value.format"]
            .sudo()
            .with_context(active_test=False)
            .search([("code", "!=", False)])
        )
        rows, faults = read_grades(result, set(formats.ids))
        self._insert(run, rows)
        run.invalidate_recordset(["grade_ids"])
        if not faults:
            return []
        return [
            self.env._(
                "Part of the back-test is left out, since it is not as documented: %s.", ", ".join(faults)
            )
        ]
