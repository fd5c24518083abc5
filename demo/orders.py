"""Baskets of the CSV files as confirmed sales orders: COPY into staging tables, two INSERTs from there."""

import csv
import json
from datetime import UTC, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from odoo import fields
from odoo.tools import SQL

from demo.patterns import learn, table_columns
from demo.people import HOME, ZONES

SHOP_ZONE = ZONES[HOME]  # where the baskets were bought; their time stamps are in UTC


class Loaded(NamedTuple):
    """How many orders and lines were copied, the id of the first order, and the weeks the dates were moved by."""

    orders: int
    lines: int
    base: int
    weeks: int


def weeks_until_recent(last):
    """Whole weeks to move a moment by, so that it falls into the seven days that end two hours ago. May be negative.

    The two hours are to spare: a move over a clock change is an hour more or less.
    """
    return (fields.Datetime.now() - timedelta(hours=2) - last) // timedelta(weeks=1)


def at_shop(bought, company):
    """When a basket is sold in the shop of a company: the same hour of its day as where it was bought (naive UTC)."""
    local = bought.replace(tzinfo=UTC).astimezone(ZoneInfo(SHOP_ZONE))
    return local.replace(tzinfo=ZoneInfo(ZONES[company])).astimezone(UTC).replace(tzinfo=None)


def read_csv(path):
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def copy_csv(env, table, path):
    with Path(path).open(encoding="utf-8") as file:
        env.cr.copy_expert(f"COPY {table} FROM STDIN WITH (FORMAT csv, HEADER)", file)


def stage_baskets(env, folder):
    """Temporary tables demo_basket and demo_item, with dates moved and in the shop's local rhythm."""
    env.cr.execute(
        """
        CREATE TEMP TABLE demo_basket (basket int PRIMARY KEY, customer int, company int, bought timestamp);
        CREATE TEMP TABLE demo_item
            (basket int, product int, quantity numeric, price_unit numeric, discount numeric, cost numeric)
        """
    )
    copy_csv(env, "demo_basket", folder / "orders.csv")
    copy_csv(env, "demo_item", folder / "lines.csv")
    env.cr.execute("SELECT company, max(bought) FROM demo_basket GROUP BY company")
    last = dict(env.cr.fetchall())
    weeks = weeks_until_recent(max(at_shop(bought, company) for company, bought in last.items()))
    for company in last:
        # The same hour of the day in every shop, whatever its zone and on either side of the clock change.
        env.cr.execute(
            SQL(
                """
                UPDATE demo_basket
                SET bought = ((bought AT TIME ZONE 'UTC' AT TIME ZONE %s) + %s * interval '7 days')
                             AT TIME ZONE %s AT TIME ZONE 'UTC'
                WHERE company = %s
                """,
                SHOP_ZONE,
                weeks,
                ZONES[company],
                company,
            )
        )
    env.cr.execute("ANALYZE demo_basket, demo_item")
    return weeks


def stage_products(env, products, rows):
    """Temporary table demo_product: what a line takes from its product."""
    env.cr.execute(
        "CREATE TEMP TABLE demo_product (product int PRIMARY KEY, product_id int, name text, taxed boolean)"
    )
    by_number = {int(row["product"]): row["taxed"] == "True" for row in rows}
    values = [
        (number, product.id, product.get_product_multiline_description_sale(), by_number[number])
        for number, product in products.items()
    ]
    env.cr.execute(
        SQL(
            "INSERT INTO demo_product SELECT * FROM unnest(%s, %s, %s, %s)",
            *[list(column) for column in zip(*values, strict=True)],
        )
    )


def stage_rates(env, companies):
    """Temporary table demo_rate: Odoo's own rate for each company, order currency and day until today."""
    env.cr.execute(
        """
        SELECT company, currency_id, day::date
        FROM (SELECT b.company, p.currency_id, min(b.bought)::date AS first
              FROM demo_basket b JOIN pattern_order p ON (p.p_customer, p.p_company) = (b.customer, b.company)
              GROUP BY 1, 2) kinds
        CROSS JOIN generate_series(first, now() AT TIME ZONE 'UTC' + interval '1 day', interval '1 day') day
        """
    )
    values = []
    for company, currency, day in env.cr.fetchall():
        own, other = companies[company].currency_id, env["res.currency"].browse(currency)
        values.append(
            (
                company,
                currency,
                day,
                env["res.currency"]._get_conversion_rate(own, other, companies[company], day),
            )
        )
    env.cr.execute("CREATE TEMP TABLE demo_rate (company int, currency_id int, day date, rate numeric)")
    env.cr.execute(
        SQL(
            "INSERT INTO demo_rate SELECT * FROM unnest(%s, %s, %s, %s::float8[])",
            *[list(column) for column in zip(*values, strict=True)],
        )
    )


def stage_patterns(env, order_rows, line_rows):
    """Temporary tables pattern_order and pattern_line: the ORM's rows with the keys they are found by."""
    env.cr.execute(
        """
        CREATE TEMP TABLE pattern_order AS
            SELECT 0 AS p_customer, 0 AS p_company, o.* FROM sale_order o LIMIT 0;
        CREATE TEMP TABLE pattern_line AS
            SELECT 0 AS p_customer, 0 AS p_company, false AS p_taxed, 0::numeric AS p_rate,
                   '{}'::int[] AS p_taxes, l.*
            FROM sale_order_line l LIMIT 0
        """
    )
    orders = [{**row, "p_customer": customer, "p_company": company} for customer, company, row in order_rows]
    lines = [
        {
            **row,
            "p_customer": customer,
            "p_company": company,
            "p_taxed": taxed,
            "p_rate": rate,
            "p_taxes": taxes,
        }
        for customer, company, taxed, rate, taxes, row in line_rows
    ]
    for table, rows in (("pattern_order", orders), ("pattern_line", lines)):
        name = SQL.identifier(table)
        env.cr.execute(
            SQL(
                "INSERT INTO %s SELECT * FROM json_populate_recordset(NULL::%s, %s::json)",
                name,
                name,
                json.dumps(rows),
            )
        )
    env.cr.execute("ANALYZE pattern_order, pattern_line")


# Computed before anything is inserted, so that both INSERTs need one pass. Prices and costs of the files are in the
# company's currency. The whole order is rounded once
# (company setting "round globally"), a line by itself; NUMERIC rounds halves away from zero, as Odoo does.
PRICED = """
    CREATE TEMP TABLE demo_line AS
    SELECT i.basket, i.quantity, own.price_unit, i.discount, own.cost::float8 AS cost,
           p.product_id, p.name, p.taxed, b.customer, b.company,
           raw.net, round(raw.net, 2) AS subtotal, raw.net * l.p_rate / 100 AS raw_tax,
           round(raw.net, 2) + round(raw.net * l.p_rate / 100, 2) AS total,
           round(raw.net, 2)::float8 - own.cost::float8 * i.quantity::float8 AS margin
    FROM demo_item i
    JOIN demo_basket b USING (basket)
    JOIN demo_product p USING (product)
    JOIN pattern_line l ON (l.p_customer, l.p_company, l.p_taxed) = (b.customer, b.company, p.taxed)
    JOIN demo_rate r ON (r.company, r.currency_id, r.day) = (b.company, l.currency_id, b.bought::date)
    CROSS JOIN LATERAL (
        SELECT round(i.price_unit * r.rate, 2) AS price_unit, round(i.cost * r.rate, 2) AS cost
    ) own
    CROSS JOIN LATERAL (SELECT i.quantity * own.price_unit * (1 - i.discount / 100) AS net) raw;
    CREATE TEMP TABLE demo_total AS
    SELECT basket, round(sum(net), 2) AS untaxed, round(sum(raw_tax), 2) AS tax,
           round(sum(margin)::numeric, 2) AS margin, bool_and(quantity < 0) AS returned
    FROM demo_line GROUP BY basket;
    ANALYZE demo_line, demo_total
"""


def without_foreign_keys(env):
    """Spares the checks of eight references a row, where the role may. Every id was just read from its table.

    Measured: 22 instead of 52 s for 600,000 lines.
    """
    env.cr.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if env.cr.fetchone()[0]:
        env.cr.execute("SET LOCAL session_replication_role = replica")


def insert_as(env, table, alias, replaced, tail):
    """INSERT of all columns of a table: those in `replaced` from SQL text, the others from the pattern."""
    columns = table_columns(env, table)
    assert set(replaced) <= set(columns), set(replaced) - set(columns)
    values = [SQL(replaced[c]) if c in replaced else SQL.identifier(alias, c) for c in columns]
    names = [SQL.identifier(c) for c in columns]
    env.cr.execute(
        SQL(
            "INSERT INTO %s (%s) SELECT %s %s",
            SQL.identifier(table),
            SQL(", ").join(names),
            SQL(", ").join(values),
            SQL(tail),
        )
    )
    return env.cr.rowcount


def insert_orders(env):
    """Orders in the order of their dates, with ids and names as the sequences would have given them."""
    sequence = env["ir.sequence"].search([("code", "=", "sale.order"), ("company_id", "=", False)], limit=1)
    first = sequence.number_next_actual
    env.cr.execute("SELECT nextval('sale_order_id_seq'), count(*) FROM demo_basket")
    base, count = env.cr.fetchone()
    env.cr.execute("CREATE TEMP TABLE demo_number (basket int PRIMARY KEY, rank int, name text)")
    env.cr.execute("SELECT basket FROM demo_basket JOIN demo_total USING (basket) ORDER BY bought, basket")
    baskets = [basket for (basket,) in env.cr.fetchall()]
    names = [sequence.get_next_char(first + rank) for rank in range(len(baskets))]
    env.cr.execute(
        SQL(
            "INSERT INTO demo_number SELECT * FROM unnest(%s, %s, %s)",
            baskets,
            list(range(len(baskets))),
            names,
        )
    )
    env.cr.execute("ANALYZE demo_number")
    replaced = {
        "id": f"{int(base)} + n.rank",
        "name": "n.name",
        "date_order": "b.bought",
        "currency_rate": "r.rate",
        "amount_untaxed": "t.untaxed",
        "amount_tax": "t.tax",
        "amount_total": "t.untaxed + t.tax",
        # Odoo's word for an order of which nothing is left to invoice: 0 is not less than what was ordered
        "invoice_status": "CASE WHEN t.returned THEN 'invoiced' ELSE p.invoice_status END",
        "margin": "t.margin",
        "margin_percent": "CASE WHEN t.untaxed = 0 THEN 0 ELSE t.margin::float8 / t.untaxed::float8 END",
        "create_date": "b.bought",
        "write_date": "b.bought",
        "create_uid": "p.user_id",
        "write_uid": "p.user_id",
    }
    zone = (
        "CASE b.company "
        + " ".join(f"WHEN {number} THEN '{name}'" for number, name in ZONES.items())
        + " END"
    )
    # The patterns are made in the time zone of the first company, where today may be another day than here.
    replaced["validity_date"] = (
        f"(b.bought AT TIME ZONE 'UTC' AT TIME ZONE {zone})::date"
        f" + (p.validity_date - (now() AT TIME ZONE '{SHOP_ZONE}')::date)"
    )
    inserted = insert_as(
        env,
        "sale_order",
        "p",
        replaced,
        """
        FROM demo_basket b
        JOIN demo_number n USING (basket)
        JOIN demo_total t USING (basket)
        JOIN pattern_order p ON (p.p_customer, p.p_company) = (b.customer, b.company)
        JOIN demo_rate r ON (r.company, r.currency_id, r.day) = (b.company, p.currency_id, b.bought::date)
        ORDER BY n.rank
        """,
    )
    env.cr.execute(SQL("SELECT setval('sale_order_id_seq', %s)", base + count))
    sequence.number_next_actual = first + inserted
    return base, inserted


def insert_lines(env, base):
    replaced = {
        "id": "nextval('sale_order_line_id_seq')",
        "order_id": f"{int(base)} + n.rank",
        "product_id": "i.product_id",
        "name": "i.name",
        "product_uom_qty": "i.quantity",
        "price_unit": "i.price_unit",
        "technical_price_unit": "i.price_unit::float8",
        "discount": "i.discount",
        "invoice_status": "CASE WHEN i.quantity < 0 THEN 'invoiced' ELSE p.invoice_status END",
        "purchase_price": "i.cost",
        # over text: the cast from float8 to numeric rounds to 15 digits, the ORM writes 17
        "margin": "i.margin::text::numeric",
        "margin_percent": "CASE WHEN i.subtotal = 0 THEN 0 ELSE i.margin / i.subtotal::float8 END",
        "price_subtotal": "i.subtotal",
        "price_total": "i.total",
        "price_tax": "i.total::float8 - i.subtotal::float8",
        "price_reduce_taxexcl": "round(i.subtotal / i.quantity, 2)",
        "price_reduce_taxinc": "round(i.total / i.quantity, 2)",
        "create_date": "b.bought",
        "write_date": "b.bought",
        "create_uid": "p.salesman_id",
        "write_uid": "p.salesman_id",
    }
    inserted = insert_as(
        env,
        "sale_order_line",
        "p",
        replaced,
        """
        FROM demo_line i
        JOIN demo_basket b USING (basket)
        JOIN demo_number n USING (basket)
        JOIN pattern_line p ON (p.p_customer, p.p_company, p.p_taxed) = (i.customer, i.company, i.taxed)
        ORDER BY n.rank, i.product_id
        """,
    )
    # What was analysed while it was empty would be searched from end to end for every row.
    env.cr.execute("ANALYZE sale_order, sale_order_line, demo_product")
    relation = env["sale.order.line"]._fields["tax_ids"]
    env.cr.execute(
        SQL(
            """
            INSERT INTO %(relation)s (%(line)s, %(tax)s)
            SELECT l.id, tax.id
            FROM sale_order_line l
            JOIN demo_number n ON l.order_id = %(base)s + n.rank
            JOIN demo_basket b USING (basket)
            JOIN demo_product d ON d.product_id = l.product_id
            JOIN pattern_line p ON (p.p_customer, p.p_company, p.p_taxed) = (b.customer, b.company, d.taxed)
            CROSS JOIN LATERAL unnest(p.p_taxes) AS tax(id)
            """,
            relation=SQL.identifier(relation.relation),
            line=SQL.identifier(relation.column1),
            tax=SQL.identifier(relation.column2),
            base=base,
        )
    )
    return inserted


def load(env, folder, *, companies, buyers, products, say):
    """Loads orders.csv and lines.csv of `folder`. `products` are `{company: {number: product}}`. Answers `Loaded`."""
    product_rows = [
        row for name in ("products.csv", "wholesale_products.csv") for row in read_csv(folder / name)
    ]
    pairs = sorted({(int(row["customer"]), int(row["company"])) for row in read_csv(folder / "orders.csv")})
    taxed = {int(row["product"]): row["taxed"] == "True" for row in product_rows}
    samples = {
        company: {taxed[number]: product for number, product in shelf.items()}
        for company, shelf in products.items()
    }
    say(f"learning what the ORM writes for {len(pairs)} customers")
    order_rows, line_rows = learn(env, pairs, companies, buyers, samples)
    say("copying the baskets")
    stage_patterns(env, order_rows, line_rows)
    weeks = stage_baskets(env, folder)
    stage_products(
        env, {number: p for shelf in products.values() for number, p in shelf.items()}, product_rows
    )
    stage_rates(env, companies)
    env.cr.execute(PRICED)
    without_foreign_keys(env)
    say("inserting orders")
    base, orders = insert_orders(env)
    say("inserting lines")
    lines = insert_lines(env, base)
    env.invalidate_all()
    return Loaded(orders, lines, base, weeks)
