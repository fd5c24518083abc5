from odoo import api, models
from odoo.tools import SQL
from odoo.tools.misc import format_date, format_datetime

from ..customer_page import PAGE_COLUMNS, customer_page
from ..formatting import number_text, percent_text
from ..label_texts import label_text, policy_figures
from ..labels import GROUP_USER, LABELS
from ..letter_texts import is_internal, reason_without_figures
from ..peer_places import CRITERIA
from ..reasons import REASON_SCHEMA, known_reasons, render_reasons
from ..value_timeline import next_order_label
from .letter_data import used_data

LETTER_COLUMNS = (
    *PAGE_COLUMNS,
    "churn_probability",
    "churn_withheld",
    "confidence",
    "expected_next_order_low",
    "expected_next_order_high",
)
# Facts of the customer's page that go into the letter. Not: net value, cost to serve and margin, which are our own,
# and what we mean to do next.
FACTS = (
    "value_percentile",
    "composite_rating",
    "rating_contribution",
    "rating_compliance",
    "rating_integrity",
    "rating_influence",
    *(f"place_{name}" for name in CRITERIA if name not in ("value_percentile", "percentile_margin")),
    "promise_kept",
    "last_contact_date",
    "preferred_channel",
    "cross_sell",
    "replacement_due",
    "share_of_customer",
    "customisation",
)
AMOUNT_FACTS = ("historical_value", "current_value", "potential_value", "lifetime_value")
# Topics whose advice tells what would change a label; that on products is about selling.
CHANGING_TOPICS = ("churn", "value")
# Topics that are about what we mean to do.
OUR_TOPICS = ("strategy",)


class ReportValueLetter(models.AbstractModel):
    """The letter that explains to customers what is kept of them, from what, by which rules, and that they may object.

    It is written in the customer's language. It tells the reader no more than the customer's page does, and the
    customer nothing of our own costs and margins.
    """

    _name = "report.crm_value_addon.value_letter"
    _description = "Explanation Letter"

    @api.model
    def _get_report_values(self, docids, data=None):
        partners = self.env["res.partner"].browse(docids)
        partners._check_value_access()
        translated = [partner.with_context(lang=partner.lang or self.env.lang) for partner in partners]
        return {
            "doc_ids": docids,
            "doc_model": "res.partner",
            "docs": partners,
            "company": self.env.company,
            "letters": [(partner, _letter(partner)) for partner in translated],
        }


def _letter(partner):
    """What the letter to a partner says, in the language of the partner's environment."""
    env, company = partner.env, partner.env.company.root_id
    customer = partner.sudo().commercial_partner_id
    letter = {
        "customer": customer.display_name,
        "today": format_date(env, company._crm_value_today()),
        "objected": _objection_day(partner),
        "states": None,
        "profile": False,
    }
    if letter["objected"]:
        return letter
    letter["states"] = _states(env, company, customer)
    profile = partner._read_own_profiles(LETTER_COLUMNS)[partner]
    if profile:
        letter.update(_explanation(env, company, customer, profile), profile=True)
    return letter


def _objection_day(partner):
    """The day on which the customer, or the partner itself while it was one, objected."""
    partners = partner.sudo() | partner.sudo().commercial_partner_id
    objection = (
        partner.env["crm.value.objection"].sudo().search([("partner_id", "in", partners.ids)], limit=1)
    )
    return objection and format_date(partner.env, objection.date)


def _states(env, company, customer):
    """How many states of the labels are kept, and since when."""
    env.cr.execute(
        SQL(
            """SELECT count(*), min(valid_from) FROM crm_value_history
                WHERE partner_id = %s AND company_id = %s""",
            customer.id,
            company.id,
        )
    )
    count, since = env.cr.fetchone()
    return count and {"count": number_text(env, count), "since": format_date(env, since)}


def _explanation(env, company, customer, profile):
    run = (
        env["crm.value.run"]
        .sudo()
        .search(
            [("company_id", "=", company.id), ("kind", "=", "score"), ("state", "=", "done")],
            order="closed_at desc, id desc",
            limit=1,
        )
    )
    # That of the profile is the one under which it last changed; it was looked at again since.
    policy = run.policy_version_id
    sees_amounts = env.user.has_group(GROUP_USER)
    return {
        "as_of": format_date(env, run.as_of),
        "scored_at": format_datetime(env, run.closed_at, tz=company._crm_value_timezone()),
        "policy": policy
        and {"number": policy.number, "since": format_date(env, policy.activated_at or policy.create_date)},
        "data": used_data(env, company, customer.id, run.as_of),
        "labels": _labels(env, profile, policy),
        "facts": _facts(env, profile, sees_amounts),
        "withheld": profile["churn_withheld"],
        "thin": profile["confidence"] != "enough",
        "amounts": sees_amounts,
        "margin": profile["value_basis"] == "margin",
        **_reasons(env, profile),
    }


def _labels(env, profile, policy):
    """The labels in force, what they say, and what the engine had found where a person says else."""
    business_format = env["crm.value.format"].sudo().browse(profile["format_id"] or ())
    values = policy._values(business_format)
    figures = policy_figures(env, values, env["res.currency"].browse(profile["currency_id"]))
    names = env["crm.value.profile"].sudo().fields_get(attributes=["selection", "string"])
    rows = []
    for label in (*LABELS, "satisfaction"):
        field = "satisfaction" if label == "satisfaction" else f"effective_{label}"
        value = profile[field]
        meaning = value and label_text(env, label, value, values, figures)
        if not meaning:
            continue
        selection = dict(names[field]["selection"])
        computed = profile.get(f"computed_{label}", value)
        rows.append(
            {
                "label": label,
                "title": names[field]["string"],
                "meaning": meaning,
                "name": selection[value],
                "computed": selection.get(computed) if computed != value else None,
            }
        )
    return rows


def _facts(env, profile, sees_amounts):
    """Figures beside the labels, as ``[{"name", "label", "text"}]``."""
    wanted = {*FACTS, *(AMOUNT_FACTS if profile["value_basis"] != "margin" else ())}
    facts = [
        {"name": fact["name"], "label": _fact_title(env, fact), "text": fact["text"]}
        for group in customer_page(env, profile)["groups"]
        for fact in group["facts"]
        if fact["name"] in wanted
    ]
    probability = profile["churn_probability"]
    if probability is not None and not profile["churn_withheld"]:
        facts.append(
            {
                "name": "churn_probability",
                "label": env._("Probability of no order within the horizon"),
                "text": percent_text(env, probability),
            }
        )
    low, high = profile["expected_next_order_low"], profile["expected_next_order_high"]
    if low and high:
        text = env._("%(low)s to %(high)s", low=format_date(env, low), high=format_date(env, high))
        label = next_order_label(env, high, env.company.root_id._crm_value_today())
        facts.append({"name": "expected_next_order", "label": label, "text": text})
    return facts


def _fact_title(env, fact):
    """What a fact is about; away from the other places among peers, one says what it is."""
    place = fact["name"].startswith("place_")
    return env._("%s, compared with similar customers", fact["label"]) if place else fact["label"]


def _reasons(env, profile):
    """Reasons by topic, and what would change a label."""
    currency = env["res.currency"].browse(profile["currency_id"])
    known = [
        reason
        for reason in known_reasons(env, profile["reasons"])
        if REASON_SCHEMA[reason["code"]]["topic"] not in OUR_TOPICS
    ]
    internal = {each["code"] for each in known if is_internal(each["code"], profile["value_basis"])}
    topics, changes = [], []
    for topic in render_reasons(env, known, currency):
        told = []
        for reason in topic["reasons"]:
            code = reason["code"]
            text = reason_without_figures(env, code) if code in internal else reason["text"]
            if reason["direction"] != "advice":
                told.append({"text": text, "meaning": reason["meaning"]})
            elif topic["topic"] in CHANGING_TOPICS:
                changes.append(text)
            else:
                told.append({"text": text, "meaning": ""})
        if told:
            topics.append({"title": topic["title"], "reasons": told})
    return {"reasons": topics, "changes": changes, "internal": bool(internal)}
