"""Fed to `odoo shell` of a database with the optional modules: a row or two of every dataset; prints JSON.

One customer orders, is delivered late, is invoiced, pays, gives back, rates and writes; another buys at the counter.
"""

import json
from datetime import datetime, timedelta

env = globals()["env"]
env = env(context={**env.context, "no_reset_password": True, "tracking_disable": True})
main = env.ref("base.main_company")
main.partner_id.tz = "UTC"
main.crm_value_interval_hours = 0
if not main.chart_template:
    env["account.chart.template"].try_loading("generic_coa", main, install_demo=False)
env.user.group_ids += env.ref("point_of_sale.group_pos_manager")


def stamp(record, **columns):
    """What the ORM would not set, as if it had happened then."""
    env.flush_all()
    for column, value in columns.items():
        env.cr.execute(f'UPDATE "{record._table}" SET "{column}" = %s WHERE id = %s', [value, record.id])
    env.invalidate_all()


def account(login, group):
    user = env["res.users"].create(
        {
            "name": login,
            "login": login,
            "company_id": main.id,
            "company_ids": [(6, 0, main.ids)],
            "group_ids": [(6, 0, env.ref(group).ids)],
        }
    )
    expiry = datetime.now() + timedelta(days=80)
    return user, env["res.users.apikeys"].with_user(user)._generate("rpc", "tests", expiry)


sync, key = account("sync", "crm_value_addon.group_sync")
seller, _key = account("seller", "sales_team.group_sale_salesman_all_leads")

group, customer, walk_in = env["res.partner"].create(
    [{"name": f"Zyxwvut {name}", "is_company": True} for name in ("Group", "Customer", "Walk-in")]
)
customer.write({"parent_id": group.id, "vat": "BE0477472701"})
contact = env["res.partner"].create({"name": "Zyxwvut Buyer", "parent_id": customer.id})
product = env["product.product"].create(
    {"name": "Zyxwvut", "list_price": 50, "type": "consu", "taxes_id": False, "invoice_policy": "order"}
)
product.categ_id = env["product.category"].create({"name": "Zyxwvut"})
product.standard_price = 30
stamp(product, create_date="2025-12-24 12:00:00")


def order(state, **values):
    line = {"product_id": product.id, "product_uom_qty": 2, "price_unit": 50, "tax_ids": [(5, 0, 0)]}
    made = env["sale.order"].create(
        {"partner_id": contact.id, "user_id": seller.id, "order_line": [(0, 0, line)], **values}
    )
    if state == "sale":
        made.action_confirm()
    stamp(made, state=state, date_order="2026-01-15 12:00:00")
    return made


def transfer(picking, quantity, day):
    picking.move_ids.quantity = quantity
    picking.move_ids.picked = True
    picking.with_context(skip_backorder=True).button_validate()
    stamp(picking, date_done=f"{day} 12:00:00")


sold = order("sale", commitment_date="2026-01-18 12:00:00")
quotation = order("sent")
delivery = sold.picking_ids
transfer(delivery, 2, "2026-01-20")
wizard = env["stock.return.picking"].create({"picking_id": delivery.id})
wizard.product_return_moves.quantity = 1
returned = env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
transfer(returned, 1, "2026-01-25")

invoice = sold._create_invoices()
invoice.write({"invoice_date": "2026-01-21", "invoice_date_due": "2026-02-20"})
invoice.action_post()
stamp(invoice, create_date="2026-01-21 12:00:00")
env["account.payment.register"].with_context(active_model="account.move", active_ids=invoice.ids).create(
    {"amount": 100, "payment_date": "2026-03-01"}
)._create_payments()

rating = env["rating.rating"].create(
    {
        "partner_id": contact.id,
        "res_model_id": env["ir.model"]._get_id("product.template"),
        "res_id": product.product_tmpl_id.id,
        "rating": 2,
        "consumed": True,
        "feedback": "Zyxwvut",
    }
)
stamp(rating, rated_on="2026-01-26 12:00:00")
lead = env["crm.lead"].create(
    {"name": "Zyxwvut", "partner_id": contact.id, "type": "opportunity", "expected_revenue": 500}
)
lead.action_set_lost(lost_reason_id=env.ref("crm.lost_reason_1").id)
stamp(lead, create_date="2026-02-01 12:00:00", date_closed="2026-02-10 12:00:00")
message = customer.message_post(
    body="Zyxwvut", author_id=contact.id, message_type="email", subtype_xmlid="mail.mt_comment"
)
message.date = "2026-01-27 06:30:00"
activity = customer.activity_schedule("mail.mail_activity_data_call", user_id=seller.id)
activity.date_deadline = "2026-01-28"
activity.action_done()
stamp(activity, date_done="2026-01-29")
program = env["loyalty.program"].create(
    {
        "name": "Zyxwvut",
        "program_type": "loyalty",
        "company_id": main.id,
        "currency_id": main.currency_id.id,
        "reward_ids": [(0, 0, {})],
    }
)
card = env["loyalty.card"].create({"program_id": program.id, "partner_id": contact.id})
points = env["loyalty.history"].create(
    {"card_id": card.id, "description": "Zyxwvut", "issued": 10, "used": 4}
)
stamp(points, create_date="2026-01-16 12:00:00")

config = env["pos.config"].create({"name": "Zyxwvut"})
session = env["pos.session"].create({"config_id": config.id})
counter = env["pos.order"].create(
    {
        "session_id": session.id,
        "company_id": main.id,
        "partner_id": walk_in.id,
        "amount_tax": 0,
        "amount_total": 75,
        "amount_paid": 75,
        "amount_return": 0,
        "lines": [
            (
                0,
                0,
                {
                    "name": "x",
                    "product_id": product.id,
                    "qty": 3,
                    "price_unit": 25,
                    "price_subtotal": 75,
                    "price_subtotal_incl": 75,
                },
            )
        ],
    }
)
stamp(counter, state="done", date_order="2026-01-17 12:00:00")

answer = {
    name: record.id
    for name, record in {
        "main": main,
        "seller": seller,
        "group": group,
        "customer": customer,
        "walk_in": walk_in,
        "product": product,
        "category": product.categ_id,
        "sold": sold,
        "quotation": quotation,
        "delivery": delivery,
        "returned": returned,
        "invoice": invoice,
        "rating": rating,
        "lead": lead,
        "message": message,
        "activity": activity,
        "card": card,
        "points": points,
        "counter": counter,
    }.items()
}
env.cr.commit()
print("SEEDED " + json.dumps({"key": key, **answer}))
