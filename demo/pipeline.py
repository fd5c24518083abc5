"""Prospects of the first company with quotations and leads, and leads of its customers: sales to come."""

import random
from datetime import timedelta

from odoo import fields
from odoo.tools import SQL

from demo.people import HOME, QUIET

PROSPECTS = 60
LEADS = 140
TOPICS = [
    "Weekly delivery",
    "Office fruit basket",
    "Canteen supply",
    "Party platter",
    "Drinks for an event",
    "Snack shelf",
]


def backdate(env, records, days, columns):
    """Dates a record as made some days ago: the ORM writes now."""
    env.flush_all()
    for record, ago in zip(records, days, strict=True):
        moment = fields.Datetime.now() - timedelta(days=ago)
        env.cr.execute(
            SQL(
                "UPDATE %s SET %s WHERE id = %s",
                SQL.identifier(record._table),
                SQL(", ").join(SQL("%s = %s", SQL.identifier(column), moment) for column in columns),
                record.id,
            )
        )
    env.invalidate_all(flush=False)


def make_prospects(env, companies, users, products, rng):
    """Customers-to-be: half of them got a quotation; none ever bought."""
    number = 9000
    vals_list = []
    for position in range(PROSPECTS):
        vals_list.append(
            {
                "name": f"Prospect {number + position}",
                "is_company": position % 3 == 0,
                "user_id": users[rng.choice(["sam", "alex", "mia"])].id,
                "country_id": env.ref("base.us").id,
            }
        )
    prospects = env["res.partner"].with_context(**QUIET, res_partner_search_mode="customer").create(vals_list)
    shelf = list(products.values())
    quotations = (
        env["sale.order"]
        .with_context(**QUIET)
        .create(
            [
                {
                    "partner_id": prospect.id,
                    "company_id": companies[HOME].id,
                    "order_line": [
                        (0, 0, {"product_id": rng.choice(shelf).id, "product_uom_qty": rng.randint(5, 60)})
                        for _ in range(4)
                    ],
                }
                for prospect in prospects[::2]
            ]
        )
    )
    days = [rng.randint(1, 80) for _ in quotations]
    for quotation, ago in zip(quotations, days, strict=True):
        quotation.validity_date = fields.Datetime.now().date() + timedelta(days=30 - ago)
    quotations[::3]._action_cancel()
    quotations.filtered(lambda quotation: quotation.state == "draft")[::2].write({"state": "sent"})
    backdate(env, quotations, days, ["date_order", "create_date"])
    return prospects


def make_leads(env, companies, users, people, rng):
    """Leads and opportunities, some won, some lost with a reason, about the partners `people`."""
    reasons = env["crm.lost.reason"].search([])
    stages = env["crm.stage"].search([("is_won", "=", False)])
    leads = (
        env["crm.lead"]
        .with_context(**QUIET)
        .create(
            [
                {
                    "name": f"{TOPICS[position % len(TOPICS)]} for {partner.name}",
                    "partner_id": partner.id,
                    "type": "lead" if position % 6 == 0 else "opportunity",
                    "company_id": companies[HOME].id,
                    "user_id": (partner.user_id or users["alex"]).id,
                    "stage_id": stages[position % len(stages)].id,
                    "expected_revenue": rng.randint(2, 60) * 25,
                }
                for position, partner in enumerate(people)
            ]
        )
    )
    opportunities = leads.filtered(lambda lead: lead.type == "opportunity")
    opportunities[::7].action_set_won()
    for position, lead in enumerate(opportunities[3::7]):
        lead.action_set_lost(lost_reason_id=reasons[position % len(reasons)].id if reasons else False)
    backdate(env, leads, [rng.randint(0, 150) for _ in leads], ["create_date"])


def make(env, companies, users, products, known):
    """`known` are the customers, of whom some get a lead too."""
    rng = random.Random(7)
    prospects = make_prospects(env, companies, users, products, rng)
    chosen = rng.sample(known, min(LEADS - PROSPECTS, len(known)))
    make_leads(env, companies, users, [*prospects, *chosen], rng)
