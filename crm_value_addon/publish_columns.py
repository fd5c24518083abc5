"""What a worker may publish about a customer: column, PostgreSQL type, and the values allowed.

The staging table, the payload and the profile have these columns; a label's profile column is
``computed_<name>``. Documented in docs/contract.md.
"""

from odoo.tools import SQL

from .labels import CAUSES, CONFIDENCES, LABELS, VALUE_BASES

LABEL_COLUMNS = tuple(LABELS)
PROBABILITY_COLUMNS = ("churn_probability", "p_alive")
MONEY_COLUMNS = (
    "expected_value",
    "expected_value_low",
    "expected_value_high",
    "historical_value",
    "current_value",
    "potential_value",
    "lifetime_value",
)
DATE_COLUMNS = (
    "expected_next_order",
    "expected_next_order_low",
    "expected_next_order_high",
    "last_order_date",
)

COLUMN_TYPES = {
    "partner_id": "integer",
    **dict.fromkeys(LABEL_COLUMNS, "text"),
    "confidence": "text",
    "value_basis": "text",
    "burden": "boolean",
    "churn_withheld": "boolean",
    **dict.fromkeys(PROBABILITY_COLUMNS, "float"),
    "expected_orders": "float",
    **dict.fromkeys(MONEY_COLUMNS, "money"),
    **dict.fromkeys(DATE_COLUMNS, "date"),
    "order_days": "integer",
    "format_id": "integer",
    "reasons": "json",
    "cause": "text",
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
    **{label: [value for value, _name in selection] for label, selection in LABELS.items()},
    "confidence": [value for value, _name in CONFIDENCES],
    "value_basis": [value for value, _name in VALUE_BASES],
    # A merge and an override are causes only Odoo itself knows of.
    "cause": [value for value, _name in CAUSES if value not in ("merge", "override")],
}


def profile_column(name):
    """Column of ``crm_value_profile`` that keeps a published column."""
    return f"computed_{name}" if name in LABELS else name


def columns_sql(names, table=None):
    """The names as a comma-separated list of SQL identifiers, of a table if given."""
    return SQL(", ").join(SQL.identifier(table, name) if table else SQL.identifier(name) for name in names)
