"""What is known of customers besides their orders: one table per dataset, each optional.

Every row carries `known`, the day it became known, so that nobody's past is judged by what came later.
docs/contract.md says where Odoo takes each from.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

#: Columns by dataset and their kind: `id` (integer or text, may be missing), `day` (datetime64, may be missing),
#: `number` (float64, NaN = unknown), `flag` (bool), `answer` (yes, no or unknown: nullable boolean), `label` (text or
#: missing).
FACTS: dict[str, dict[str, str]] = {
    # posted customer invoices and credit notes (negative), in company currency; `total` is with tax
    "invoices": {
        "invoice_id": "id",
        "customer_id": "id",
        "known": "day",
        "date": "day",
        "due": "day",
        "amount": "number",
        "total": "number",
    },
    # parts of an invoice's total that were settled
    "payments": {
        "payment_id": "id",
        "invoice_id": "id",
        "customer_id": "id",
        "known": "day",
        "amount": "number",
    },
    # finished deliveries and returns of goods; `promised` to the customer, quantities summed over the products
    "deliveries": {
        "delivery_id": "id",
        "order_id": "id",
        "customer_id": "id",
        "known": "day",
        "promised": "day",
        "demanded": "number",
        "delivered": "number",
        "is_return": "flag",
    },
    # who sold an order and how (`website`, `point_of_sale`, `salesperson`), what was promised and invoiced of it
    "order_details": {
        "order_id": "id",
        "customer_id": "id",
        "known": "day",
        "salesperson_id": "id",
        "channel": "label",
        "quoted": "number",
        "invoiced": "number",
    },
    # offers that became no order: `open` or `cancelled`
    "quotations": {
        "quotation_id": "id",
        "customer_id": "id",
        "known": "day",
        "amount": "number",
        "outcome": "label",
    },
    # 1 (worst) to 5
    "ratings": {
        "rating_id": "id",
        "customer_id": "id",
        "known": "day",
        "rating": "number",
    },
    # `outcome`: `won`, `lost` or `pending`; `lost_type`: what the lost reason says of the customer, see lost types
    "leads": {
        "lead_id": "id",
        "customer_id": "id",
        "known": "day",
        "closed": "day",
        "outcome": "label",
        "lost_type": "label",
        "source_id": "id",
        "expected_revenue": "number",
    },
    # `direction`: `in` (from the customer) or `out`; `hours` since 1970-01-01 UTC, for response times
    "messages": {
        "message_id": "id",
        "customer_id": "id",
        "known": "day",
        "hours": "number",
        "direction": "label",
    },
    # activities that were done; `kind` as the activity type's category (`phonecall`, `meeting`, ...) or `default`
    "activities": {
        "activity_id": "id",
        "customer_id": "id",
        "known": "day",
        "due": "day",
        "kind": "label",
    },
    # points of loyalty cards given and spent
    "points": {
        "points_id": "id",
        "customer_id": "id",
        "known": "day",
        "card_id": "id",
        "issued": "number",
        "used": "number",
    },
}
#: Columns that a file may lack; they are then empty.
MAY_LACK = {"points": ("card_id",)}
#: What is known of a customer itself today, without a date: no forecast of the past is made of it. Scores as of an
#: earlier day take it as it is today for want of anything else, and say so (`score_file`). `group_id` is the topmost
#: company it belongs to, `territory_id` the state it lies in, or else the country, as a negative number.
STANDING: dict[str, str] = {
    "group_id": "id",
    "territory_id": "id",
    "has_tax_id": "answer",
    "credit_limit": "number",
    "blocked": "flag",
}
#: What the last run made of a customer, what it measured value in, by which version of the policy and as of which day,
#: and the lost type that a person has said.
PREVIOUS: dict[str, str] = {
    "customer_id": "id",
    "lifecycle_stage": "label",
    "lifetime_value": "number",
    "value_basis": "label",
    "lost_type_by_hand": "label",
    "value_class": "label",
    "burden": "flag",
    "churn_risk": "label",
    "policy_version_id": "id",
    "as_of": "day",
}
#: Products: `introduced` is the first day the product was known.
PRODUCTS: dict[str, str] = {"product_id": "id", "category": "id", "introduced": "day"}


def empty(columns: dict[str, str]) -> pd.DataFrame:
    """A table of these columns and kinds without rows."""
    types = {
        "id": "object",
        "day": "datetime64[s]",
        "number": "float64",
        "flag": "bool",
        "answer": "boolean",
        "label": "object",
    }
    return pd.DataFrame({name: pd.Series(dtype=types[kind]) for name, kind in columns.items()})


def rows_of(customer_ids: pd.Series, customers: pd.Series) -> np.ndarray:
    """For each fact the position of its customer in `customers` (unique), (k,) int64, -1 = none of them."""
    return pd.Index(customers).get_indexer(customer_ids)
