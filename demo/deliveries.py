"""Transfers of goods to the second company's customers and back, copied in bulk from `document_patterns.py`."""

from odoo.tools import SQL

from demo.document_patterns import repeat

#: The parts of a delivery: a line of which nothing came is cancelled, as Odoo does without a backorder.
PARTS = "demo_document_line i JOIN demo_document d USING (basket)"
CAME = "(d.kind = 'open' OR i.quantity > 0)"


def make(env, company):
    _name(env, company)
    _transfers(env)
    _moves(env)
    _references(env)


def _name(env, company):
    """Table `demo_transfer`: the name of each, as the sequences of the warehouse would have given it."""
    env.cr.execute("CREATE TEMP TABLE demo_transfer (basket int PRIMARY KEY, name text)")
    warehouse = env["stock.warehouse"].search([("company_id", "=", company.id)], limit=1)
    kinds = ((warehouse.out_type_id, "origin = 0"), (warehouse.in_type_id, "origin <> 0"))
    for picking_type, which in kinds:
        sequence = picking_type.sequence_id
        first = sequence.number_next_actual
        env.cr.execute(f"SELECT basket FROM demo_document WHERE {which} ORDER BY picking_number")
        baskets = [basket for (basket,) in env.cr.fetchall()]
        names = [sequence.get_next_char(first + number) for number in range(len(baskets))]
        env.cr.execute(SQL("INSERT INTO demo_transfer SELECT * FROM unnest(%s, %s)", baskets, names))
        sequence.number_next_actual = first + len(baskets)
    env.cr.execute("ANALYZE demo_transfer")


def _transfers(env):
    repeat(
        env,
        "stock_picking",
        {
            "id": "d.picking_id",
            "name": "t.name",
            "origin": "d.order_name",
            "partner_id": "d.partner_shipping_id",
            "sale_id": "d.order_id",
            "return_id": "sold.picking_id",
            "scheduled_date": "d.promised",
            "date_deadline": "d.promised",
            "date_done": "d.done",
            **_written("d.user_id"),
        },
        "demo_document d JOIN demo_transfer t USING (basket) LEFT JOIN demo_document sold ON sold.basket = d.origin",
        "d.kind",
    )


def _moves(env):
    quantity = "CASE WHEN d.kind = 'open' THEN i.ordered ELSE i.quantity END"
    # a line that came back is one of those that went out
    source = f"""{PARTS} JOIN demo_transfer t USING (basket)
        LEFT JOIN demo_document_line sold ON (sold.basket, sold.product_id) = (d.origin, i.product_id)"""
    repeat(
        env,
        "stock_move",
        {
            "id": "i.move_id",
            "sequence": "i.sequence",
            "product_id": "i.product_id",
            "product_uom": "i.product_uom_id",
            "packaging_uom_id": "i.product_uom_id",
            "picking_id": "d.picking_id",
            "sale_line_id": "i.line_id",
            "origin_returned_move_id": "sold.move_id",
            "partner_id": "d.partner_shipping_id",
            "origin": "d.order_name",
            "reference": "t.name",
            "product_uom_qty": "i.ordered",
            "product_qty": "i.ordered",
            "packaging_uom_qty": "i.ordered",
            "quantity": quantity,
            "value": f"CASE WHEN {CAME} THEN round(i.quantity * i.purchase_price / d.currency_rate, 2) ELSE 0 END",
            "state": f"CASE WHEN {CAME} THEN p.state ELSE 'cancel' END",
            "picked": f"p.picked AND {CAME}",
            "is_out": f"p.is_out AND {CAME}",
            "date": "COALESCE(d.done, d.promised)",
            "date_deadline": "d.promised",
            "reservation_date": "d.date_order::date",
            **_written("d.user_id"),
        },
        source,
        "d.kind",
    )
    repeat(
        env,
        "stock_move_line",
        {
            "id": "nextval('stock_move_line_id_seq')",
            "product_id": "i.product_id",
            "product_uom_id": "i.product_uom_id",
            "picking_id": "d.picking_id",
            "move_id": "i.move_id",
            "quantity": quantity,
            "quantity_product_uom": quantity,
            "date": "COALESCE(d.done, d.date_order)",
            **_written("d.user_id"),
        },
        PARTS,
        f"d.kind AND {CAME}",
    )


def _written(who):
    """When and by whom a document was made and last changed."""
    return {
        "create_date": "d.date_order",
        "write_date": "COALESCE(d.done, d.date_order)",
        "create_uid": who,
        "write_uid": who,
    }


def _references(env):
    """What Odoo ties an order to its transfers by."""
    env.cr.execute(
        """
        INSERT INTO stock_reference (id, name, create_uid, write_uid, create_date, write_date)
            SELECT reference_id, order_name, user_id, user_id, date_order, date_order FROM demo_document;
        INSERT INTO stock_reference_sale_rel (sale_id, reference_id)
            SELECT order_id, reference_id FROM demo_document;
        INSERT INTO stock_reference_move_rel (move_id, reference_id)
            SELECT i.move_id, d.reference_id FROM demo_document_line i JOIN demo_document d USING (basket)
        """
    )
