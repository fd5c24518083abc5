from odoo import api, fields, models
from odoo.tools import SQL

from ..analysis import APART, AnalysisReader
from ..empty_labels import ALL_CLASSES, NOT_KNOWN, WITHOUT_FORMAT
from ..formatting import amount_text, number_text, percent_text
from ..labels import VALUE_CLASSES

MOST_FAULTS = 10
# Steps of the bridge that are levels, no changes.
TOTALS = ("opening", "closing")


class CrmValueAnalysis(models.AbstractModel):
    """A row of what a run says of the whole company."""

    _name = "crm.value.analysis"
    _inherit = ["crm.value.finding"]
    _description = "Customer Value Analysis"

    @api.model
    def _record_analysis(self, run, result):
        """Keep the company-level results of a run that ends.

        What cannot be read is left out and never keeps a run from ending.

        :return: sentences for the warnings of the run
        """

        def ids(model):
            return set(
                self.env[model].sudo().with_context(active_test=False).search([("id", "!=", False)]).ids
            )

        reader = AnalysisReader(
            ids("crm.value.format"),
            ids("product.category"),
            ids("res.users"),
            lambda partners: self._may_be_named(run, partners),
        )
        reader.take(result)
        for model, rows in reader.rows.items():
            self.env[model]._insert(run, rows)
        if not reader.faults:
            return []
        return [
            self.env._(
                "Part of the analysis is left out, since it is not as documented: %s.",
                ", ".join(reader.faults[:MOST_FAULTS]),
            )
        ]

    @api.model
    def _may_be_named(self, run, partners):
        """Of partners those that a row of the run may name: some may be gone or have objected since its export."""
        if not partners:
            return set()
        self.env.cr.execute(
            SQL(
                """
                SELECT partner.id FROM res_partner partner
                 WHERE partner.id IN %s AND partner.commercial_partner_id = partner.id
                   AND (partner.company_id IS NULL OR partner.company_id IN %s)
                   AND NOT EXISTS (SELECT FROM crm_value_objection objection WHERE objection.partner_id = partner.id)
                """,
                tuple(partners),
                tuple(run.company_id._crm_value_branches()),
            )
        )
        return {partner for (partner,) in self.env.cr.fetchall()}


class CrmValuePortrait(models.Model):
    """What the customers of a business format and value class are like, and what sets them apart."""

    _name = "crm.value.portrait"
    _inherit = ["crm.value.analysis"]
    _description = "Customer Portrait"

    # Not emptied when a format is deleted: the row would then speak of the customers without one.
    format_id = fields.Many2one(
        "crm.value.format",
        string="Business Format",
        ondelete="cascade",
        falsy_value_label=WITHOUT_FORMAT,
    )
    value_class = fields.Selection(VALUE_CLASSES, falsy_value_label=ALL_CLASSES)
    customers = fields.Integer()
    basket = fields.Monetary(
        string="Typical Order",
        aggregator=None,
        help="Median over the customers of their median day with orders.",
    )
    rhythm_days = fields.Float(
        string="Days Between Orders", aggregator=None, help="Median over the customers of their median gap."
    )
    margin_rate = fields.Float(aggregator=None, help="Known margin over its sales, all customers together.")
    discount_share = fields.Float(
        string="Discounted", aggregator=None, help="Share of what they bought at a discount, on average."
    )
    breadth = fields.Float(string="Categories", aggregator=None, help="Median, in the current window.")
    untold = fields.Json()
    apart = fields.Json()
    apart_text = fields.Text(string="What Sets Them Apart", compute="_compute_apart_text")

    @api.depends("apart")
    @api.depends_context("lang")
    def _compute_apart_text(self):
        for portrait in self:
            told = [portrait._apart_sentence(each) for each in portrait.apart or []]
            portrait.apart_text = "; ".join(filter(None, told))  # a list shows no line breaks

    def _apart_sentence(self, given):
        """One thing that sets the customers apart from their format, with both figures."""
        name = APART.get(given["code"])
        if not name or None in (given["value"], given["format_value"]):
            return ""
        texts = {
            "basket": lambda amount: amount_text(self.env, amount, self.currency_id),
            "margin_rate": lambda share: percent_text(self.env, share),
            "discount_share": lambda share: percent_text(self.env, share),
        }
        text = texts.get(name, lambda number: number_text(self.env, number))
        figures = {"own": text(given["value"]), "all": text(given["format_value"])}
        return {
            "larger_basket": lambda: self.env._("Larger orders: %(own)s, in the format %(all)s", **figures),
            "smaller_basket": lambda: self.env._("Smaller orders: %(own)s, in the format %(all)s", **figures),
            "orders_less_often": lambda: self.env._(
                "Order less often: every %(own)s days, not %(all)s", **figures
            ),
            "orders_more_often": lambda: (
                self.env._("Order more often: every day, not every %s days", figures["all"])
                if figures["own"] == "1"
                else self.env._("Order more often: every %(own)s days, not %(all)s", **figures)
            ),
            "higher_margin": lambda: self.env._("Higher margin: %(own)s, in the format %(all)s", **figures),
            "lower_margin": lambda: self.env._("Lower margin: %(own)s, in the format %(all)s", **figures),
            "more_discount": lambda: self.env._(
                "More at a discount: %(own)s, in the format %(all)s", **figures
            ),
            "less_discount": lambda: self.env._(
                "Less at a discount: %(own)s, in the format %(all)s", **figures
            ),
            "broader": lambda: self.env._("Buy more categories: %(own)s, in the format %(all)s", **figures),
            "narrower": lambda: self.env._("Buy fewer categories: %(own)s, in the format %(all)s", **figures),
        }[given["code"]]()


class CrmValueEquity(models.Model):
    """A step of the bridge from the customer equity of the run before to that of this one."""

    _name = "crm.value.equity"
    _inherit = ["crm.value.pictured", "crm.value.ordered", "crm.value.analysis"]
    _description = "Customer Equity"
    _ordered = ("step",)
    _rec_name = "as_of"
    _rows_action = "crm_value_addon.crm_value_equity_action"

    step = fields.Selection(
        [
            ("opening", "Opening"),
            ("acquired", "Acquired"),
            ("won_back", "Won back"),
            ("growth", "Growth"),
            ("decline", "Decline"),
            ("lost", "Lost"),
            ("closing", "Closing"),
        ],
        required=True,
    )
    amount = fields.Monetary(
        help="Sum of lifetime values, or what changed it: opening and all changes together are closing."
    )
    customers = fields.Integer()
    bridge = fields.Json(compute="_compute_bridge", help="All steps of the run, in order, in words.")

    @api.depends("run_id")
    @api.depends_context("lang")
    def _compute_bridge(self):
        names = dict(self._fields["step"]._description_selection(self.env))
        of_runs = self.search([("run_id", "in", self.run_id.ids)]).grouped("run_id")
        for row in self:
            row.bridge = of_runs[row.run_id]._bridge(names) if row.run_id in of_runs else False

    def _bridge(self, names):
        """The steps of one run for a picture of them.

        :return: ``{"text", "currency", "steps": [{"step", "label", "amount", "text", "customers"}]}``
        """
        amounts = dict(zip(self.mapped("step"), self.mapped("amount"), strict=True))
        figures = {step: amount_text(self.env, abs(amounts.get(step, 0)), self.currency_id) for step in names}
        gains = sum(amount for step, amount in amounts.items() if step not in TOTALS and amount > 0)
        losses = sum(amount for step, amount in amounts.items() if step not in TOTALS and amount < 0)
        if "opening" in amounts:
            text = self.env._(
                "Customer equity went from %(opening)s to %(closing)s: %(gains)s more, %(losses)s less.",
                opening=figures["opening"],
                closing=figures["closing"],
                gains=amount_text(self.env, gains, self.currency_id),
                losses=amount_text(self.env, -losses, self.currency_id),
            )
        else:
            text = self.env._(
                "Customer equity is %s; what changes it is told from the next run on.", figures["closing"]
            )
        return {
            "text": text,
            "currency": self.currency_id.name,
            "steps": [
                {
                    "step": row.step,
                    "label": names[row.step],
                    "amount": row.amount,
                    "text": _signed(figures[row.step], 0 if row.step in TOTALS else row.amount),
                    "customers": number_text(self.env, row.customers),
                }
                for row in self
            ],
        }


def _signed(text, amount):
    """The text of a change with its sign in front."""
    sign = "+" if amount > 0 else "\N{MINUS SIGN}" if amount < 0 else ""
    return f"{sign}\N{NO-BREAK SPACE}{text}" if sign else text


class CrmValueConcentration(models.Model):
    """How far the current value rests on few customers, or on few groups of them with branches rolled up."""

    _name = "crm.value.concentration"
    _inherit = ["crm.value.pictured", "crm.value.analysis"]
    _description = "Customer Concentration"
    _rec_name = "as_of"
    _rows_action = "crm_value_addon.crm_value_concentration_action"

    scope = fields.Selection(
        [("customers", "Customers"), ("groups", "Groups")], string="Counted by", required=True
    )
    top_1 = fields.Float(string="Largest", aggregator="avg", help="Share of the current value.")
    top_5 = fields.Float(string="Largest 5", aggregator="avg", help="Share of the current value.")
    top_10 = fields.Float(string="Largest 10", aggregator="avg", help="Share of the current value.")
    carriers = fields.Integer(
        string="Carry 80 %", aggregator="avg", help="How many carry 80 % of the current value."
    )
    gini = fields.Float(
        aggregator="avg",
        help="0: all are alike, 1: one has everything; of those with a value.",
    )
    hhi = fields.Float(
        string="HHI", aggregator="avg", help="Herfindahl-Hirschman index: sum of squared shares."
    )
    lorenz = fields.Json(
        string="Lorenz Curve", help="Share of all, from the smallest, and the share of the value they carry."
    )


class CrmValueConcentrationLoss(models.Model):
    """What losing one of the largest customers would cost."""

    _name = "crm.value.concentration.loss"
    _inherit = ["crm.value.analysis"]
    _description = "Cost of Losing a Customer"
    _order = "as_of desc, amount desc, id"

    scope = fields.Selection(
        [("customers", "Customers"), ("groups", "Groups")], string="Counted by", required=True
    )
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, index=True, ondelete="cascade"
    )
    amount = fields.Monetary(string="Current Value", aggregator="avg")
    share = fields.Float(
        string="Share of All",
        aggregator="avg",
        help="Of the current value of all together; over 100 % where others are at a loss.",
    )


class CrmValueDemand(models.Model):
    """What is expected to be bought of a product category by a business format in the next period."""

    _name = "crm.value.demand"
    _inherit = ["crm.value.analysis"]
    _description = "Expected Demand"
    _order = "as_of desc, expected desc, id"

    category_id = fields.Many2one(
        "product.category", string="Product Category", ondelete="cascade", falsy_value_label=NOT_KNOWN
    )
    format_id = fields.Many2one(
        "crm.value.format",
        string="Business Format",
        ondelete="cascade",
        falsy_value_label=WITHOUT_FORMAT,
    )
    horizon_days = fields.Integer(string="Days Ahead", aggregator=None)
    expected = fields.Monetary(string="Expected Sales")
    low = fields.Monetary(
        string="At Least", aggregator=None, help="Lower end of the 80 % range; ranges cannot be added up."
    )
    high = fields.Monetary(string="At Most", aggregator=None, help="Upper end of the 80 % range.")
    untold = fields.Json()
