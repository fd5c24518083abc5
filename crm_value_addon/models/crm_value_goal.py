from datetime import date, timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools.date_utils import end_of
from odoo.tools.misc import format_date

from ..goal_figures import Scope, figure
from ..goal_metrics import METRICS, UNITS, forecast, meets, on_track
from ..goal_texts import (
    before_text,
    course_text,
    definition_text,
    figure_text,
    period_flaw_text,
    target_flaw_text,
)

# Of how many month-ends back the figures are told when a goal is set of which a part is over.
MONTHS_BACK = 12
# What a goal measures: with another of these it is another goal.
MEASURED = {"company_id", "metric", "format_id", "salesperson_id", "date_from"}


class CrmValueGoal(models.Model):
    """What somebody wants to reach by a day, and how far it is."""

    _name = "crm.value.goal"
    _inherit = ["crm.value.companywide", "crm.value.ordered"]
    _description = "Goal"
    _order = "date_to desc, metric, id"
    _ordered = ("metric",)

    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one(
        "res.users",
        string="Owner",
        required=True,
        default=lambda self: self.env.user,
        domain=[("share", "=", False)],
        ondelete="restrict",
        help="Who answers for it.",
    )
    metric = fields.Selection(
        [(code, metric.name) for code, metric in METRICS.items()],
        required=True,
        default="retention",
        help="What is measured; how is told below it.",
    )
    definition = fields.Char(string="How It Is Measured", compute="_compute_definition")
    unit = fields.Selection(UNITS, compute="_compute_definition")
    direction = fields.Selection(
        [("up", "At least"), ("down", "At most")],
        compute="_compute_definition",
        help="Whether more is better or less; the metric says so.",
    )
    format_id = fields.Many2one(
        "crm.value.format", string="Business Format", ondelete="cascade", help="Empty: all customers."
    )
    salesperson_id = fields.Many2one(
        "res.users",
        domain=[("share", "=", False)],
        ondelete="restrict",
        help="Of the customer, or of the lead or order that is measured. Empty: all.",
    )
    date_from = fields.Date(string="From", required=True, default=lambda self: self._first_day())
    date_to = fields.Date(string="Until", required=True, default=lambda self: self._last_day())
    target = fields.Float(required=True, aggregator=None)
    measure_ids = fields.One2many("crm.value.goal.measure", "goal_id", string="Measures", readonly=True)

    actual = fields.Float(
        compute="_compute_state",
        aggregator=None,
        help="By the last measure; nothing where the status is No data.",
    )
    forecast = fields.Float(
        compute="_compute_state",
        aggregator=None,
        help="On the last day: numbers by their pace so far, else by the straight line through three measures or more.",
    )
    measured_on = fields.Date(compute="_compute_state")
    progress = fields.Float(
        string="Share of the Target",
        compute="_compute_state",
        aggregator=None,
        help="Actual beside target, in percent. What it will be on the last day is told by forecast and status.",
    )
    state = fields.Selection(
        [
            ("upcoming", "Not begun"),
            ("no_data", "No data"),
            ("on_track", "On track"),
            ("behind", "Behind"),
            ("reached", "Reached"),
            ("missed", "Missed"),
        ],
        string="Status",
        compute="_compute_state",
        search="_search_state",
        help="Under way: by the forecast; before there is one, by the straight way from the start to the target.",
    )
    target_text = fields.Char(string="Target to See", compute="_compute_state")
    actual_text = fields.Char(string="Actual to See", compute="_compute_state")
    forecast_text = fields.Char(string="Forecast to See", compute="_compute_state")
    course = fields.Json(compute="_compute_state", help="Actual beside target, day by day.")
    attainable = fields.Char(
        string="Before",
        compute="_compute_attainable",
        help="How it went in a period of the same length before: a target far from it is hardly attainable.",
    )

    @api.model
    def _first_day(self):
        return self.env.company.root_id._crm_value_today().replace(day=1)

    @api.model
    def _last_day(self):
        return end_of(self._first_day() + timedelta(days=70), "month")

    @api.depends("metric", "format_id", "salesperson_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        names = dict(self._fields["metric"]._description_selection(self.env))
        for goal in self:
            parts = [names.get(goal.metric), goal.format_id.name, goal.salesperson_id.name]
            goal.display_name = ", ".join(filter(None, parts))

    @api.depends("metric")
    @api.depends_context("lang")
    def _compute_definition(self):
        for goal in self:
            metric = METRICS.get(goal.metric)
            goal.definition = definition_text(self.env, goal.metric)
            goal.unit = metric and metric.unit
            goal.direction = metric and ("up" if metric.higher else "down")

    @api.onchange("metric")
    def _onchange_metric(self):
        """Let go of a target that only another metric can have: 90 % are no 0.9 opportunities."""
        if self.metric and target_flaw_text(self.env, self.metric, self.target):
            self.target = 0.0

    # ----------------------------------------------------------------------- state

    @api.depends(
        "company_id", "metric", "target", "date_from", "date_to", "measure_ids.actual", "measure_ids.date"
    )
    @api.depends_context("lang")
    def _compute_state(self):
        measures = self.env["crm.value.goal.measure"]._of_goals(self._origin)
        for goal in self:
            # In a form that is being changed, those of another metric or period are none of the goal.
            same = goal.metric == goal._origin.metric and goal.date_from and goal.date_to
            goal._tell(
                [
                    (day, actual)
                    for day, actual in measures.get(goal._origin.id, ())
                    if same and goal.date_from <= day <= goal.date_to
                ]
            )

    def _tell(self, measures):
        """All that follows from the measures of one goal, ``[(day, actual)]``."""
        self.state = self._state_of(measures)
        running = self.state in ("on_track", "behind")
        expected = forecast(self.metric, measures, self.date_from, self.date_to) if running else None
        day, actual = measures[-1] if measures else (None, None)
        self.measured_on, self.actual, self.forecast = day, actual or 0.0, expected or 0.0
        self.progress = 0.0 if actual is None else 100 * self._nearness(actual)
        for name, value in (("target", self.target), ("actual", actual), ("forecast", expected)):
            self[f"{name}_text"] = figure_text(self.env, self.metric, value, self.currency_id)
        self.course = self._course_of(measures, expected) if measures else False

    def _state_of(self, measures):
        today = self.company_id._crm_value_today() if self.company_id else fields.Date.today()
        if self.date_from and self.date_from > today:
            return "upcoming"
        if not measures:
            return "no_data"
        if self.date_to < today:
            return "reached" if meets(self.metric, measures[-1][1], self.target) else "missed"
        ahead = on_track(self.metric, measures, self.target, self.date_from, self.date_to)
        return "on_track" if ahead else "behind"

    def _nearness(self, actual):
        """Actual beside target, from 0 to 1."""
        part, whole = (actual, self.target) if METRICS[self.metric].higher else (self.target, actual)
        return min(max(part / whole, 0.0), 1.0) if whole > 0 else 1.0

    def _course_of(self, measures, expected):
        """What is drawn: days since the first one, figures, and a row of texts for each."""
        points = [
            {
                "x": (day - self.date_from).days,
                "y": actual,
                "day": format_date(self.env, day),
                "text": figure_text(self.env, self.metric, actual, self.currency_id),
            }
            for day, actual in measures
        ]
        return {
            "text": course_text(self.env, self),
            "unit": METRICS[self.metric].unit,
            "points": points,
            "days": (self.date_to - self.date_from).days,
            "first": fields.Date.to_string(self.date_from),
            "target": self.target,
            "target_text": self.target_text,
            "forecast": expected,
            "forecast_text": self.forecast_text,
        }

    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        # There are few goals: what a state is made of is told by the goals themselves.
        goals = self.search([("company_id", "in", self.env.companies.root_id.ids)])
        return [("id", "in", goals.filtered(lambda goal: goal.state in value).ids)]

    @api.depends("company_id", "metric", "format_id", "salesperson_id", "date_from", "date_to")
    @api.depends_context("lang")
    def _compute_attainable(self):
        for goal in self:
            goal.attainable = goal._attainable_text() if goal._is_asked_rightly() else False

    def _is_asked_rightly(self):
        """Whether a form holds all that a figure needs, of a company that is the reader's."""
        whole = self.metric and self.date_from and self.date_to and self.company_id
        return bool(
            whole
            and not period_flaw_text(self.env, self.date_from, self.date_to)
            and (self.env.su or self.company_id._origin <= self.env.user.sudo().company_ids.root_id)
        )

    def _attainable_text(self):
        today = self.company_id._crm_value_today()
        last = min(self.date_from - timedelta(days=1), today)
        first = last - (self.date_to - self.date_from)
        if not METRICS[self.metric].past and last < today:
            return before_text(self.env, "", first, last)
        actual = self._figure(first, last)
        return before_text(
            self.env, figure_text(self.env, self.metric, actual, self.currency_id), first, last
        )

    # --------------------------------------------------------------------- checks

    @api.constrains("metric", "target", "date_from", "date_to")
    def _check_bounds(self):
        for goal in self:
            flaw = period_flaw_text(self.env, goal.date_from, goal.date_to) or target_flaw_text(
                self.env, goal.metric, goal.target
            )
            if flaw:
                raise ValidationError(flaw)

    def _check_not_reached(self):
        """Refuse what is reached before anything is done.

        No constraint: those are checked before the rights of who asks, who would be told a figure all the same.
        """
        for goal in self.filtered(lambda goal: METRICS[goal.metric].level):
            begun = goal._at_start()
            if begun is not None and meets(goal.metric, begun, goal.target):
                raise ValidationError(
                    self.env._(
                        "This is reached already: it is %(figure)s before anything is done. A goal asks for more"
                        " than that.",
                        figure=figure_text(self.env, goal.metric, begun, goal.currency_id),
                    )
                )

    def _at_start(self):
        """What the metric is when the goal begins; None where that is not known."""
        today = self.company_id._crm_value_today()
        if METRICS[self.metric].past:
            return self._figure(self.date_from, min(self.date_from - timedelta(days=1), today))
        measures = self.env["crm.value.goal.measure"]._of_goals(self)[self.id]
        return measures[0][1] if measures else self._figure(self.date_from, today)

    # ------------------------------------------------------------------- measuring

    @api.model_create_multi
    def create(self, vals_list):
        goals = super().create(vals_list)
        goals._check_not_reached()
        goals._measure_anew()
        return goals

    def write(self, vals):
        another = bool(MEASURED & set(vals))
        if another:
            self.check_access("write")
            self._forget_measures([])
        result = super().write(vals)
        if another or "target" in vals:
            self._check_not_reached()
        if another:
            self._measure_anew()
        elif "date_to" in vals:
            for goal in self:
                goal._forget_measures(["|", ("date", ">", goal.date_to), ("is_final", "=", True)])
                goal._measure(goal.company_id._crm_value_today())
        return result

    def _forget_measures(self, domain):
        measures = self.env["crm.value.goal.measure"]
        measures.sudo().search([("goal_id", "in", self.ids), *domain])._with_pen().unlink()

    def _figure(self, first, day):
        scope = Scope(self.company_id._origin, self.format_id._origin, self.salesperson_id._origin)
        return figure(self.env, self.metric, scope, first, day)

    def _measure_anew(self):
        """Measure goals for the first time: as of the month-ends that are over, and today."""
        for goal in self:
            today = goal.company_id._crm_value_today()
            if METRICS[goal.metric].past:
                for day in _month_ends(goal.date_from, min(today, goal.date_to))[-MONTHS_BACK:]:
                    goal._keep(day, goal._figure(goal.date_from, day))
            goal._measure(today)

    def _measure(self, today):
        """Keep what a goal's metric is today, or was on its last day."""
        self.ensure_one()
        over = self.date_to < today
        if self.date_from > today or (over and not METRICS[self.metric].past):
            return
        day = min(today, self.date_to)
        self._keep(day, self._figure(self.date_from, day), is_final=over)

    def _keep(self, day: date, actual, is_final=False):
        if actual is not None:
            self.env["crm.value.goal.measure"]._keep(self, day, actual, is_final)

    @api.model
    def _measure_all(self, company, day):
        """Measure the goals of a root company whose scores are those of a day; what is over for good stays."""
        goals = self.sudo().search([("company_id", "=", company.id), ("date_from", "<=", day)])
        final = (
            self.env["crm.value.goal.measure"]
            .sudo()
            .search([("goal_id", "in", goals.ids), ("is_final", "=", True)])
        )
        for goal in goals - final.goal_id:
            goal._measure(day)


def _month_ends(first, last):
    """The ends of months from a day on and before another."""
    days, day = [], end_of(first, "month")
    while day < last:
        days.append(day)
        day = end_of(day + timedelta(days=1), "month")
    return days
