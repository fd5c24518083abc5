"""What people did about the service cases that the runs opened; run in `odoo shell` by script/demo after the last run.

The facts are the simulator's: deliveries late or short, goods that came back, low ratings. What caused them and how
they ended is made up here, as are the days, which follow those of the facts: else nobody could have ordered since.
"""

from datetime import datetime, time, timedelta
from itertools import cycle

from odoo.tools import SQL

from demo.people import WHOLESALE

#: The last run looks back so far, and opens as many as there are; then the settings are as usual again.
LOOK_BACK = {"crm_value_case_window_days": 200, "crm_value_alerts_at_once": 2000}
AS_USUAL = {"crm_value_case_window_days": 30, "crm_value_alerts_at_once": 100}
#: Cases known so many days ago are over, or at least begun.
OVER, BEGUN = 9, 4
CAUSES = {
    "late_delivery": ("carrier", "us", "carrier"),
    "short_delivery": ("us",),
    "return": ("product", "customer", "us"),
    "low_rating": ("us", "unknown"),
}
OUTCOMES = {
    "late_delivery": "Explained; next deliveries go by another route",
    "short_delivery": "The rest was sent by parcel",
    "return": "Taken back and replaced",
    "low_rating": "Called; the buyer was glad to be asked",
}
#: Amounts in the company's currency and what they were given for; nothing for most.
COMPENSATIONS = (None, (25, "Freight refunded"), None, None, (60, "Discount on the next order"))
#: Days from opening to the end, within the three that are due or beyond.
TAKEN = (1, 2, 1, 3, 2, 5, 8)
COMPLAINT = "Twice the wrong sort, and nobody called back"


def look_back(env):
    """Before the last run: some cases must be old enough to tell whether customers ordered again."""
    env["res.company"].browse(WHOLESALE).write(LOOK_BACK)
    env.cr.commit()


def work(env):
    """After it: what people did about the cases."""
    env["res.company"].browse(WHOLESALE).write(AS_USUAL)
    env = env(context={**env.context, "tracking_disable": True})
    cases = env["crm.value.case"].search([("company_id", "=", WHOLESALE), ("state", "=", "new")], order="id")
    today = env["res.company"].browse(WHOLESALE)._crm_value_today()
    causes = {kind: cycle(of_kind) for kind, of_kind in CAUSES.items()}
    steps = zip(cases, cycle(COMPENSATIONS), cycle(TAKEN), strict=False)
    for number, (case, compensation, taken) in enumerate(steps):
        age = (today - case.known_on).days
        opened = datetime.combine(case.known_on + timedelta(days=1), time(8, number % 60))
        if age >= BEGUN:
            case.cause = next(causes[case.kind])
        if age > OVER:
            # One of nine is given up.
            case.write(
                _ended(case, compensation) if number % 9 else {"state": "given_up", "outcome": "No answer"}
            )
        elif age >= BEGUN:
            case.state = "working"
        moments = {"create_date": opened, "due_date": opened.date() + timedelta(days=3)}
        if case.resolved_at:
            moments["resolved_at"] = opened + timedelta(days=taken, hours=number % 7)
        if age > 1:
            _date_back(env, case, moments)
    _complain(env, cases[-1:].partner_id)
    env.cr.commit()


def _ended(case, compensation):
    amount, words = compensation or (0, False)
    return {
        "state": "resolved",
        "outcome": OUTCOMES[case.kind],
        "compensation": words,
        "compensation_amount": amount,
    }


def _complain(env, customer):
    env["crm.value.case"].create(
        {"partner_id": customer.id, "company_id": WHOLESALE, "description": COMPLAINT, "cause": "us"}
    )


def _date_back(env, case, values):
    env.flush_all()
    assignments = SQL(", ").join(
        SQL("%s = %s", SQL.identifier(name), value) for name, value in values.items()
    )
    env.cr.execute(SQL("UPDATE crm_value_case SET %s WHERE id = %s", assignments, case.id))
    case.invalidate_recordset()
