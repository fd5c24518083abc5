"""What else the second company knows of its customers: leads, offers, ratings, messages, activities.

Leads and offers are made through the ORM. Of ratings, messages and activities the ORM makes one, and SQL repeats its
row, replacing what differs.
"""

from collections import defaultdict
from datetime import datetime, timedelta

from odoo import Command
from odoo.tools import SQL

from demo.orders import copy_csv, insert_as, read_csv
from demo.people import QUIET

REASONS = {
    "lured_by_competitor": "Bought from a competitor",
    "circumstances_changed": "Closed or moved away",
    "deliberately_dropped": "Not worth serving",
    "": "No answer",
}
SOURCES = ("Trade fair", "Recommendation", "Website", "Cold call")
TOPICS = ("Range for the season", "Weekly supply", "New outlet", "Frame contract", "Promotion goods")
OURS, THEIRS = "<p>We see to it.</p>", "<p>A question about what we ordered.</p>"
ACTIVITIES = {
    "phonecall": "mail.mail_activity_data_call",
    "meeting": "mail.mail_activity_data_meeting",
    "default": "mail.mail_activity_data_todo",
}


def _moved(text, weeks):
    return datetime.fromisoformat(text) + timedelta(weeks=weeks)


def _date(env, records, columns):
    """Writes moments past the ORM, which would write now. `columns` are `{column: [moment or None, ...]}`."""
    env.flush_all()
    names = list(columns)
    env.cr.execute(
        SQL(
            "UPDATE %s t SET %s FROM unnest(%s, %s) AS given(id, %s) WHERE t.id = given.id",
            SQL.identifier(records._table),
            SQL(", ").join(SQL("%s = given.%s", SQL.identifier(n), SQL.identifier(n)) for n in names),
            records.ids,
            SQL(", ").join(SQL("%s::timestamp[]", columns[name]) for name in names),
            SQL(", ").join(SQL.identifier(name) for name in names),
        )
    )
    env.invalidate_all(flush=False)


def make_leads(env, folder, company, partners, weeks):
    """Leads won, lost with a reason, and open, as the simulation has them."""
    rows = read_csv(folder / "wholesale_leads.csv")
    sources = env["utm.source"].create([{"name": name} for name in SOURCES])
    reasons = {
        code: env["crm.lost.reason"].create({"name": name, "crm_value_lost_type": code or False})
        for code, name in REASONS.items()
    }
    # Odoo's own, of which the addon knows what it means.
    reasons["price_seeker"] = env.ref("crm.lost_reason_1")
    stages = env["crm.stage"].search([("is_won", "=", False)])
    leads = (
        env["crm.lead"]
        .with_context(**QUIET)
        .create(
            [
                {
                    "name": f"{TOPICS[number % len(TOPICS)]}, {partners[int(row['customer'])].name}",
                    "partner_id": partners[int(row["customer"])].id,
                    "type": "opportunity",
                    "company_id": company.id,
                    "user_id": partners[int(row["customer"])].user_id.id,
                    "stage_id": stages[number % len(stages)].id,
                    "source_id": sources[int(row["source_id"]) % len(sources)].id,
                    "expected_revenue": float(row["expected_revenue"]),
                }
                for number, row in enumerate(rows)
            ]
        )
    )
    outcome = defaultdict(list)
    for lead, row in zip(leads, rows, strict=True):
        outcome[row["outcome"], row["lost_type"]].append(lead.id)
    for (result, reason), ids in outcome.items():
        chosen = env["crm.lead"].browse(ids).with_context(**QUIET)
        if result == "won":
            chosen.action_set_won()
        elif result == "lost":
            chosen.action_set_lost(lost_reason_id=reasons[reason].id)
    known = [_moved(row["known"], weeks) for row in rows]
    closed = [_moved(row["closed"], weeks) if row["closed"] else None for row in rows]
    changed = [end or start for start, end in zip(known, closed, strict=True)]
    _date(
        env,
        leads,
        {
            "create_date": known,
            "date_open": known,
            "date_closed": closed,
            "date_last_stage_update": changed,
            "write_date": changed,
        },
    )
    for name in ("day_open", "day_close"):
        env.add_to_compute(leads._fields[name], leads)
    env.flush_all()


def make_quotations(env, folder, company, partners, products, weeks):
    """Offers that became no order: one line each, cancelled or still open."""
    rows = read_csv(folder / "wholesale_quotations.csv")
    shelf = list(products.values())
    orders = (
        env["sale.order"]
        .with_context(**QUIET)
        .create(
            [
                {
                    "company_id": company.id,
                    "partner_id": partners[int(row["customer"])].id,
                    "date_order": _moved(row["known"], weeks),
                    "validity_date": _moved(row["known"], weeks).date() + timedelta(days=30),
                    "order_line": [
                        Command.create(
                            {
                                "product_id": shelf[number % len(shelf)].id,
                                "product_uom_qty": 1,
                                "price_unit": float(row["amount"]),
                            }
                        )
                    ],
                }
                for number, row in enumerate(rows)
            ]
        )
    )
    orders.browse(
        [order.id for order, row in zip(orders, rows, strict=True) if row["outcome"] == "cancelled"]
    )._action_cancel()
    known = [_moved(row["known"], weeks) for row in rows]
    _date(env, orders, {"date_order": known, "create_date": known, "write_date": known})


def _stage(env, name, columns, path, partners):
    """A temporary table of a CSV file, with the customers' `partner_id` and `user_id` (partner of `user_partner`)."""
    env.cr.execute(SQL("CREATE TEMP TABLE %s (%s)", SQL.identifier(name), SQL(columns)))
    copy_csv(env, name, path)
    env.cr.execute(
        SQL(
            """
            CREATE TEMP TABLE %s AS
            SELECT row_number() OVER () AS number, f.*, c.id AS partner_id, c.name AS partner_name,
                   u.id AS user_id, up.id AS user_partner, up.tz AS user_tz,
                   up.email AS user_email, c.email AS partner_email
            FROM %s f
            JOIN unnest(%s, %s) AS known(customer, partner) ON known.customer = f.customer
            JOIN res_partner c ON c.id = known.partner
            JOIN res_users u ON u.id = c.user_id JOIN res_partner up ON up.id = u.partner_id
            """,
            SQL.identifier(f"{name}_of"),
            SQL.identifier(name),
            list(partners),
            [partner.id for partner in partners.values()],
        )
    )


def _repeat(env, record, replaced, tail):
    """Copies of the row of a record, which is then deleted; `replaced` and `tail` as for `insert_as`."""
    env.flush_all()
    name = f"pattern_{record._table}"
    env.cr.execute(
        SQL(
            "CREATE TEMP TABLE %s AS SELECT * FROM %s WHERE id = %s",
            SQL.identifier(name),
            SQL.identifier(record._table),
            record.id,
        )
    )
    count = insert_as(
        env,
        record._table,
        "p",
        {"id": f"nextval('{record._table}_id_seq')", **replaced},
        tail.format(pattern=name),
    )
    record.unlink()
    return count


def make_messages(env, folder, company, partners, weeks):
    path = folder / "wholesale_messages.csv"
    _stage(env, "demo_message", "customer int, direction text, moment timestamp", path, partners)
    some = next(iter(partners.values()))
    pattern = env["mail.message"].create(
        {
            "model": "res.partner",
            "res_id": some.id,
            "message_type": "email",
            "subtype_id": env.ref("mail.mt_comment").id,
            "author_id": some.id,
            "record_company_id": company.id,
            "body": "",
        }
    )
    moment = f"m.moment + {int(weeks)} * interval '7 days'"
    ours = "m.direction = 'out'"
    return _repeat(
        env,
        pattern,
        {
            "res_id": "m.partner_id",
            "author_id": f"CASE WHEN {ours} THEN m.user_partner ELSE m.partner_id END",
            "email_from": f"CASE WHEN {ours} THEN m.user_email ELSE m.partner_email END",
            "subject": f"CASE WHEN {ours} THEN 'Your order' ELSE 'Our order' END",
            "body": f"CASE WHEN {ours} THEN '{OURS}' ELSE '{THEIRS}' END",
            "message_id": "'<demo-' || m.number || '@example.com>'",
            "date": moment,
            "create_date": moment,
            "write_date": moment,
            "create_uid": "m.user_id",
            "write_uid": "m.user_id",
        },
        "FROM demo_message_of m CROSS JOIN {pattern} p ORDER BY m.moment, m.number",
    )


def make_activities(env, folder, partners, weeks):
    """Calls and visits that were done: Odoo keeps them archived."""
    path = folder / "wholesale_activities.csv"
    _stage(env, "demo_activity", "customer int, known date, due date, kind text", path, partners)
    types = {kind: env.ref(xmlid) for kind, xmlid in ACTIVITIES.items()}
    some = next(iter(partners.values()))
    pattern = (
        env["mail.activity"]
        .with_context(**QUIET, mail_activity_quick_update=True)
        .create(
            {
                "res_model_id": env["ir.model"]._get_id("res.partner"),
                "res_id": some.id,
                "activity_type_id": types["phonecall"].id,
                "user_id": some.user_id.id,
            }
        )
    )
    pattern.write({"active": False, "date_done": pattern.date_deadline})
    shift = f"{7 * int(weeks)}"
    chosen = " ".join(f"WHEN '{kind}' THEN {kind_of.id}" for kind, kind_of in types.items())
    words = " ".join(f"WHEN '{kind}' THEN '{kind_of.name}'" for kind, kind_of in types.items())
    return _repeat(
        env,
        pattern,
        {
            "res_id": "a.partner_id",
            "res_name": "a.partner_name",
            "activity_type_id": f"CASE a.kind {chosen} END",
            "summary": f"CASE a.kind {words} END",
            "user_id": "a.user_id",
            "user_tz": "a.user_tz",
            "date_deadline": f"a.due + {shift}",
            "date_done": f"a.known + {shift}",
            "create_date": f"(a.due + {shift} - 7)::timestamp",
            "write_date": f"(a.known + {shift})::timestamp",
            "create_uid": "a.user_id",
            "write_uid": "a.user_id",
        },
        "FROM demo_activity_of a CROSS JOIN {pattern} p ORDER BY a.number",
    )


def make_ratings(env, folder, partners, weeks, base):
    """Ratings of orders; `base` is the id of the first copied order, as `orders.insert_orders` answers it."""
    path = folder / "wholesale_ratings.csv"
    _stage(env, "demo_rating", "customer int, basket int, known timestamp, rating numeric", path, partners)
    order = env["sale.order"].browse(base)
    pattern = env["rating.rating"].create(
        {
            "res_model_id": env["ir.model"]._get_id("sale.order"),
            "res_id": order.id,
            "partner_id": order.partner_id.id,
            "rated_partner_id": order.user_id.partner_id.id,
            "rating": 5,
            "consumed": True,
        }
    )
    moment = f"r.known + {int(weeks)} * interval '7 days'"
    return _repeat(
        env,
        pattern,
        {
            "res_id": f"{int(base)} + n.rank",
            "res_name": "n.name",
            "partner_id": "r.partner_id",
            "rated_partner_id": "r.user_partner",
            "rating": "r.rating",
            "rating_text": "CASE WHEN r.rating >= 4 THEN 'top' WHEN r.rating >= 3 THEN 'ok' ELSE 'ko' END",
            "access_token": "md5(random()::text || r.number)",
            "rated_on": moment,
            "create_date": moment,
            "write_date": moment,
        },
        "FROM demo_rating_of r JOIN demo_number n USING (basket) CROSS JOIN {pattern} p ORDER BY r.known, r.number",
    )
