"""What a worker may publish about a customer: column, PostgreSQL type, and the values allowed.

The staging table, the payload and the profile have these columns; a label's profile column is
``computed_<name>``. Documented in docs/contract.md.
"""

from odoo.tools import SQL

from .labels import (
    ANOMALIES,
    ATTITUDES,
    CAUSES,
    CONFIDENCES,
    INITIATORS,
    LABELS,
    MARGIN_LEVELS,
    SATISFACTIONS,
    SERVICE_STRATEGIES,
    VALUE_BASES,
    VALUE_TRENDS,
)

LABEL_COLUMNS = tuple(LABELS)
PROBABILITY_COLUMNS = ("churn_probability", "p_alive")
RATING_COLUMNS = ("rating_contribution", "rating_compliance", "rating_integrity", "rating_influence")
PERCENTILE_COLUMNS = (
    "percentile_compliance",
    "percentile_integrity",
    "percentile_influence",
    "percentile_frequency",
    "percentile_volume",
    "percentile_margin",
    "percentile_loyalty",
)
SHARE_COLUMNS = (
    "value_percentile",
    *RATING_COLUMNS,
    *PERCENTILE_COLUMNS,
    "share_of_customer",
    "customisation",
    "promise_kept",
)
MONEY_COLUMNS = (
    "expected_value",
    "expected_value_low",
    "expected_value_high",
    "historical_value",
    "current_value",
    "potential_value",
    "lifetime_value",
    "cost_to_serve",
    "net_value",
    "next_class_gap",
    "value_slope",
)
DATE_COLUMNS = (
    "expected_next_order",
    "expected_next_order_low",
    "expected_next_order_high",
    "last_order_date",
    "replacement_due",
    "last_contact_date",
    "anomaly_since",
)
# Plain columns with a short list of values each.
CODE_COLUMNS = {
    "confidence": CONFIDENCES,
    "value_basis": VALUE_BASES,
    "satisfaction": SATISFACTIONS,
    "attitude": ATTITUDES,
    "margin_level": MARGIN_LEVELS,
    "service_strategy": SERVICE_STRATEGIES,
    "value_trend": VALUE_TRENDS,
    "initiator": INITIATORS,
    "anomaly": ANOMALIES,
}

COLUMN_TYPES = {
    "partner_id": "integer",
    **dict.fromkeys(LABEL_COLUMNS, "text"),
    **dict.fromkeys(CODE_COLUMNS, "text"),
    "preferred_channel": "text",
    "burden": "boolean",
    "churn_withheld": "boolean",
    **dict.fromkeys(PROBABILITY_COLUMNS, "float"),
    **dict.fromkeys(SHARE_COLUMNS, "float"),
    "composite_rating": "float",
    "expected_orders": "float",
    "response_hours": "float",
    **dict.fromkeys(MONEY_COLUMNS, "money"),
    **dict.fromkeys(DATE_COLUMNS, "date"),
    "order_days": "integer",
    "usual_gap": "integer",
    "anomaly_percent": "integer",
    "format_id": "integer",
    "reasons": "json",
    "recommendations": "json",
    "cause": "text",
}
# What a preview publishes: each label by the active policy and by the draft.
PREVIEW_TYPES = {
    "partner_id": "integer",
    **{name: "text" for label in LABEL_COLUMNS for name in (f"before_{label}", label)},
    "current_value": "money",
    "potential_value": "money",
    "format_id": "integer",
}
SQL_TYPES = {
    "integer": "int4",
    "text": "varchar",
    "boolean": "bool",
    "float": "float8",
    "money": "numeric",
    "date": "date",
    "json": "jsonb",
}
ALLOWED_VALUES = {
    **{
        name: [value for value, _name in selection]
        for label, selection in LABELS.items()
        for name in (label, f"before_{label}")
    },
    **{name: [value for value, _name in selection] for name, selection in CODE_COLUMNS.items()},
    # A merge and an override are causes only Odoo itself knows of.
    "cause": [value for value, _name in CAUSES if value not in ("merge", "override")],
}
# Everything a batch may bring, of whatever kind its run is.
STAGED_TYPES = COLUMN_TYPES | PREVIEW_TYPES


def profile_column(name):
    """Column of ``crm_value_profile`` that keeps a published column."""
    return f"computed_{name}" if name in LABELS else name


def columns_sql(names, table=None):
    """The names as a comma-separated list of SQL identifiers, of a table if given."""
    return SQL(", ").join(SQL.identifier(table, name) if table else SQL.identifier(name) for name in names)
