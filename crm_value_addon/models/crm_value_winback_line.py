from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..winback_texts import action_text


class CrmValueWinbackLine(models.Model):
    """A customer of a win-back plan."""

    _name = "crm.value.winback.line"
    _inherit = ["crm.value.acting"]
    _description = "Customer of a Win-back Plan"
    _order = "plan_id desc, arm, expected_return desc, id"
    _rec_name = "partner_id"
    _log_access = False

    plan_id = fields.Many2one("crm.value.winback", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="plan_id.company_id", store=True)
    currency_id = fields.Many2one(related="plan_id.currency_id")
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, index=True, ondelete="cascade"
    )
    user_id = fields.Many2one(related="partner_id.user_id", string="Salesperson")
    kind = fields.Selection(
        [("lost", "Lost"), ("dormant", "Dormant"), ("at_risk", "At risk")], string="Why", required=True
    )
    lost_type = fields.Selection(
        lambda self: self.env["crm.value.profile"]._fields["effective_lost_type"].selection
    )
    arm = fields.Selection([("act", "To Contact"), ("control", "To Leave Alone")], required=True)
    value = fields.Monetary(help="Margin of a year's orders, as they were before the last one.")
    chance = fields.Float(help="To come back by itself; of who is at risk, to leave.")
    gain = fields.Float(help="How much more probable a contact makes its orders.")
    expected_return = fields.Monetary(help="Value times what a contact adds to its probability.")
    cost = fields.Monetary()
    action = fields.Char(compute="_compute_action", string="What to Do")
    ordered_on = fields.Date()
    sales = fields.Monetary(string="Ordered since")

    _customer_once = models.Constraint("UNIQUE(plan_id, partner_id)", "A customer is in a plan once.")

    @api.depends("kind", "lost_type")
    @api.depends_context("lang")
    def _compute_action(self):
        for line in self:
            line.action = action_text(self.env, line.kind, line.lost_type)

    # -------------------------------------------------------------------- writing

    @api.ondelete(at_uninstall=False)
    def _unlink_of_draft_only(self):
        if not self.env.su and any(line.plan_id.state != "draft" for line in self):
            raise UserError(
                self.env._("The plan has begun: its customers stay, or nothing could be compared.")
            )

    def _open_activities(self):
        """An activity for the salesperson of each; who has none, or one who may not see it, is left to the list."""
        able = self.filtered(
            lambda line: line.user_id.active and line.company_id in line.user_id.company_ids.root_id
        )
        for user, lines in able.grouped("user_id").items():
            lines._create_activities(user)

    def _activity_texts(self):
        return self.plan_id.name, action_text(self.env, self.kind, self.lost_type)

    @api.model
    def _follow(self, plan):
        """Keep on the lines of a running plan when each customer first ordered in its window, and for how much.

        What came back counts against it; who only gave back did not order.
        """
        sales = self.env["crm.value.sync"]._sales_sql(plan.company_id)
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_value_winback_line line SET ordered_on = found.day, sales = found.amount
                  FROM (SELECT line.id, sold.day, CASE WHEN sold.day IS NULL THEN 0 ELSE sold.amount END AS amount
                          FROM crm_value_winback_line line
                         CROSS JOIN LATERAL (
                               SELECT min(sales.day) FILTER (WHERE sales.amount > 0) AS day, sum(sales.amount) AS amount
                                 FROM (%(sales)s) sales
                                WHERE sales.customer = line.partner_id
                                  AND sales.moment >= %(start)s AND sales.moment < %(end)s) sold
                         WHERE line.plan_id = %(plan)s) found
                 WHERE found.id = line.id
                   AND (line.ordered_on, line.sales) IS DISTINCT FROM (found.day, found.amount)
                """,
                sales=sales,
                start=plan.started_at,
                end=plan._window_end(),
                plan=plan.id,
            )
        )
        self.env.invalidate_all(flush=False)

    @api.model
    def _arms(self, plan):
        """``{"act" | "control": {"customers", "ordered", "sales", "squares"}}`` of a plan."""
        arms = {
            arm: {"customers": 0, "ordered": 0, "sales": 0.0, "squares": 0.0} for arm in ("act", "control")
        }
        rows = self.env.execute_query_dict(
            SQL(
                """SELECT arm, count(*) AS customers, count(ordered_on) AS ordered,
                          COALESCE(sum(sales), 0)::float8 AS sales, COALESCE(sum(sales ^ 2), 0)::float8 AS squares
                     FROM crm_value_winback_line WHERE plan_id = %s GROUP BY arm""",
                plan.id,
            )
        )
        return {**arms, **{row.pop("arm"): row for row in rows}}

    @api.model
    def _merge_customers(self, stays, partners):
        """Leave one line per plan of customers that become one: of who is contacted, else of the customer that stays.

        :param int stays: the customer that stays
        :param partners: identifiers of all of them
        """
        lines = self.sudo().search([("partner_id", "in", partners)])
        first = lines.sorted(lambda line: (line.arm != "act", line.partner_id.id != stays, line.id))
        for of_plan in first.grouped("plan_id").values():
            of_plan[1:]._drop_activities()
            of_plan[1:].unlink()
        self.env.flush_all()
