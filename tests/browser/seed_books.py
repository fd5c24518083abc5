"""Fed to `odoo shell` of the company that works with invoices; prints JSON.

A salesperson without rights in accounting, and a customer who is said to pay late.
"""

import json

env = globals()["env"]
env = env(context={**env.context, "tracking_disable": True, "no_reset_password": True})
partner = env["res.partner"].search([("ref", "=", "by_hand")])
invoices = env["account.move"].search([("partner_id", "=", partner.id), ("move_type", "=", "out_invoice")])
invoices = invoices.filtered(lambda move: move.state == "posted")
company = invoices.company_id
partner.user_id = env["res.users"].create(
    {
        "name": "Seller",
        "login": "seller",
        "password": "seller",
        "company_id": company.id,
        "company_ids": [(6, 0, company.ids)],
        "group_ids": [(6, 0, env.ref("sales_team.group_sale_salesman_all_leads").ids)],
    }
)
pay = env["account.payment.register"].with_context(active_model="account.move", active_ids=invoices[:1].ids)
pay.create({})._create_payments()
late = {"percent": 60, "peers": 4, "late": 2, "invoices": 3, "days": 21}
reason = {"code": "pays_late", "direction": "value", "contribution": None, "params": late}
reason |= {"model": "account.move", "record_ids": invoices.ids}
env.cr.execute(
    """INSERT INTO crm_value_profile (partner_id, company_id, currency_id, effective_lifecycle_stage,
              effective_value_segment, effective_value_class, reasons)
       VALUES (%s, %s, %s, 'retention', 'standard', 'standard', %s::jsonb)""",
    [partner.id, company.id, company.currency_id.id, json.dumps([reason])],
)
env.cr.commit()
print("SEEDED " + json.dumps({"partner": partner.id, "invoices": len(invoices)}))
