from odoo import api, fields, models
from odoo.tools import SQL

from ..labels import LABELS
from ..policy_schema import POLICY_SCHEMA

FARED = [
    ("agreed", "Agreed later"),
    ("kept", "Kept its view"),
    ("open", "Open"),
    ("same", "Said the same from the start"),
]
HAPPENED = [("ordered", "Ordered"), ("lost", "Lost, no order")]
PROVED = [("right", "Borne out"), ("wrong", "Refuted")]
# Values that say that a customer will buy, and that it will not: what happened tells whether they were right.
WILL_BUY = {
    "lifecycle_stage": ("acquisition", "won_back", "retention", "extension"),
    "value_segment": ("key_stable", "promising", "new", "standard"),
    "churn_risk": ("low",),
}
WILL_NOT_BUY = {
    "lifecycle_stage": ("dormant", "lost"),
    "value_segment": ("dormant", "lost", "lost_worth_winning_back"),
    "churn_risk": ("high",),
}


class CrmValueOverrideReport(models.Model):
    """How overrides fared: whether the engine came to agree, and whether what happened bears them out.

    Both are told where they can be told: of an override that ended, or that has held for a churn horizon.
    """

    _name = "crm.value.override.report"
    _inherit = ["crm.value.labelled"]
    _description = "How Overrides Fared"
    _auto = False
    _order = "id desc"
    _rec_name = "label"
    _depends = {
        "crm.value.override": ["value", "computed_then", "date_from", "date_until", "ended_at"],
        "crm.value.profile": [f"computed_{label}" for label in LABELS],
        "crm.value.history": list(LABELS),
    }

    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    user_id = fields.Many2one("res.users", string="Overridden by", readonly=True)
    reason = fields.Char(readonly=True)
    date_from = fields.Date(string="Valid from", readonly=True)
    date_until = fields.Date(string="Until", readonly=True)
    ended_at = fields.Datetime(readonly=True)
    computed_then = fields.Char(readonly=True, help="What the engine said when the override was made.")
    computed_later = fields.Char(
        readonly=True, help="What the engine says now, or said at the end of an override that ended."
    )
    fared = fields.Selection(FARED, readonly=True, help="Whether the engine came to agree with the person.")
    happened = fields.Selection(
        HAPPENED,
        string="Since Then",
        readonly=True,
        help="Whether the customer has ordered since the first day.",
    )
    proved = fields.Selection(
        PROVED,
        string="What Happened Says",
        readonly=True,
        help="Where the value says that the customer will buy or will not.",
    )
    agreed_share = fields.Float(
        string="Engine Came to Agree",
        aggregator="avg",
        readonly=True,
        help="Share of the overrides with which the engine came to agree, of those where it agreed or kept its view.",
    )
    right_share = fields.Float(
        string="Borne Out",
        aggregator="avg",
        readonly=True,
        help="Share of those of which what happened tells.",
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT told.*,
                   CASE told.fared WHEN 'agreed' THEN 1.0 WHEN 'kept' THEN 0.0 END AS agreed_share,
                   CASE told.proved WHEN 'right' THEN 1.0 WHEN 'wrong' THEN 0.0 END AS right_share
              FROM (
                SELECT facts.*, %(fared)s AS fared, %(proved)s AS proved FROM (%(facts)s) facts
                   ) told
            """,
            fared=self._fared_sql(),
            proved=self._proved_sql(),
            facts=self._facts_sql(),
        )

    @api.model
    def _facts_sql(self):
        """Each override with what the engine said then and later, and what the customer did since."""
        return SQL(
            """
            SELECT override.id, override.partner_id, override.company_id, override.user_id, override.label,
                   override.value, override.reason, override.date_from, override.date_until, override.ended_at,
                   override.computed_then,
                   CASE WHEN override.ended_at IS NULL THEN %(now)s ELSE %(at_end)s END AS computed_later,
                   CASE WHEN profile.last_order_date > override.date_from THEN 'ordered'
                        WHEN profile.computed_lifecycle_stage = 'lost' THEN 'lost' END AS happened,
                   LEAST(override.ended_at::date, override.date_until, %(today)s) - override.date_from AS days
              FROM crm_value_override override
              LEFT JOIN crm_value_profile profile
                ON profile.partner_id = override.partner_id AND profile.company_id = override.company_id
              LEFT JOIN LATERAL (
                    SELECT state.* FROM crm_value_history state
                     WHERE state.partner_id = override.partner_id AND state.company_id = override.company_id
                       AND state.valid_from <= LEAST(override.ended_at::date, override.date_until)
                       AND (state.valid_to IS NULL
                            OR state.valid_to > LEAST(override.ended_at::date, override.date_until))
                     ORDER BY state.valid_from DESC, state.id DESC LIMIT 1
                   ) history ON override.ended_at IS NOT NULL
            """,
            now=label_sql("profile", "computed_"),
            at_end=label_sql("history"),
            today=fields.Date.today(),
        )

    @api.model
    def _fared_sql(self):
        horizon = SQL(
            """COALESCE((SELECT rule.value::int FROM crm_value_policy_rule rule
                           JOIN crm_value_policy_version version ON version.id = rule.version_id
                          WHERE version.company_id = facts.company_id AND version.state = 'active'
                            AND rule.key = 'churn_horizon_days' AND rule.format_id IS NULL), %s)""",
            POLICY_SCHEMA["churn_horizon_days"]["default"],
        )
        # One that was ended on its first day says nothing: it was a mistake.
        return SQL(
            """CASE WHEN computed_then = value THEN 'same'
                    WHEN computed_later = value THEN 'agreed'
                    WHEN ended_at IS NULL AND (computed_later IS NULL OR days < %(horizon)s) THEN 'open'
                    WHEN computed_later IS NOT NULL AND days > 0 THEN 'kept' END""",
            horizon=horizon,
        )

    @api.model
    def _proved_sql(self):
        will, will_not = _any_sql(WILL_BUY), _any_sql(WILL_NOT_BUY)
        return SQL(
            """CASE WHEN %(will)s AND happened = 'ordered' OR %(will_not)s AND happened = 'lost' THEN 'right'
                    WHEN %(will)s AND happened = 'lost' OR %(will_not)s AND happened = 'ordered' THEN 'wrong' END""",
            will=will,
            will_not=will_not,
        )


def label_sql(table, prefix=""):
    """The column of a table that holds the label an ``override`` is about."""
    return SQL(
        "CASE override.label %s END",
        SQL(" ").join(
            SQL("WHEN %s THEN %s", label, SQL.identifier(table, f"{prefix}{label}")) for label in LABELS
        ),
    )


def _any_sql(values):
    """Condition that label and value are among ``{label: values}``."""
    pairs = tuple((label, value) for label, known in values.items() for value in known)
    return SQL("(label, value) IN %s", pairs)
