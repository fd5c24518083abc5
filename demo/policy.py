"""After which silence a customer counts as lost: a month for the grocer, two for the wholesaler, not three."""

HORIZON_DAYS = (30, 60)
NOTE = "How soon a customer of this trade counts as lost"


def make(env, companies):
    versions = env["crm.value.policy.version"].create(
        [
            {
                "company_id": company.id,
                "note": NOTE,
                "rule_ids": [(0, 0, {"key": "churn_horizon_days", "value": days})],
            }
            for company, days in zip(companies, HORIZON_DAYS, strict=True)
        ]
    )
    for version in versions:
        version.action_activate()
