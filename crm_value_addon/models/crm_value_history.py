from odoo import api, fields, models
from odoo.tools import SQL

from ..labels import (
    CAUSES,
    CHURN_RISKS,
    CONFIDENCES,
    GROUP_USER,
    LABELS,
    LIFECYCLE_STAGES,
    LOYALTY_STAGES,
    VALUE_CLASSES,
    VALUE_SEGMENTS,
    VALUE_TYPES,
)


class CrmValueHistory(models.Model):
    """The full state of a customer from one change of its labels to the next."""

    _name = "crm.value.history"
    _inherit = ["crm.value.protected"]
    _description = "Customer Value History"
    _order = "valid_from desc, id desc"
    _rec_name = "partner_id"
    _log_access = False

    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    format_id = fields.Many2one("crm.value.format", string="Business Format", ondelete="set null")
    valid_from = fields.Date(required=True)
    valid_to = fields.Date(help="First day on which another state held; empty for the present one.")
    cause = fields.Selection(CAUSES, required=True)
    # Numbers and not references, which would be checked for every row of every run.
    run_id = fields.Integer()
    policy_number = fields.Integer(
        string="Policy Version", help="Number of the company's policy version that held."
    )
    # A number: that partner is there no more.
    merged_from = fields.Integer(
        help="Number of the customer this was told of before it was merged into the present one."
    )
    value_class = fields.Selection(VALUE_CLASSES)
    value_segment = fields.Selection(VALUE_SEGMENTS)
    loyalty_stage = fields.Selection(LOYALTY_STAGES)
    lifecycle_stage = fields.Selection(LIFECYCLE_STAGES, string="Life-Cycle Stage")
    churn_risk = fields.Selection(CHURN_RISKS)
    value_type = fields.Selection(VALUE_TYPES)
    lost_type = fields.Selection(LABELS["lost_type"])
    confidence = fields.Selection(CONFIDENCES)
    churn_probability = fields.Float(aggregator="avg")
    historical_value = fields.Monetary(groups=GROUP_USER)
    current_value = fields.Monetary(groups=GROUP_USER)
    potential_value = fields.Monetary(groups=GROUP_USER)
    lifetime_value = fields.Monetary(groups=GROUP_USER)

    _merged = models.Index("(company_id, partner_id) WHERE merged_from IS NOT NULL")

    @api.model
    def _state_sql(self, label, companies, day):
        """The state of each customer at the end of a day, as a query of one row per customer and company.

        Columns are ``id``, ``partner_id``, ``company_id``, ``format_id``, ``computed`` (the engine's label),
        ``label`` (that of an override which held, else the engine's) and ``value``: current + potential value, by
        the profile from the last run on, before by the last month-end's snapshot or the state itself, whichever
        is newer.

        :param str label: one of ``LABELS``
        :param companies: root companies
        """
        # As constants, or PostgreSQL would look them up for each customer.
        known, month_ends = self._sources(companies, day)
        return SQL(
            """
            SELECT state.id, state.partner_id, state.company_id, state.format_id,
                   state.%(computed)s AS computed, state.%(label)s AS label,
                   CASE WHEN profile.id IS NOT NULL THEN profile.current_value + profile.potential_value
                        WHEN snapshot.id IS NOT NULL THEN snapshot.current_value + snapshot.potential_value
                        ELSE state.value
                    END AS value
              FROM (%(states)s) state
              LEFT JOIN crm_value_profile profile
                ON profile.partner_id = state.partner_id AND profile.company_id = state.company_id
               AND profile.company_id IN %(known)s
              LEFT JOIN crm_value_snapshot snapshot
                ON snapshot.partner_id = state.partner_id AND snapshot.company_id = state.company_id
               AND (snapshot.company_id, snapshot.date) IN %(month_ends)s AND snapshot.date >= state.valid_from
            """,
            computed=SQL.identifier(f"computed_{label}"),
            label=SQL.identifier(label),
            states=self._states_sql([label], companies, day),
            known=tuple(known) or (0,),
            month_ends=tuple(month_ends) or ((0, day),),
        )

    @api.model
    def _states_sql(self, labels, companies, day):
        """The state of each customer at the end of a day, as a query of one row per customer and company.

        Columns are ``id``, ``partner_id``, ``company_id``, ``format_id``, ``valid_from``, for each label one of its
        name (that of an override which held, else the engine's) and ``computed_…`` (the engine's), and ``value``:
        current + potential value when the state began. Of customers that became one since, the labels are those of the
        one that stays, the values those of all.

        :param labels: some of ``LABELS``
        :param companies: root companies
        """
        return SQL(
            """
            SELECT DISTINCT ON (history.company_id, history.partner_id)
                   history.id, history.partner_id, history.company_id, history.format_id, history.valid_from,
                   %(labels)s,
                   sum(history.current_value + history.potential_value)
                   OVER (PARTITION BY history.company_id, history.partner_id) AS value
              FROM crm_value_history history
              LEFT JOIN (%(held)s) held
                ON held.partner_id = history.partner_id AND held.company_id = history.company_id
             WHERE history.company_id IN %(companies)s AND history.valid_from <= %(day)s
               AND (history.valid_to IS NULL OR history.valid_to > %(day)s)
             ORDER BY history.company_id, history.partner_id, history.merged_from IS NOT NULL,
                      history.valid_from DESC, history.id DESC
            """,
            labels=SQL(", ").join(
                SQL(
                    "COALESCE(%(held)s, %(own)s) AS %(name)s, %(own)s AS %(computed)s",
                    held=SQL.identifier("held", label),
                    own=SQL.identifier("history", label),
                    name=SQL.identifier(label),
                    computed=SQL.identifier(f"computed_{label}"),
                )
                for label in labels
            ),
            held=self.env["crm.value.override"]._held_labels_sql(labels, companies, day),
            companies=tuple(companies.ids),
            day=day,
        )

    @api.model
    def _sources(self, companies, day):
        """Where the values of a day are told.

        :return: the companies of which the profiles hold on that day already, and (company, date) of the last
            month-end of each by then
        """
        known, month_ends = [], []
        done = [("kind", "=", "score"), ("state", "=", "done")]
        for company in companies:
            of_company = [("company_id", "=", company.id)]
            last = self.env["crm.value.run"].sudo().search(of_company + done, order="as_of desc", limit=1)
            if last and last.as_of <= day:
                known.append(company.id)
            month_end = (
                self.env["crm.value.snapshot"]
                .sudo()
                .search([*of_company, ("date", "<=", day)], order="date desc", limit=1)
            )
            if month_end:
                month_ends.append((company.id, month_end.date))
        return known, month_ends

    @api.model
    def _cause_sql(self, label, companies, after, until):
        """Why a label last changed after a day and until another, where it did or was first told then.

        :return: a query of one row each: ``partner_id``, ``company_id``, ``cause``
        """
        return SQL(
            """
            SELECT DISTINCT ON (company_id, partner_id) company_id, partner_id, cause
              FROM (
                    SELECT id, company_id, partner_id, cause, valid_from, merged_from, %(label)s AS label,
                           lag(id) OVER earlier AS earlier_id, lag(%(label)s) OVER earlier AS earlier_label
                      FROM crm_value_history history
                     WHERE company_id IN %(companies)s AND valid_from <= %(until)s
                       AND (valid_to IS NULL OR valid_to > %(after)s)
                    WINDOW earlier AS (PARTITION BY company_id, partner_id, merged_from ORDER BY valid_from, id)
                   ) told
             WHERE valid_from > %(after)s AND (earlier_id IS NULL OR label IS DISTINCT FROM earlier_label)
             ORDER BY company_id, partner_id, merged_from IS NOT NULL, valid_from DESC, id DESC
            """,
            label=SQL.identifier(label),
            companies=tuple(companies.ids),
            after=after,
            until=until,
        )
