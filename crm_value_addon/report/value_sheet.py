from odoo import api, models
from odoo.tools.misc import format_date

from ..customer_page import PAGE_COLUMNS, customer_page
from ..formatting import number_text, percent_text
from ..reasons import render_reasons
from ..value_timeline import next_order_label

SHEET_COLUMNS = (
    *PAGE_COLUMNS,
    "churn_probability",
    "churn_withheld",
    "order_days",
    "usual_gap",
    "last_order_date",
    "expected_next_order_low",
    "expected_next_order_high",
)
# What stands where, by the names of the facts of the customer's page.
WHO = (
    "value_segment",
    "value_class",
    "value_type",
    "lifecycle_stage",
    "loyalty_stage",
    "satisfaction",
    "service_strategy",
    "lost_type",
)
WORTH = (
    "historical_value",
    "current_value",
    "potential_value",
    "lifetime_value",
    "value_trend",
    "net_value",
    "cost_to_serve",
    "margin_level",
    "value_basis",
    "share_of_customer",
    "customisation",
)
CONTACT = ("last_contact_date", "preferred_channel", "promise_kept")
NEXT = ("cross_sell", "replacement_due")
# It is one page: the strongest reasons of each topic, and no more than fit.
MOST_OF_TOPIC, MOST_REASONS, MOST_MISSING = 2, 8, 4
# These speak of the channel, which stands elsewhere on the sheet.
BESIDE_CHANNEL = ("prefers_channel", "shifts_channel")


class ReportValueSheet(models.AbstractModel):
    """One page on a customer for the talk about it, on paper: what its page tells, in the reader's language and as far
    as the reader may know it. For us; the explanation letter is for the customer."""

    _name = "report.crm_value_addon.value_sheet"
    _description = "Customer Value Sheet"

    @api.model
    def _get_report_values(self, docids, data=None):
        partners = self.env["res.partner"].browse(docids)
        partners._check_value_access()
        profiles = partners._read_own_profiles(SHEET_COLUMNS)
        return {
            "doc_ids": docids,
            "doc_model": "res.partner",
            "docs": partners,
            "company": self.env.company,
            "sheets": [_sheet(partner, profiles[partner]) for partner in partners],
        }


def _sheet(partner, profile):
    """What the sheet of a customer says; of one that is not scored only who it is."""
    env, customer = partner.env, partner.sudo().commercial_partner_id
    sheet = {
        "customer": customer.display_name,
        "salesperson": (customer.user_id or partner.sudo().user_id).name or "",
        "today": format_date(env, env.company.root_id._crm_value_today()),
        "scored_at": format_date(env, partner.scored_at) if profile else "",
        "profile": bool(profile),
    }
    if not profile:
        return sheet
    page = customer_page(env, profile)
    facts = {fact["name"]: fact for group in page["groups"] for fact in (*group["pair"], *group["facts"])}
    why, missing = _reasons(env, profile)
    return {
        **sheet,
        "format": env["crm.value.format"].sudo().browse(profile["format_id"] or ()).name or "",
        "banner": page["banner"] and page["banner"]["text"],
        "next_action": page["next_action"],
        "attitude": next((group["note"] for group in page["groups"] if group["name"] == "relation"), ""),
        "who": [*_chosen(facts, WHO), *_risk(env, profile, facts)],
        "worth": _chosen(facts, WORTH),
        "rhythm": [*_rhythm(env, profile), *_chosen(facts, CONTACT)],
        "places": [fact for name, fact in facts.items() if name.startswith("place_")],
        "next": _chosen(facts, NEXT),
        "gap": facts.get("next_class_gap"),
        "incentive": facts.get("incentive"),
        "why": why,
        "missing": missing,
    }


def _chosen(facts, names):
    return [facts[name] for name in names if name in facts]


def _risk(env, profile, facts):
    """Churn risk with its probability; a word on it where it is withheld."""
    if profile["churn_withheld"]:
        return [{"name": "churn_risk", "label": env._("Churn risk"), "text": env._("Not reliable here")}]
    if "churn_risk" not in facts:
        return []
    fact = dict(facts["churn_risk"])
    if profile["churn_probability"] is not None:
        fact["text"] = f"{fact['text']} ({percent_text(env, profile['churn_probability'])})"
    return [fact]


def _gap_text(env, days):
    return env._("every day") if days == 1 else env._("every %s days", number_text(env, days))


def _rhythm(env, profile):
    """How often it buys, when it did last, and when it will again, as facts."""
    last, usual = profile["last_order_date"], profile["usual_gap"]
    low, high = profile["expected_next_order_low"], profile["expected_next_order_high"]
    facts = [
        profile["order_days"] is not None
        and {
            "name": "order_days",
            "label": env._("Days with orders"),
            "text": number_text(env, profile["order_days"]),
        },
        last and {"name": "last_order_date", "label": env._("Last order"), "text": format_date(env, last)},
        usual
        and {
            "name": "usual_gap",
            "label": env._("Usually orders"),
            "text": _gap_text(env, usual),
        },
        low
        and high
        and {
            "name": "expected_next_order",
            "label": next_order_label(env, high, env.company.root_id._crm_value_today()),
            "text": env._("%(low)s to %(high)s", low=format_date(env, low), high=format_date(env, high)),
        },
    ]
    return [fact for fact in facts if fact]


def _reasons(env, profile):
    """What speaks for its labels, the strongest of each topic, and what it lacks to better ones."""
    why, missing = [], []
    for topic in render_reasons(env, profile["reasons"], env["res.currency"].browse(profile["currency_id"])):
        told = [
            reason
            for reason in topic["reasons"]
            if reason["direction"] != "advice" and reason["code"] not in BESIDE_CHANNEL
        ]
        why += [{**reason, "topic": topic["title"]} for reason in told[:MOST_OF_TOPIC]]
        if topic["topic"] in ("churn", "value"):
            missing += [reason["text"] for reason in topic["reasons"] if reason["direction"] == "advice"]
    return why[:MOST_REASONS], missing[:MOST_MISSING]
