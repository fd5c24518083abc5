from odoo import api, fields, models


class CrmValueGoalMeasure(models.Model):
    """What the metric of a goal was on a day; kept whenever a run of today closes, unless there was nothing to tell."""

    _name = "crm.value.goal.measure"
    _inherit = ["crm.value.protected"]
    _description = "Measure of a Goal"
    _order = "date, id"
    _rec_name = "date"
    _log_access = False

    goal_id = fields.Many2one("crm.value.goal", required=True, ondelete="cascade")
    date = fields.Date(required=True)
    actual = fields.Float(required=True, aggregator=None)
    is_final = fields.Boolean(help="Measured when the goal was over: it stays as it is.")

    _goal_date_unique = models.UniqueIndex("(goal_id, date)", "A goal has one measure a day.")

    @api.model
    def _keep(self, goal, day, actual, is_final=False):
        """Keep what a goal's metric is on a day, instead of what was kept of that day before."""
        values = {"actual": actual, "is_final": is_final}
        there = self.sudo().search([("goal_id", "=", goal.id), ("date", "=", day)])
        if there:
            there._with_pen().write(values)
        else:
            self._with_pen().create({"goal_id": goal.id, "date": day, **values})

    @api.model
    def _of_goals(self, goals):
        """``{goal id: [(day, actual), ...]}`` in order of their days, in one query."""
        found = {goal: [] for goal in goals.ids}
        for measure in self.sudo().search([("goal_id", "in", goals.ids)]):
            found[measure.goal_id.id].append((measure.date, measure.actual))
        return found
