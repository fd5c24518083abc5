from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models, tools


class ResCompany(models.Model):
    _inherit = "res.company"

    crm_value_interval_hours = fields.Integer(
        string="Hours Between Scoring Runs",
        default=24,
        help="The worker scores the company this often. 0: only on request.",
    )
    crm_value_alerts_per_user = fields.Integer(
        string="Open Activities per Salesperson",
        default=10,
        help="Safeguards open no further activity for who has so many of theirs open.",
    )
    crm_value_alerts_at_once = fields.Integer(
        string="Activities or Cases at Once",
        default=100,
        help="A safeguard that would open more activities in one run is held until a manager releases it. Of a kind of"
        " service case of which a run would open more, it opens none.",
    )
    crm_value_case_window_days = fields.Integer(
        string="Days to Look Back for Service Cases",
        default=30,
        help="Runs open cases for what went wrong in the last so many days. 0: only people open cases.",
    )
    crm_value_case_due_days = fields.Integer(
        string="Days to Resolve a Service Case",
        default=3,
        help="A case is due so many days after it was opened.",
    )

    def _crm_value_timezone(self):
        """Name of the time zone in which a day of this company begins and ends."""
        company = self.ensure_one().sudo()
        return company.partner_id.tz or company.resource_calendar_id.tz or "UTC"

    def _crm_value_today(self):
        """The present day of this company."""
        return datetime.now(pytz.timezone(self._crm_value_timezone())).date()

    def _crm_value_end_of(self, day):
        """The moment at which a day of this company ends, in UTC and without a time zone."""
        zone = pytz.timezone(self._crm_value_timezone())
        end = zone.localize(datetime.combine(day + timedelta(days=1), time.min))
        return end.astimezone(pytz.utc).replace(tzinfo=None)

    def _crm_value_branches(self):
        """Identifiers of a root company and its branches, whose documents are scored together."""
        self.ensure_one()
        return self.sudo().with_context(active_test=False).search([("id", "child_of", self.id)]).ids

    @api.model
    @tools.ormcache()
    def _crm_value_roots_of_branches(self):
        """``((branch id, root id), ...)`` of all companies that are branches of another."""
        companies = self.sudo().with_context(active_test=False).search([("parent_id", "!=", False)])
        return tuple((company.id, company.root_id.id) for company in companies)
