from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..winback_choice import choose, left_alone, worthwhile
from ..winback_effect import effect
from ..winback_queries import chance_of, read_base_rates, read_candidates
from ..winback_texts import chance_text, result_text

KINDS = {"lost": "takes_lost", "dormant": "takes_dormant", "at_risk": "takes_at_risk"}
TERMS = ("margin_rate", "lift", "saved", "contact_cost", "offer_cost", "budget", "control_share")
# By what customers are chosen and the plan is judged.
FIXED = frozenset((*KINDS.values(), *TERMS, "window_days", "assumed_chance", "company_id"))
# What a plan became of itself.
AUTOMATIC = frozenset(("state", "started_at", "base", "result"))


class CrmValueWinback(models.Model):
    """A plan to win back customers that left, and to keep those about to leave.

    It proposes whom to contact, by what that may bring against what it costs, and never more than the budget. A part of
    those worth it is left alone, chosen by lot: beside them the plan shows what it achieved.
    """

    _name = "crm.value.winback"
    _inherit = ["crm.value.companywide"]
    _description = "Win-back Plan"
    _order = "id desc"

    name = fields.Char(required=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one("res.users", string="Responsible", default=lambda self: self.env.user)
    state = fields.Selection(
        [("draft", "Draft"), ("running", "Running"), ("done", "Over")],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
    )
    takes_lost = fields.Boolean(string="Lost Customers", default=True)
    takes_dormant = fields.Boolean(string="Dormant Customers", default=True)
    takes_at_risk = fields.Boolean(string="Customers at High Risk", default=True)
    budget = fields.Monetary(
        help="What may be spent, by expectation. Less is spent where more would not pay."
    )
    contact_cost = fields.Monetary(
        string="Cost of a Contact", default=10.0, help="What a call, letter or visit costs."
    )
    offer_cost = fields.Monetary(
        string="Cost of the Offer", help="What is given to a customer that orders: a discount, a gift."
    )
    window_days = fields.Integer(
        string="Days to Judge", default=90, help="What is ordered within so many days from the start counts."
    )
    control_share = fields.Float(
        string="Left Alone",
        default=0.2,
        help="Part of those worth it that is not contacted, chosen by lot, to see what acting does.",
    )
    margin_rate = fields.Float(
        string="Margin of Sales", default=0.3, help="What stays with us of what they order."
    )
    assumed_chance = fields.Float(
        string="Assumed to Come Back",
        default=0.05,
        help="Share of those gone that come back by themselves, where our own past tells little.",
    )
    lift = fields.Float(
        string="More Come Back by",
        default=0.5,
        help="How much more often who is contacted comes back than who is not: 50 % makes 10 of 100 into 15.",
    )
    saved = fields.Float(
        string="Kept of Who Would Leave",
        default=0.1,
        help="Part of those about to leave that stays if contacted.",
    )
    started_at = fields.Datetime(readonly=True, copy=False)
    line_ids = fields.One2many("crm.value.winback.line", "plan_id", string="Customers", readonly=True)
    base = fields.Json(readonly=True, copy=False)
    chance_basis = fields.Char(compute="_compute_told", string="Where Chances Are From")
    act_count = fields.Integer(compute="_compute_totals", string="To Contact")
    control_count = fields.Integer(compute="_compute_totals", string="To Leave Alone")
    expected_cost = fields.Monetary(compute="_compute_totals")
    expected_return = fields.Monetary(compute="_compute_totals")
    ordered_count = fields.Integer(compute="_compute_totals", string="Ordered")
    result = fields.Json(readonly=True, copy=False)
    result_text = fields.Text(compute="_compute_told", string="What It Achieved")

    _budget_positive = models.Constraint("CHECK(budget >= 0)", "A budget is not negative.")
    _costs_positive = models.Constraint(
        "CHECK(contact_cost >= 0 AND offer_cost >= 0)", "Costs are not negative."
    )
    _window_days_positive = models.Constraint("CHECK(window_days > 0)", "Judge after at least one day.")
    _shares = models.Constraint(
        "CHECK(control_share BETWEEN 0 AND 0.5 AND margin_rate BETWEEN 0 AND 1"
        " AND assumed_chance BETWEEN 0 AND 1 AND saved BETWEEN 0 AND 1 AND lift >= 0)",
        "Shares lie between 0 and 100 %; at most half of the customers is left alone.",
    )
    _started = models.Constraint(
        "CHECK(state = 'draft' OR started_at IS NOT NULL)", "A plan that has begun says when."
    )

    @api.depends("line_ids.cost", "line_ids.expected_return", "line_ids.arm", "line_ids.ordered_on")
    def _compute_totals(self):
        rows = self.env["crm.value.winback.line"]._read_group(
            [("plan_id", "in", self.ids)],
            ["plan_id", "arm"],
            ["__count", "cost:sum", "expected_return:sum", "ordered_on:count"],
        )
        told = {(plan, arm): figures for plan, arm, *figures in rows}
        for plan in self:
            acted = told.get((plan, "act"), (0, 0.0, 0.0, 0))
            plan.act_count, plan.expected_cost, plan.expected_return, plan.ordered_count = acted
            plan.control_count = told.get((plan, "control"), (0,))[0]

    @api.depends("base", "result", "takes_lost", "takes_dormant", "assumed_chance")
    @api.depends_context("lang")
    def _compute_told(self):
        for plan in self:
            plan.result_text = result_text(self.env, plan.result, plan.currency_id)
            base = {kind: past for kind, past in (plan.base or {}).items() if plan[KINDS[kind]]}
            plan.chance_basis = chance_text(self.env, plan.assumed_chance, base) if base else False

    # --------------------------------------------------------------------- writing

    @api.model_create_multi
    def create(self, vals_list):
        self._check_by_hand(set().union(*vals_list))
        return super().create(vals_list)

    def write(self, vals):
        self._check_by_hand(vals)
        changes = FIXED & set(vals)
        if changes and any(plan.state != "draft" for plan in self):
            raise UserError(self.env._("The plan has begun: its terms stay, or nothing could be compared."))
        result = super().write(vals)
        if changes:
            # Whom it would take now is another question, and what it costs too.
            self.sudo().line_ids.unlink()
            self.sudo().base = False
        return result

    def _check_by_hand(self, names):
        if not self.env.su and AUTOMATIC & set(names):
            raise AccessError(
                self.env._("A plan begins and ends by its buttons, and what it achieved is counted.")
            )

    # --------------------------------------------------------------------- buttons

    def action_fill(self):
        """Choose the customers anew, by what is known of them now.

        :raise UserError: when the plan has begun, or nobody is worth it
        """
        self.ensure_one()
        self._check_draft()
        base = read_base_rates(self.env, self.company_id, self.window_days)
        kinds = [kind for kind, field in KINDS.items() if self[field]]
        if not kinds:
            raise UserError(self.env._("Say whom to take: lost, dormant or those at risk."))
        candidates = [
            {
                **row,
                "chance": row["probability"]
                if row["kind"] == "at_risk"
                else chance_of(base[row["kind"]], self.assumed_chance),
            }
            for row in read_candidates(self.env, self.company_id, kinds)
        ]
        chosen = choose(candidates, self._terms(), seed=self.id)
        if not chosen:
            raise UserError(self._nobody_text(candidates))
        lines = self.env["crm.value.winback.line"].sudo()
        lines.search([("plan_id", "=", self.id)]).unlink()
        lines.create([{"plan_id": self.id, **self._line(line)} for line in chosen])
        self.sudo().base = base

    def _terms(self):
        return {name: self[name] for name in TERMS}

    def _line(self, chosen):
        names = (
            "partner_id",
            "kind",
            "lost_type",
            "value",
            "chance",
            "gain",
            "expected_return",
            "cost",
            "arm",
        )
        return {name: chosen[name] for name in names}

    def _nobody_text(self, candidates):
        """Why ``choose`` took nobody."""
        if not candidates:
            return self.env._("There is no such customer, or all of them are in another plan.")
        if not self.budget and (self.contact_cost or self.offer_cost):
            return self.env._("With a budget of nothing nobody can be contacted: set one.")
        terms = self._terms()
        worth = worthwhile(candidates, terms)
        if not worth:
            return self.env._(
                "None of %(count)s customers is worth it: a contact costs more than it may bring.",
                count=len(candidates),
            )
        to_act = [line for line in worth if not left_alone(line["partner_id"], terms, self.id)]
        if not to_act:
            return self.env._(
                "All %(count)s customers worth it would be left alone by lot: leave fewer alone.",
                count=len(worth),
            )
        return self.env._(
            "The budget is below what the first customer costs, contact and offer: %(cost)s. Raise it.",
            cost=self.currency_id.format(to_act[0]["cost"]),
        )

    def action_start(self):
        """Begin: an activity for the salesperson of each customer to contact, none for those left alone.

        :raise UserError: when the plan has begun already or has no customers
        """
        self.ensure_one()
        self._check_draft()
        taken = self.line_ids.filtered(lambda line: line.arm == "act")
        if not taken:
            raise UserError(self.env._("Choose the customers first."))
        running = self.sudo().search([("company_id", "=", self.company_id.id), ("state", "=", "running")])
        # Those left alone too: who is acted on elsewhere is no comparison any more.
        twice = self.line_ids.partner_id & running.line_ids.partner_id
        if twice:
            raise UserError(
                self.env._(
                    "%s are in another plan that is running: choose the customers anew.",
                    ", ".join(twice[:5].mapped("display_name")),
                )
            )
        self.sudo().write({"state": "running", "started_at": fields.Datetime.now()})
        taken.sudo()._open_activities()

    def action_stop(self):
        """End a plan early: it is judged by what came until now."""
        self.ensure_one()
        self._check_editor()
        if self.state != "running":
            raise UserError(self.env._("Only a running plan can be stopped."))
        self.sudo()._follow(end=True)

    def action_open_customers(self):
        """The customers to contact, where activities are planned and mailing lists filled."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_value_addon.res_partner_action_key_at_risk"
        )
        wanted = self.line_ids.filtered(lambda line: line.arm == "act" and not line.ordered_on)
        return {
            **action,
            "name": self.name,
            "display_name": self.name,
            "path": False,
            "domain": [("id", "in", wanted.partner_id.ids)],
            "context": {},
        }

    def _check_editor(self):
        self.check_access("write")
        if not self.env.user.has_group("crm_value_addon.group_manager"):
            raise AccessError(self.env._("Only customer value managers plan to win customers back."))

    def _check_draft(self):
        self._check_editor()
        if self.state != "draft":
            raise UserError(self.env._("This plan has begun: make another one."))

    @api.ondelete(at_uninstall=False)
    def _unlink_but_not_running(self):
        if any(plan.state == "running" for plan in self):
            raise UserError(self.env._("Stop the plan before you delete it."))

    # ------------------------------------------------------------------- following

    def _window_end(self):
        started_on = fields.Datetime.context_timestamp(
            self.with_context(tz=self.company_id._crm_value_timezone()), self.started_at
        ).date()
        return self.company_id._crm_value_end_of(started_on + timedelta(days=self.window_days))

    @api.model
    def _follow_all(self, company):
        """See what came of the running plans of a company."""
        self.sudo().search([("company_id", "=", company.id), ("state", "=", "running")])._follow()

    def _follow(self, end=False):
        """Note who ordered, drop what is planned with them, and judge a plan whose days are over."""
        for plan in self:
            self.env["crm.value.winback.line"]._follow(plan)
            # Read afterwards, so that they are fetched together.
            lines = plan.line_ids
            lines.filtered("ordered_on")._drop_activities()
            over = end or fields.Datetime.now() >= plan._window_end()
            arms = lines._arms(plan)
            plan.write(
                {
                    "state": "done" if over else "running",
                    "result": over
                    and {
                        "acted": arms["act"],
                        "alone": arms["control"],
                        "effect": effect(arms["act"], arms["control"]),
                    },
                }
            )
            if over:
                lines._drop_activities()
