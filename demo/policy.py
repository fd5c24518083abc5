"""The policy of a grocer: who has not come for a month is missed, where the default waits for a quarter."""

HORIZON_DAYS = 30


def make(env, companies):
    versions = env["crm.value.policy.version"].create(
        [
            {
                "company_id": company.id,
                "rule_ids": [(0, 0, {"key": "churn_horizon_days", "value": HORIZON_DAYS})],
            }
            for company in companies
        ]
    )
    for version in versions:
        version.action_activate()
