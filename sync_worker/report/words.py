"""The sentences about a back-test, in English, once: the terminal and the page say the same.

Everything here is a pure function of the result (docs/backtest.md). A number that is null is shown as a dash, and
a sentence that would need it is left out.
"""

import math
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sync_worker.report.subject import Subject
from sync_worker.scoring.verdict import case

DASH = "–"
NBSP = "\N{NO-BREAK SPACE}"  # between a number and its unit

#: What each letter stands for.
VERDICTS: dict[str | None, str] = {
    "A": "clearly better than the best simple rule, probabilities right",
    "B": "clearly better than the best simple rule, probabilities rough",
    "C": "better than chance",
    "D": "no skill shown, or probabilities worse than the churn rate alone",
    None: "too little data to tell",
}
#: Of letters that stand for several things, by case (`sync_worker.scoring.verdict`).
VERDICTS_OF_CASES = {
    "worse_than_rate": "probabilities worse than the churn rate alone",
    "no_skill": "no skill shown",
}
#: By case.
ADVICE: dict[str | None, str] = {
    "A": "Work from the forecast: over all cut-offs it ranked customers clearly better than the best simple rule, and "
    "its percentages may be taken at their word.",
    "B": "Work from the forecast: over all cut-offs it ranked customers clearly better than the best simple rule. Take "
    "its percentages as rough.",
    "off": "It ranks customers better than the simple rule, but its percentages are off: go by the order of the list.",
    "rule_better": "The best simple rule ranks customers better: work by the rule here.",
    "no_difference": "Between its ranking and that of the best simple rule there is no clear difference: the rule may "
    "serve as well here. The probabilities still tell who is more at risk than another.",
    "worse_than_rate": "It ranks customers better than chance, but the churn rate alone, told of everybody, would have "
    "been closer than its percentages: do not act on churn probability and risk here.",
    "no_skill": "Do not act on churn probability and risk here: the ranking is no better than chance.",
    None: "Treat churn probabilities as unproven here, and test again when there is more history.",
}
MISSING = {
    "cutoffs": "The history is too short to forecast a part of it and see what came.",
    "customers": "Of the customers looked at fewer than 30 were active at the cut-offs.",
    "outcomes": "Of the customers looked at fewer than 10 did not come back at the cut-offs, or fewer than 10 did, or "
    "at none of them there were both.",
}
GRADE_RULES: dict[str | None, str] = {
    "A": "The gain in AUC over the best rule is above 0 even at the lower end of its 90 % interval, and the "
    "calibration error is at most 0.05.",
    "B": "The same, with a calibration error of at most 0.10, or one that right probabilities would have by luck among "
    "so few customers.",
    "C": "AUC is above 0.5 even at the lower end of its 90 % interval, and the Brier score is better than that of the "
    "churn rate alone.",
    "D": "The rest.",
    None: "Fewer than 30 active customers, or fewer than 10 who did not come back or who did, over all cut-offs, or "
    "both at none of them.",
}

HEADINGS = (
    "Active customers",
    "Did not come back",
    "AUC",
    "AUC of the best rule",
    "Gain over it",
    "Calibration error",
    "Value forecast",
    "Coverage",
)
MEANINGS = (
    "Customers with at least two order-days, the last of them recent, at the latest cut-off.",
    "Those of them without an order within the churn horizon after it.",
    "How well customers are ranked: the chance that one who left was called more at risk than one who stayed. 0.5 is "
    "chance, 1 is perfect. In brackets the 90 % interval.",
    "The same for the best simple rule, chosen on earlier cut-offs only.",
    "AUC less that of the best rule, with its 90 % interval.",
    "How far the forecast probabilities are from what came, on average over ten equal groups: 0.02 means off by two "
    "percentage points.",
    "The value forecast for all customers together, compared with what they brought.",
    "Share of customers whose actual value lay inside the 80 % interval given for it. It should be near 80 %.",
)

METHOD = (
    "At each cut-off the models see only what was known by then, and the days after it show what came. Judged are "
    "customers active at the cut-off: at least two order-days, the last one recent. The best simple rule is the one "
    "that ranked best at the cut-offs before the one judged, so that neither side is picked with hindsight. The "
    "numbers of customers, the lists of those most at risk and what is found by calling these first are of the latest "
    "cut-off, all other figures are of all of them. Where customers have the same score, what a list finds is the mean "
    "over all orders they could be put in."
)
TIERS = (
    "Each was fitted on the same past and judged on the same active customers at the same cut-offs. A lower Brier "
    "score means better probabilities, a higher AUC better ranking."
)
CHOICE = (
    "Chosen is the richest model there is data for, unless another had a clearly lower Brier score among all customers "
    "known at the cut-offs, not only the active ones: so the chosen one need not be the best here."
)
LIST_HEADINGS = ("List made by", "Did not come back", "What these had spent before")
TIER_HEADINGS = ("Model", "Brier score", "AUC", "Chosen")


def tier(tier: dict[str, Any]) -> tuple[str, ...]:
    """A compared model, one cell for each of `TIER_HEADINGS`."""
    chosen = "chosen" if tier["chosen"] else ""
    return tier["words"], number(tier["brier"], 3), number(tier["auc"], 3), chosen


def heading(result: dict[str, Any], subject: Subject) -> str:
    """What was tested, as of when and over which cut-offs."""
    origin = f" ({subject.as_of_origin})" if subject.as_of_origin else ""
    cutoffs, days = result["cutoffs"], result["grades"][0]["horizon_days"]
    after = (
        f"the {days} days after it"
        if days
        else "the churn horizon of each customer's business format after it"
    )
    if not cutoffs:
        judged = "no day in it has enough orders before it and the longest churn horizon after it"
    elif len(cutoffs) == 1:
        judged = f"forecast on {cutoffs[0]} and compared with {after}"
    else:
        days_named = f"{', '.join(cutoffs[:-1])} and {cutoffs[-1]}"
        judged = f"forecast on {days_named}, each time compared with {after}"
    return f"History until {subject.as_of}{origin}: {judged}."


def horizons(result: dict[str, Any], subject: Subject) -> str:
    """The churn horizon of the company, and of the business formats that have another."""
    own = [
        f"{subject.scope(grade['format'])} {grade['horizon_days']} days"
        for grade in result["grades"][1:]
        if grade["horizon_days"] not in (None, result["horizon_days"])
    ]
    return "; ".join([f"{result['horizon_days']} days", *own])


def of_sample(sample: dict[str, int] | None, told: str) -> str:
    """A sentence about the customers that were looked at, which says how many they are where they are not all."""
    if sample is None:
        return told
    looked_at, customers = number(sample["customers"]), number(sample["of"])
    return f"Of a sample of {looked_at} of the {customers} customers: {told[0].lower()}{told[1:]}"


def verdict(grade: dict[str, Any]) -> str:
    """The grade in words and what follows from it."""
    return f"{grade['grade'] or 'No grade'}, {meaning(grade)}. {advice(grade)}"


def meaning(grade: dict[str, Any]) -> str:
    """The grade in words."""
    return VERDICTS_OF_CASES.get(case(grade), VERDICTS[grade["grade"]])


def advice(grade: dict[str, Any]) -> str:
    """What follows from a grade; before it, where there is none, why."""
    if grade["grade"] is None and grade["missing"] in MISSING:
        return f"{MISSING[grade['missing']]} {ADVICE[None]}"
    return ADVICE[case(grade)]


def story(grade: dict[str, Any], currency: str = "", sample: dict[str, int] | None = None) -> str:
    """What the forecast would have found at the latest cut-off, beside the best simple rule and chance.

    Args:
        sample: that of the back-test.

    Nothing where there is no grade: a story of a few customers would look like a proof.
    """
    if grade["grade"] is None or grade["listed"] is None or grade["found"] is None:
        return ""
    who = "the customer" if grade["listed"] == 1 else f"the {grade['listed']:,} customers"
    days = grade["horizon_days"]
    horizon = f"{days} days" if days else "the churn horizon of their business format"
    text = f"On {grade['cutoff']}, of {who} called most at risk {grade['found']:,} did not come back within {horizon}"
    if grade["found_value"] is not None:
        text += f", carrying {money(grade['found_value'], currency)}"
    if grade["rule"] and grade["rule_found"] is not None:
        text += f"; the best simple rule ({rule(grade['rule'], currency)}) finds {grade['rule_found']:,}"
    if grade["chance_found"] is not None:
        text += f", a list drawn by lot {_chance(grade['chance_found'])}"
    return of_sample(sample, f"{text}.")


def lists(grade: dict[str, Any], currency: str = "") -> list[tuple[str, ...]]:
    """Three lists of equal length side by side, one cell for each of `LIST_HEADINGS`; none without a grade."""
    if not story(grade, currency):
        return []
    rows = [("forecast", number(grade["found"]), money(grade["found_value"], currency))]
    if grade["rule"]:
        label = f"best simple rule: {rule(grade['rule'], currency)}"
        rows.append((label, number(grade["rule_found"]), money(grade["rule_found_value"], currency)))
    return [*rows, ("drawn by lot", _chance(grade["chance_found"]), DASH)]


def _chance(found: float | None) -> str:
    return number(found, 1 if found is not None and found < 10 else 0)


def rule(rule: dict[str, Any], currency: str = "") -> str:
    """A simple rule as it is said of the customers it lists; its bare code where this version does not know it."""
    code, params = rule["code"], rule["params"] or {}
    try:
        return RULES[code](params, currency)
    except (KeyError, TypeError):  # a code of a newer version, or a parameter that could not be told
        return code.replace("_", " ")


def _order_days(params: dict[str, Any], span: str) -> str:
    count = params["order_days"]
    if count == 0:
        return f"no order-day {span}"
    return f"{number(count, 0 if count == int(count) else 1)} order-day{'' if count == 1 else 's'} or fewer {span}"


RULES: dict[str, Callable[[dict[str, Any], str], str]] = {
    "recency": lambda params, currency: f"silent for {params['days']:,.0f} days or more",
    "lateness": lambda params, currency: f"silent for {params['percent']:,.0f} % of the usual gap or more",
    "rfm_score": lambda params, currency: f"an RFM score of {params['score']:,.0f} or less",
    "last_period": lambda params, currency: _order_days(params, f"in the last {params['window_days']} days"),
    "low_spend": lambda params, currency: (
        f"{money(params['amount'], currency)} or less spent in the last {params['window_days']} days"
    ),
    "run_rate": lambda params, currency: _order_days(params, "a year"),
}


def figures(grade: dict[str, Any]) -> tuple[str, ...]:
    """The figures of a grade, one for each of `HEADINGS`."""
    return (
        number(grade["customers"]),
        number(grade["churned"]),
        number(grade["auc"], 3) + interval(grade["auc_low"], grade["auc_high"]),
        number(grade["rule_auc"], 3),
        signed(grade["gain"]) + interval(grade["gain_low"], grade["gain_high"], signed),
        number(grade["ece"], 3),
        bias(grade["value_log_bias"]),
        percent(grade["coverage"]),
    )


def interval(low: float | None, high: float | None, show: Callable[[float], str] | None = None) -> str:
    """An interval in brackets on a line of its own, below its number; nothing where it is not known."""
    if low is None or high is None:
        return ""
    show = show or (lambda value: number(value, 3))
    return f"\n({show(low)}, {show(high)})"


def bias(log_ratio: float | None) -> str:
    """How far the total forecast is from what came, as a share of what came."""
    if log_ratio is None:
        return DASH
    share = math.expm1(log_ratio)
    if abs(share) < 0.005:
        return "as it came"
    return f"{percent(abs(share))} too {'high' if share > 0 else 'low'}"


def money(value: float | None, currency: str = "") -> str:
    """An amount, with cents only where they matter, and its currency where it is known."""
    if value is None:
        return DASH
    return number(value, 0 if abs(value) >= 100 else 2) + (f"{NBSP}{currency}" if currency else "")


def number(value: float | None, decimals: int = 0) -> str:
    """A number with thousands separated."""
    if value is None:
        return DASH
    # Half up, as people round; a float's own way makes 81,234 of 81,234.5.
    return f"{Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):,}"


def signed(value: float | None) -> str:
    """A difference of AUC, with its sign."""
    return DASH if value is None else f"{value:+.3f}"


def percent(share: float | None) -> str:
    """A share as a whole percentage."""
    return DASH if share is None else f"{number(100 * share)}{NBSP}%"
