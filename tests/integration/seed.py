"""Fed to `odoo shell`: the sync user with its key, companies, and a sales history; prints one line of JSON.

Customers are found by their `ref` in the tests.
"""

import json
import random
from datetime import datetime, timedelta

env = globals()["env"]
rng = random.Random(7)
now = datetime.now().replace(hour=10, minute=0, second=0, microsecond=0)
main = env.ref("base.main_company")
main.partner_id.tz = "Europe/Paris"
main.name = "Main Company"
empty = env["res.company"].create({"name": "Empty Company"})
foreign = env["res.company"].create({"name": "Foreign Company"})
has_addon = "crm.value.run" in env
if has_addon:
    # Runs only where a test asks for one.
    (main | empty | foreign).crm_value_interval_hours = 0


def user(login, groups, companies):
    account = (
        env["res.users"]
        .with_context(no_reset_password=True)
        .create(
            {
                "name": login,
                "login": login,
                "company_id": companies[0].id,
                "company_ids": [(6, 0, companies.ids)],
                "group_ids": [(6, 0, [env.ref(group).id for group in groups])],
            }
        )
    )
    # The one who asks for the key needs the right to its lifetime: the settings user may give any.
    key = (
        env["res.users.apikeys"]
        .with_user(account)
        ._generate("rpc", "tests", datetime.now() + timedelta(days=80))
    )
    return account, key


sync_group = ["crm_value_addon.group_sync"] if has_addon else ["base.group_user"]
sync, key = user("sync", sync_group, main | empty)
clerk, clerk_key = user("clerk", ["base.group_user"], main)
admin_key = (
    env["res.users.apikeys"]
    .with_user(env.ref("base.user_admin"))
    ._generate("rpc", "tests", datetime.now() + timedelta(days=1))
)
expired, expired_key = user("expired", sync_group, main)
env.cr.execute(
    "UPDATE res_users_apikeys SET expiration_date = now() - interval '1 day' WHERE user_id = %s", [expired.id]
)
answer = {"key": key, "clerk_key": clerk_key, "admin_key": admin_key, "expired_key": expired_key}
answer |= {"main": main.id, "empty": empty.id, "foreign": foreign.id}

if has_addon:
    products = env["product.product"].create(
        [
            {"name": f"Product {i}", "list_price": 10 * (i + 1), "type": "consu", "taxes_id": False}
            for i in range(8)
        ]
    )
    other = env["res.currency"].with_context(active_test=False).search([("name", "=", "CHF")], limit=1)
    other.active = True
    env["res.currency.rate"].create(
        {"currency_id": other.id, "company_id": main.id, "name": "2015-01-01", "rate": 2.0}
    )
    pricelist = env["product.pricelist"].create(
        {"name": "CHF", "currency_id": other.id, "company_id": main.id}
    )
    special = [
        "currency",
        "zero",
        "negative",
        "cancelled",
        "future",
        "merge_from",
        "merge_to",
        "deleted",
        "midnight",
    ]
    names = [f"customer_{i:03d}" for i in range(60)] + special
    partners = env["res.partner"].create([{"name": f"Name of {ref}", "ref": ref} for ref in names])
    by_ref = {partner.ref: partner for partner in partners}
    contact = env["res.partner"].create({"name": "Contact", "parent_id": by_ref["customer_000"].id})
    orders = []  # (partner, day, amount, state, pricelist)
    for index in range(60):
        gap, day = rng.choice([20, 35, 60, 90]), rng.randint(300, 1000)
        while day > 0 and len(orders) < 5000:
            # A few buyers went away.
            if index % 7 == 0 and day < 250:
                break
            buyer = contact if index == 0 and rng.random() < 0.5 else by_ref[f"customer_{index:03d}"]
            orders.append((buyer, day, rng.randint(20, 900), "sale", None))
            day -= max(3, int(rng.gauss(gap, gap / 4)))
    for ref, day, amount, state, money in [
        ("currency", 40, 100, "sale", pricelist),
        ("zero", 30, 0, "sale", None),
        ("zero", 90, 50, "sale", None),
        ("negative", 30, -40, "sale", None),
        ("negative", 90, 100, "sale", None),
        ("cancelled", 30, 1000, "cancel", None),
        ("cancelled", 90, 10, "sale", None),
        ("future", -30, 1000, "sale", None),
        ("future", 90, 10, "sale", None),
        ("merge_from", 50, 70, "sale", None),
        ("merge_to", 60, 80, "sale", None),
        ("deleted", 60, 80, "sale", None),
        ("midnight", 60, 80, "sale", None),
    ]:
        orders.append((by_ref[ref], day, amount, state, money))
    created = (
        env["sale.order"]
        .with_context(tracking_disable=True, mail_create_nolog=True)
        .create(
            [
                {
                    "partner_id": partner.id,
                    "company_id": main.id,
                    **({"pricelist_id": money.id} if money else {}),
                    "date_order": now - timedelta(days=day),
                    "order_line": [
                        (
                            0,
                            0,
                            {
                                "product_id": products[len(str(amount)) + i].id,
                                "product_uom_qty": 1,
                                "price_unit": part,
                                "tax_ids": [(5, 0, 0)],
                            },
                        )
                        for i, part in enumerate([amount - amount // 3, amount // 3])
                    ],
                }
                for partner, day, amount, state, money in orders
            ]
        )
    )
    env.flush_all()
    env.cr.execute("UPDATE sale_order SET state = 'sale' WHERE id IN %s", [tuple(created.ids)])
    env.cr.execute("UPDATE sale_order_line SET state = 'sale' WHERE order_id IN %s", [tuple(created.ids)])
    for order, (partner, _, _, state, _) in zip(created, orders, strict=True):
        if state == "cancel":
            env.cr.execute("UPDATE sale_order SET state = 'cancel' WHERE id = %s", [order.id])
        if partner.ref == "midnight":
            # 23:30 UTC in winter is half past midnight of the next day in Paris.
            env.cr.execute(
                "UPDATE sale_order SET date_order = '2026-01-10 23:30:00' WHERE id = %s", [order.id]
            )
    answer["customers"] = {partner.ref: partner.id for partner in partners}
    answer["contact"] = contact.id
    answer["orders"] = len(orders)
env.cr.commit()
print("SEEDED " + json.dumps(answer))
