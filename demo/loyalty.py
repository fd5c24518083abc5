"""The second company's loyalty programme: a card for each member, and a line of its history for each order."""

from odoo import Command
from odoo.tools import SQL

from demo.orders import copy_csv, insert_as
from demo.people import QUIET


def make(env, folder, company, partners):
    env.cr.execute(
        "CREATE TEMP TABLE demo_file_points (customer int, basket int, issued numeric, used numeric)"
    )
    copy_csv(env, "demo_file_points", folder / "wholesale_points.csv")
    cards = _cards(env, _program(env, company), partners)
    pattern = env["loyalty.history"].create(
        {"card_id": cards[0][1], "issued": 1, "used": 0, "order_model": "sale.order", "description": "-"}
    )
    env.flush_all()
    env.cr.execute(
        SQL(
            """
            CREATE TEMP TABLE pattern_loyalty_history AS SELECT * FROM loyalty_history WHERE id = %s;
            CREATE TEMP TABLE demo_card AS SELECT * FROM unnest(%s, %s) AS card(customer, card_id)
            """,
            pattern.id,
            [customer for customer, _card in cards],
            [card for _customer, card in cards],
        )
    )
    pattern.unlink()
    insert_as(
        env,
        "loyalty_history",
        "p",
        {
            "id": "nextval('loyalty_history_id_seq')",
            "card_id": "c.card_id",
            "order_id": "d.order_id",
            "description": "'Order ' || d.order_name",
            "issued": "f.issued",
            "used": "f.used",
            "create_date": "d.date_order",
            "write_date": "d.date_order",
            "create_uid": "d.user_id",
            "write_uid": "d.user_id",
        },
        """
        FROM demo_file_points f JOIN demo_document d USING (basket) JOIN demo_card c USING (customer)
        CROSS JOIN pattern_loyalty_history p ORDER BY d.date_order, d.order_id
        """,
    )
    env.cr.execute(
        """
        UPDATE loyalty_card c SET create_date = h.first, write_date = h.last
        FROM (SELECT card_id, min(create_date) AS first, max(create_date) AS last FROM loyalty_history GROUP BY 1) h
        WHERE h.card_id = c.id
        """
    )


def _program(env, company):
    """A point for each ten euros before tax; fifty of them pay for something."""
    return env["loyalty.program"].create(
        {
            "name": "Harbour Points",
            "program_type": "loyalty",
            "company_id": company.id,
            "rule_ids": [
                Command.create(
                    {
                        "reward_point_amount": 0.1,
                        "reward_point_mode": "money",
                        "minimum_amount_tax_mode": "excl",
                    }
                )
            ],
            "reward_ids": [
                Command.create(
                    {
                        "reward_type": "discount",
                        "discount": 0.2,
                        "discount_mode": "per_point",
                        "required_points": 50,
                    }
                )
            ],
        }
    )


def _cards(env, program, partners):
    """`[(customer, id of the card)]` of everybody who ever got a point, with what is left."""
    env.cr.execute("SELECT customer, sum(issued - used)::float FROM demo_file_points GROUP BY 1 ORDER BY 1")
    rows = env.cr.fetchall()
    cards = (
        env["loyalty.card"]
        .with_context(**QUIET, action_no_send_mail=True)
        .create(
            [
                {"program_id": program.id, "partner_id": partners[customer].id, "points": points}
                for customer, points in rows
            ]
        )
    )
    return [(customer, card.id) for (customer, _points), card in zip(rows, cards, strict=True)]
