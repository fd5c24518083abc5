"""The datasets of docs/contract.md as they are read: columns and types, and which of them an addon offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from sync_worker.errors import ContractError
from sync_worker.history.facts import FACTS, MAY_LACK, PREVIOUS, STANDING
from sync_worker.sentences import sentence

MEND = "Bring addon and worker to the same release."
ID, NUMBER, DAY, FLAG, LABEL = pa.int64(), pa.float64(), pa.date32(), pa.bool_(), pa.string()
_TYPES = {"id": ID, "number": NUMBER, "day": DAY, "flag": FLAG, "answer": FLAG, "label": LABEL}

Columns = dict[str, pa.DataType]

#: What every addon of this contract offers, as far as it is read.
DATASETS: dict[str, Columns] = {
    "orders": {"order_id": ID, "customer_id": ID, "date": DAY, "amount": NUMBER, "margin": NUMBER},
    "lines": {
        "line_id": ID,
        "order_id": ID,
        "product_id": ID,
        "quantity": NUMBER,
        "amount": NUMBER,
        "discount": NUMBER,
    },
    "partners": {"customer_id": ID, "format_id": ID, "first_seen": DAY, "archived": FLAG},
    "products": {"product_id": ID, "category_id": ID},
    "profiles": {column: _TYPES[kind] for column, kind in PREVIOUS.items()},
}
#: Sales at the counter, with the columns of orders and lines; where Odoo has a point of sale.
COUNTER: dict[str, Columns] = {"pos_orders": DATASETS["orders"], "pos_lines": DATASETS["lines"]}
#: What is known besides; each is offered where Odoo has the module.
FACT_DATASETS: dict[str, Columns] = {
    name: {column: _TYPES[kind] for column, kind in columns.items()} for name, columns in FACTS.items()
}
#: Columns of the datasets above that are read where they are offered.
ADDED: dict[str, Columns] = {
    "partners": {column: _TYPES[kind] for column, kind in STANDING.items()},
    "products": {"introduced": DAY},
}
# Identifiers that are empty in many rows, so integers with gaps; every other one is in every row.
_GAPS = {
    "partners": {"format_id", "territory_id"},
    "products": {"category_id"},
    "lines": {"product_id"},
    "pos_lines": {"product_id"},
    "deliveries": {"order_id"},
    "order_details": {"salesperson_id"},
    "leads": {"source_id"},
    "profiles": {"policy_version_id"},
}


def to_read(offered: Mapping[str, Sequence[str]], *, with_facts: bool) -> dict[str, Columns]:
    """Datasets of a history and their columns, of those a database offers (`describe()["datasets"]`).

    Raises:
        ContractError: a dataset is offered without a column it is read for.
    """
    wanted = {name: DATASETS[name] for name in ("orders", "partners", "lines", "products")}
    more = COUNTER | FACT_DATASETS if with_facts else COUNTER
    for name, columns in more.items():
        if name in offered:
            lacks = [column for column in columns if column not in offered[name]]
            missing = [column for column in lacks if column not in MAY_LACK.get(name, ())]
            if missing:
                words = f"The addon offers {name} without {', '.join(missing)}."
                told = sentence("addon_lacks_columns", words, dataset=name, columns=", ".join(missing))
                raise ContractError(told, MEND)
            wanted[name] = {column: kind for column, kind in columns.items() if column not in lacks}
    if with_facts:
        if set(DATASETS["profiles"]) <= set(offered.get("profiles", ())):
            wanted["profiles"] = DATASETS["profiles"]
        for name, columns in ADDED.items():
            given = {column: kind for column, kind in columns.items() if column in offered.get(name, ())}
            wanted[name] = wanted[name] | given
    return wanted


def has_gaps(dataset: str, column: str) -> bool:
    """Whether an identifier may be missing in a row."""
    return column in _GAPS.get(dataset, ())
