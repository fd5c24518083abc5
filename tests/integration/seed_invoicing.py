"""Fed to `odoo shell` of a copy of the seeded database: a company that works with invoices alone; prints JSON.

Customers are found by their `ref` in the tests.
"""

import json
import random
from datetime import date, timedelta

env = globals()["env"]
env = env(context={**env.context, "tracking_disable": True, "mail_create_nolog": True})
rng, today = random.Random(11), date.today()
company = env["res.company"].create({"name": "Invoicing Company", "crm_value_interval_hours": 0})
company.partner_id.tz = "America/Los_Angeles"
env.user.company_ids |= company
env["res.users"].search([("login", "=", "sync")]).company_ids |= company
env = env(context={**env.context, "allowed_company_ids": company.ids})
env["account.chart.template"].try_loading("generic_coa", company, install_demo=False)
francs = env.ref("base.CHF")
francs.active = True
env["res.currency.rate"].create(
    {"currency_id": francs.id, "company_id": company.id, "name": "2015-01-01", "rate": 2.0}
)
product = env["product.product"].create({"name": "Advice", "type": "service", "taxes_id": False})
partners = env["res.partner"].create(
    [{"name": f"Client {i}", "ref": f"client_{i}"} for i in range(25)]
    + [{"name": "By hand", "ref": "by_hand"}]
)
*clients, by_hand = partners


def bill(partner, days, amount, kind="out_invoice", **values):
    """A document that is dated so many days ago, of one line; not posted yet."""
    day = today - timedelta(days=days)
    line = {"product_id": product.id, "quantity": 1, "price_unit": amount, "tax_ids": [(5, 0, 0)]}
    return env["account.move"].create(
        {
            "move_type": kind,
            "partner_id": partner.id,
            "invoice_date": day,
            "date": day,
            "invoice_line_ids": [(0, 0, line)],
            **values,
        }
    )


moves = env["account.move"]
for client in clients:
    for days in range(rng.randint(10, 60), 400, rng.choice([40, 70])):
        moves |= bill(client, days, rng.randint(20, 900))
shown = [
    bill(by_hand, 40, 100),
    bill(by_hand, 20, 30, "out_refund"),
    bill(by_hand, 10, 100, currency_id=francs.id),
]
(moves.union(*shown)).action_post()
bill(by_hand, 5, 1000)  # a draft

policy = env["crm.value.policy.version"].create(
    {"company_id": company.id, "rule_ids": [(0, 0, {"key": "sales_basis", "value": "1"})]}
)
policy.action_activate()
answer = {
    "company": company.id,
    "customers": len(partners),
    "by_hand": by_hand.id,
    "credit_note": shown[1].id,
    "last": (today - timedelta(days=10)).isoformat(),
}
env.cr.commit()
print("SEEDED " + json.dumps(answer))
