"""Proof that the bulk copy wrote what the ORM would have written; run in `odoo shell`, changes nothing.

Copied orders are made once more through the ORM, with the clock set to their dates, and compared column by
column; then everything Odoo computes and stores is computed again on the copied orders themselves, and on copied
messages, activities, ratings, deliveries, invoices and payments.
"""

import json
import random

from freezegun import freeze_time

from demo.patterns import make_orders, order_values, rows_of, table_columns
from demo.people import QUIET

# Ids, the sequence's numbers, and who wrote when.
NOT_COMPARED = {"id", "name", "order_id", "create_date", "write_date", "create_uid", "write_uid"}
# Entered by people and only proposed by Odoo, from today's date, the pricelist, the customer's terms, or what the
# product costs today; of invoices, what follows from all lines together and is computed with these only.
ENTERED = {
    "sale.order": {"validity_date"},
    "sale.order.line": {"discount", "price_unit", "purchase_price"},
    "account.move": {"invoice_payment_term_id"},
    "account.move.line": {"price_unit", "sequence", "balance"},
    "account.payment": {"outstanding_account_id", "currency_id"},
}

# What becomes of an order when it is delivered and invoiced: computed again, but not there on the order made once more.
FOLLOWS = {
    "commitment_date",
    "delivery_status",
    "effective_date",
    "invoice_status",
    "qty_delivered",
    "qty_invoiced",
    "untaxed_amount_invoiced",
    "untaxed_amount_to_invoice",
    "stock_reference_ids",
    "invoice_lines",
}

CONTACTS = ("mail.message", "mail.activity", "rating.rating")
DOCUMENTS = (
    "stock.picking",
    "stock.move",
    "stock.move.line",
    "account.move",
    "account.move.line",
    "account.payment",
)


def differences(label, ours, theirs, skip):
    return [
        f"{label}: {column} is {ours[column]!r}, the ORM writes {theirs[column]!r}"
        for column in ours
        if column not in skip and ours[column] != theirs[column]
    ]


def relations(record):
    """Everything that many2many fields hold, by field."""
    return {
        name: sorted(record[name].ids)
        for name, field in record._fields.items()
        if field.type == "many2many" and field.store
    }


def sample(env, size, seed=1):
    """Copied orders of every kind: evenly over company, currency, fiscal position and kind of partner."""
    env.cr.execute(
        """
        SELECT array_agg(o.id ORDER BY o.id) FROM sale_order o JOIN res_partner p ON p.id = o.partner_id
        WHERE o.state = 'sale' AND o.name NOT LIKE 'pattern%'
        GROUP BY o.company_id, o.currency_id, o.fiscal_position_id, p.is_company, p.parent_id IS NULL
        ORDER BY min(o.id)
        """
    )
    groups = [ids for (ids,) in env.cr.fetchall()]
    rng = random.Random(seed)
    each = -(-size // len(groups))
    chosen = [order for ids in groups for order in rng.sample(ids, min(each, len(ids)))]
    rng.shuffle(chosen)
    # Small kinds leave room for more of the others.
    others = sorted({order for ids in groups for order in ids} - set(chosen))
    chosen += rng.sample(others, min(max(0, size - len(chosen)), len(others)))
    return env["sale.order"].browse(chosen[:size])


def remake(order, number):
    """The same order through the ORM, entered and confirmed at its own time."""
    zone = order.company_id.partner_id.tz
    env = order.with_context(**QUIET, tz=zone, allowed_company_ids=[order.company_id.id]).env
    lines = [
        (line.product_id, line.product_uom_qty, line.price_unit, line.discount, line.purchase_price)
        for line in order.order_line
    ]
    values = order_values(order.company_id, order.partner_id, lines, order.date_order)
    with freeze_time(order.date_order):
        return make_orders(env, [values | {"name": f"verify {number}"}])


def compare(env, order, made):
    (ours,), (theirs,) = rows_of(env, "sale_order", [order.id]), rows_of(env, "sale_order", made.ids)
    found = differences(order.name, ours, theirs, NOT_COMPARED | FOLLOWS)
    found += differences(order.name, relations(order), relations(made), FOLLOWS)
    pairs = list(zip(order.order_line, made.order_line, strict=True))
    for line, other in pairs:
        (ours,), (theirs,) = (
            rows_of(env, "sale_order_line", line.ids),
            rows_of(env, "sale_order_line", other.ids),
        )
        label = f"{order.name}, {line.product_id.default_code}"
        if ours["name"] != theirs["name"]:
            found.append(f"{label}: name is {ours['name']!r}, the ORM writes {theirs['name']!r}")
        found += differences(label, ours, theirs, NOT_COMPARED | FOLLOWS)
        found += differences(label, relations(line), relations(other), FOLLOWS)
    return found, len(pairs)


def recompute(env, records):
    """Differences after every stored computed field of the records was computed anew."""
    table = records._table
    before = rows_of(env, table, records.ids)
    fields = [
        field
        for field in records._fields.values()
        if field.store and field.compute and field.name not in ENTERED.get(records._name, ())
    ]
    for field in fields:
        env.add_to_compute(field, records)
    env.flush_all()
    after = rows_of(env, table, records.ids)
    # is_manually_modified: that somebody computed it again
    skip = {"write_date", "write_uid", "is_manually_modified"}
    return [found for ours, theirs in zip(before, after, strict=True)
            for found in differences(f"{table} {ours['id']}", ours, theirs, skip)], len(fields)  # fmt: skip


def some(env, model, size, seed=2):
    """Any copied records of a model, done activities among them."""
    ids = env[model].with_context(active_test=False).search([]).ids
    return env[model].browse(sorted(random.Random(seed).sample(ids, min(size, len(ids)))))


def verify(env, size=200):
    """Prints one line of JSON with what was compared and the differences found; rolls everything back."""
    env = env(context={**env.context, **QUIET, "allowed_company_ids": env["res.company"].search([]).ids})
    orders = sample(env, size)
    found, lines = [], 0
    for number, order in enumerate(orders):
        differing, count = compare(env, order, remake(order, number))
        found += differing
        lines += count
    columns = (
        len(table_columns(env, "sale_order"))
        + len(table_columns(env, "sale_order_line"))
        - len(NOT_COMPARED)
        - 4
    )
    again, fields = recompute(env, orders)
    again_lines, line_fields = recompute(env, orders.order_line)
    copied, kinds = [], {}
    for model in CONTACTS + DOCUMENTS:
        records = some(env, model, size)
        differing, _fields = recompute(env, records)
        copied += differing
        kinds[model] = len(records)
    env.cr.rollback()
    report = {
        "orders": len(orders),
        "lines": lines,
        "columns": columns,
        "differences": found[:50],
        "recomputed_fields": fields + line_fields,
        "recomputed_differences": (again + again_lines + copied)[:50],
        "copied": kinds,
    }
    print("VERIFIED " + json.dumps(report), flush=True)
