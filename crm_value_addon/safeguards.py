"""What threatens the relation with customers under safeguards: one query per rule, and what it says.

Each query is of profiles under a service policy with safeguards, ``watched``; it yields rows of ``partner_id`` and
``figures``, what the sentence of the alert is made of.
"""

from odoo.tools import SQL
from odoo.tools.misc import format_date

from .formatting import number_text, percent_text

# Two failures of ours within so many days: the next one may be one too many.
FAILURES, FAILURE_DAYS = 2, 90

# One message that got no answer happens to anybody.
UNANSWERED, UNANSWERED_SHARE = 2, 0.25

RULES = [
    ("contact_overdue", "Contact overdue"),
    ("single_contact", "One contact person only"),
    ("sales_drop", "Sudden drop of sales"),
    ("value_falling", "Value falling"),
    ("at_risk", "Churn risk high"),
    ("unanswered", "Messages unanswered"),
    ("agreement_behind", "Agreement not kept"),
    ("repeated_failures", "Repeated failures"),
]


def rule_sql(rule, watched, today):
    """SQL of the customers that a rule is about now.

    :param str rule: a code of ``RULES``
    :param SQL watched: a table of the profiles under safeguards
    :param date today: the day of the company
    """
    return {
        "contact_overdue": lambda: SQL(
            """SELECT partner_id, jsonb_build_object('due', contact_due, 'last',
                      COALESCE(GREATEST(last_contact_date, contacted_on), last_order_date)) AS figures
                 FROM %s AS watched WHERE contact_due < %s""",
            watched,
            today,
        ),
        "single_contact": lambda: SQL(
            """SELECT watched.partner_id, jsonb_build_object('people', count(person.id)) AS figures
                 FROM %s AS watched
                 JOIN res_partner customer ON customer.id = watched.partner_id AND customer.is_company
                 LEFT JOIN res_partner person ON person.parent_id = customer.id AND person.active
                      AND person.type = 'contact' AND NOT COALESCE(person.is_company, FALSE)
                GROUP BY watched.partner_id HAVING count(person.id) <= 1""",
            watched,
        ),
        "sales_drop": lambda: SQL(
            """SELECT partner_id, jsonb_build_object('percent', anomaly_percent, 'since', anomaly_since) AS figures
                 FROM %s AS watched WHERE anomaly = 'drop'""",
            watched,
        ),
        "value_falling": lambda: SQL(
            """SELECT partner_id, jsonb_build_object('basis', value_basis) AS figures
                 FROM %s AS watched WHERE value_trend = 'falling'""",
            watched,
        ),
        "at_risk": lambda: SQL(
            """SELECT partner_id, jsonb_build_object('probability', churn_probability) AS figures
                 FROM %s AS watched WHERE effective_churn_risk = 'high' AND NOT COALESCE(churn_withheld, FALSE)""",
            watched,
        ),
        "unanswered": lambda: SQL(
            """SELECT partner_id, reason -> 'params' AS figures
                 FROM %s AS watched, jsonb_array_elements(watched.reasons) reason
                WHERE jsonb_typeof(watched.reasons) = 'array' AND reason ->> 'code' = 'unanswered'
                  AND (reason -> 'params' ->> 'unanswered')::float >= %s
                  AND (reason -> 'params' ->> 'unanswered')::float
                      >= %s * (reason -> 'params' ->> 'messages')::float""",
            watched,
            UNANSWERED,
            UNANSWERED_SHARE,
        ),
        # Of two the one that ends first: the other has time left.
        "agreement_behind": lambda: SQL(
            """SELECT DISTINCT ON (watched.partner_id) watched.partner_id, jsonb_build_object('percent',
                      trunc(100 * agreement.sold / agreement.volume), 'overdue', agreement.overdue > 0,
                      'until', agreement.date_to) AS figures
                 FROM %s AS watched
                 JOIN crm_value_agreement agreement ON agreement.partner_id = watched.partner_id
                      AND agreement.company_id = watched.company_id
                WHERE agreement.state IN ('behind', 'broken') AND agreement.date_to >= %s - 90
                ORDER BY watched.partner_id, agreement.date_to, agreement.id""",
            watched,
            today,
        ),
        # One delivery that was late and short failed once.
        "repeated_failures": lambda: SQL(
            """SELECT watched.partner_id,
                      jsonb_build_object('count', count(DISTINCT failure.event), 'days', %(days)s::int) AS figures
                 FROM %(watched)s AS watched
                 JOIN (SELECT entry.partner_id, entry.company_id, entry.cause, entry.occurred_on,
                              COALESCE(entry.res_model || ',' || entry.res_id, entry.id::text) AS event
                         FROM crm_value_case entry) failure
                   ON failure.partner_id = watched.partner_id AND failure.company_id = watched.company_id
                  AND failure.cause <> 'customer' AND failure.occurred_on > %(today)s - %(days)s::int
                GROUP BY watched.partner_id HAVING count(DISTINCT failure.event) >= %(failures)s""",
            days=FAILURE_DAYS,
            watched=watched,
            today=today,
            failures=FAILURES,
        ),
    }[rule]()


def alert_text(env, rule, figures):
    """What an alert says, in the reader's language; its figures may be of an older release."""
    figures = figures or {}

    def day(name):
        return format_date(env, figures[name])

    try:
        return {
            "contact_overdue": lambda: env._(
                "The last contact was on %(last)s; by its service policy one was due on %(due)s.",
                last=day("last"),
                due=day("due"),
            ),
            "single_contact": lambda: (
                env._("We know one person there: if that one leaves, we know nobody.")
                if figures["people"]
                else env._("We know no person there by name.")
            ),
            "sales_drop": lambda: env._(
                "It buys %(percent)s %% less than its own pattern since %(since)s.",
                percent=number_text(env, abs(figures["percent"])),
                since=day("since"),
            ),
            "value_falling": lambda: (
                env._("Its margin falls from quarter to quarter, by more than chance.")
                if figures["basis"] == "margin"
                else env._("Its sales fall from quarter to quarter, by more than chance.")
            ),
            "at_risk": lambda: (
                env._("Its churn risk is high: %s.", percent_text(env, figures["probability"]))
                if figures["probability"] is not None
                else env._("Its churn risk is high.")
            ),
            "unanswered": lambda: env._(
                "%(unanswered)s of %(messages)s messages are without an answer.",
                unanswered=number_text(env, figures["unanswered"]),
                messages=number_text(env, figures["messages"]),
            ),
            "agreement_behind": lambda: (
                env._(
                    "It bought %(percent)s %% of what was agreed on until %(until)s, and pays later than agreed on.",
                    percent=number_text(env, figures["percent"]),
                    until=day("until"),
                )
                if figures["overdue"]
                else env._(
                    "It bought %(percent)s %% of what was agreed on until %(until)s.",
                    percent=number_text(env, figures["percent"]),
                    until=day("until"),
                )
            ),
            "repeated_failures": lambda: env._(
                "We failed it %(count)s times within %(days)s days: do not wait for the next order.",
                count=number_text(env, figures["count"]),
                days=number_text(env, figures["days"]),
            ),
        }[rule]()
    except (KeyError, TypeError, ValueError):
        return ""
