from odoo import api, fields, models
from odoo.tools import SQL

from ..labels import CAUSES, GROUP_USER, LABEL_NAMES, LABEL_VALUES, LABELS
from ..publish_columns import columns_sql

# A row is of a state and one of its labels, or of an override's beginning or end.
BEGIN, END, ROWS = 14, 15, 16


class CrmValueChange(models.Model):
    """A change of one label of a customer: from what to what, when, why, and who said so.

    Read from the states that history keeps and from the overrides; only of a few customers at a time.
    """

    _name = "crm.value.change"
    _description = "Change of a Customer's Label"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "label"
    _depends = {
        "crm.value.history": [*LABELS, "partner_id", "valid_from", "valid_to", "cause", "merged_from"],
        "crm.value.override": [
            "partner_id",
            "label",
            "value",
            "date_from",
            "date_until",
            "ended_at",
            "reason",
        ],
    }

    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    date = fields.Date(readonly=True)
    label = fields.Selection(LABEL_NAMES, readonly=True)
    from_value = fields.Selection(LABEL_VALUES, string="From", readonly=True)
    to_value = fields.Selection(LABEL_VALUES, string="To", readonly=True)
    cause = fields.Selection(CAUSES, readonly=True)
    policy_number = fields.Integer(string="Policy Version", readonly=True, aggregator=None)
    user_id = fields.Many2one("res.users", string="Changed by", readonly=True, groups=GROUP_USER)
    reason = fields.Char(readonly=True, groups=GROUP_USER, help="Why a person overrides the label.")
    until = fields.Date(readonly=True, help="Last day of an override.")
    merged_from = fields.Integer(
        string="Merged Customer",
        readonly=True,
        aggregator=None,
        help="Number of the customer it was told of before it was merged into this one.",
    )

    @property
    def _table_query(self):
        companies = self.env.companies.sudo().root_id
        return SQL(
            """
            SELECT id, partner_id, company_id, date, label, label || ':' || from_value AS from_value,
                   label || ':' || to_value AS to_value, cause, policy_number, user_id, reason, until, merged_from
              FROM (%s UNION ALL %s) told
            """,
            self._state_changes_sql(companies),
            self._override_changes_sql(companies),
        )

    @api.model
    def _state_changes_sql(self, companies):
        """What the engine says anew with each state; the first one of a customer says everything."""
        return SQL(
            """
            SELECT state.id::bigint * %(rows)s + change.place AS id, state.partner_id, state.company_id,
                   state.valid_from AS date, change.label, change.from_value, change.to_value, state.cause,
                   state.policy_number, NULL::integer AS user_id, NULL AS reason, NULL::date AS until,
                   state.merged_from
              FROM (
                    SELECT id, partner_id, company_id, valid_from, cause, policy_number, merged_from, %(labels)s,
                           %(earlier)s
                      FROM crm_value_history
                     WHERE company_id IN %(companies)s
                    WINDOW held AS (PARTITION BY partner_id, company_id, merged_from ORDER BY valid_from, id)
                   ) state
             CROSS JOIN LATERAL (VALUES %(changes)s) AS change (place, label, from_value, to_value)
             WHERE change.from_value IS DISTINCT FROM change.to_value
            """,
            rows=ROWS,
            labels=columns_sql(LABELS),
            earlier=SQL(", ").join(
                SQL("lag(%s) OVER held AS %s", SQL.identifier(label), SQL.identifier(f"from_{label}"))
                for label in LABELS
            ),
            companies=tuple(companies.ids),
            changes=SQL(", ").join(
                SQL(
                    "(%s, %s, %s, %s)",
                    place,
                    label,
                    SQL.identifier("state", f"from_{label}"),
                    SQL.identifier("state", label),
                )
                for place, label in enumerate(LABELS)
            ),
        )

    @api.model
    def _override_changes_sql(self, companies):
        """The beginning and the end of each override, beside what the engine said on that day."""
        days = SQL(", ").join(
            SQL("(%s, %s, %s::date)", company.id, company._crm_value_timezone(), company._crm_value_today())
            for company in companies
        )
        computed = SQL(
            "CASE word.label %s END",
            SQL(" ").join(SQL("WHEN %s THEN history.%s", label, SQL.identifier(label)) for label in LABELS),
        )
        return SQL(
            """
            SELECT word.id::bigint * %(rows)s + event.place, word.partner_id, word.company_id, event.date, word.label,
                   CASE WHEN event.place = %(begin)s THEN engine.value ELSE word.value END,
                   CASE WHEN event.place = %(begin)s THEN word.value ELSE engine.value END,
                   'override', NULL, word.user_id, word.reason,
                   CASE WHEN event.place = %(begin)s THEN word.date_until END, NULL
              FROM (
                    SELECT override.*, company.today,
                           GREATEST(date_from, %(created)s) AS begins, LEAST(date_until + 1, %(ended)s) AS ends
                      FROM crm_value_override override
                      JOIN (VALUES %(days)s) AS company (id, zone, today) ON company.id = override.company_id
                   ) word
             CROSS JOIN LATERAL (VALUES (%(begin)s, word.begins), (%(end)s, word.ends)) AS event (place, date)
              LEFT JOIN LATERAL (
                    SELECT %(computed)s AS value FROM crm_value_history history
                     WHERE history.partner_id = word.partner_id AND history.company_id = word.company_id
                       AND history.valid_from <= event.date
                       AND (history.valid_to IS NULL OR history.valid_to > event.date)
                     ORDER BY history.merged_from IS NOT NULL, history.id DESC LIMIT 1
                   ) engine ON TRUE
             WHERE event.date <= word.today AND word.begins <= word.ends
            """,
            rows=ROWS,
            begin=BEGIN,
            end=END,
            created=SQL("(override.create_date AT TIME ZONE 'UTC' AT TIME ZONE company.zone)::date"),
            ended=SQL("(override.ended_at AT TIME ZONE 'UTC' AT TIME ZONE company.zone)::date"),
            days=days,
            computed=computed,
        )

    @api.model
    def _latest(self, keys):
        """All changes of some customers, the latest first: ``{(partner id, company id): [{column: value}]}``.

        Whoever may see the page of a customer may see them; see ``customer_history`` for who said so.
        """
        if not keys:
            return {}
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT * FROM %s change
                 WHERE partner_id IN %s AND (partner_id, company_id) IN %s ORDER BY date DESC, id DESC
                """,
                self._table_sql,
                tuple({partner for partner, _company in keys}),
                tuple(keys),
            )
        )
        found = {}
        for row in rows:
            found.setdefault((row["partner_id"], row["company_id"]), []).append(row)
        return found
