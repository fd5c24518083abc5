"""What the companies of the demonstration promise their customers, agreed on with some, and do to win others back."""

from datetime import datetime, time, timedelta

from odoo import fields

from demo.people import HOME, WHOLESALE

PRIVILEGES = {
    (HOME, "key"): "Free delivery; a phone number of its own",
    (WHOLESALE, "key"): "60 days to pay; a person of its own; visits every quarter",
    (WHOLESALE, "growth"): "Free samples of new lines",
}
# Days since it began, part of what it bought in the year before, what it gets.
AGREEMENTS = (
    (200, 1.3, "3 % bonus at the end of the year"),
    (150, 0.8, "Free delivery"),
    (90, 1.0, "Price list of last year"),
)
PLAN = "Late summer, who stayed away"


def promise(env, day):
    """Service policies, agreements, and a win-back plan that began on a day (ISO), by the scores of then."""
    day = fields.Date.to_date(day) + timedelta(days=4)
    mia = env["res.users"].search([("login", "=", "mia")])
    for company in env["res.company"].browse([HOME, WHOLESALE]):
        of_company = {"allowed_company_ids": [company.id]}
        policies = env["crm.value.service.policy"].with_context(**of_company)
        policies.action_suggest()
        for policy in policies.search([("company_id", "=", company.id)]):
            policy.privileges = PRIVILEGES.get((company.id, policy.value_class))
        policies.search([("company_id", "=", company.id), ("value_class", "=", "standard")]).write(
            {"limits_discount": True, "discount_ceiling": 0.05}
        )
        policies.search([("company_id", "=", company.id), ("value_class", "=", "growth")]).contact_days = 14
        _agree(env, company)
        _win_back(env["crm.value.winback"].with_context(**of_company), company, mia, day)
    env.cr.commit()


def _agree(env, company):
    best = env["crm.value.profile"].search(
        [("company_id", "=", company.id), ("effective_value_class", "=", "key")],
        order="current_value desc, id",
        limit=len(AGREEMENTS),
    )
    today = company._crm_value_today()
    for profile, (days, part, incentive) in zip(best, AGREEMENTS, strict=True):
        begun = today - timedelta(days=days)
        env["crm.value.agreement"].create(
            {
                "partner_id": profile.partner_id.id,
                "company_id": company.id,
                "date_from": begun,
                "date_to": begun + timedelta(days=364),
                "volume": round(profile.current_value * part, -2) or 100,
                "payment_days": 30,
                "incentive": incentive,
            }
        )


def _win_back(plans, company, user, day):
    plan = plans.create(
        {
            "name": PLAN,
            "company_id": company.id,
            "user_id": user.id,
            "budget": 400,
            "contact_cost": 4,
            "control_share": 0.3,
            "window_days": 60,
        }
    )
    plan.action_fill()
    plan.action_start()
    plan.line_ids._drop_activities()
    plan.started_at = datetime.combine(day, time(9))
