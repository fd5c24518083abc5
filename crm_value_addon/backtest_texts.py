"""What a back-test says, in the reader's language; the worker sends codes and figures only."""

from math import exp

from odoo.tools.misc import format_date

from .formatting import amount_text, number_text

# From here on a value forecast is called biased, and its ranges too narrow or too wide.
BIAS_NOTED = 0.2
COVERAGE_PROMISED, COVERAGE_NARROW, COVERAGE_WIDE = 0.8, 0.7, 0.9


def rule_text(env, code, params, currency, horizon):
    """The customers a simple rule would list, as in “silent for 60 days or more”.

    :param horizon: the churn horizon, days: what a rule of an older worker that names no window looked at
    :return: nothing for a rule this version does not know, or without its figure
    """
    texts = {
        "recency": lambda: (
            env._("silent for 1 day or more")
            if number("days") == "1"
            else env._("silent for %(days)s days or more", days=number("days"))
        ),
        "lateness": lambda: env._(
            "silent for %(percent)s %% of their usual gap or more", percent=number("percent")
        ),
        "rfm_score": lambda: env._(
            "a score of recency, frequency and spend of %(score)s or less", score=number("score")
        ),
        "last_period": lambda: (
            env._("at most 1 day with orders in the last %(horizon)s days", horizon=window())
            if number("order_days") == "1"
            else env._(
                "at most %(order_days)s days with orders in the last %(horizon)s days",
                order_days=number("order_days"),
                horizon=window(),
            )
        ),
        "low_spend": lambda: env._(
            "spent %(amount)s or less in the last %(horizon)s days",
            amount=amount_text(env, float(params["amount"]), currency),
            horizon=window(),
        ),
        "run_rate": lambda: (
            env._("at most 1 day with orders a year")
            if number("order_days") == "1"
            else env._("at most %(order_days)s days with orders a year", order_days=number("order_days"))
        ),
    }

    def number(name):
        value = float(params[name])
        return number_text(env, value, 0 if value.is_integer() or value >= 10 else 1)

    def window():
        return number_text(env, float(params.get("window_days") or horizon))

    try:
        return texts[code]()
    except (KeyError, TypeError, ValueError):
        return ""


def story_text(env, grade):
    """What would have come of a list made at the latest cut-off, beside that of the best simple rule."""
    if not grade.cutoff or not grade.listed:
        return ""
    story = _found_text(env, grade)
    if grade.rule_code:
        theirs = {"found": number_text(env, grade.rule_found), "rule": grade.rule_text}
        if grade.rule_text:
            rule = env._("the best simple rule (%(rule)s) finds %(found)s", **theirs)
        else:
            rule = env._("the best simple rule finds %(found)s", **theirs)
        story = env._("%(story)s; %(rule)s", story=story, rule=rule)
    if "chance_found" not in (grade.untold or []):
        by_lot = number_text(env, grade.chance_found, 1 if grade.chance_found < 10 else 0)
        chance = env._("a list drawn by lot %(found)s", found=by_lot)
        story = env._("%(story)s, %(chance)s", story=story, chance=chance)
    story = env._("%(story)s.", story=story)
    if not grade.sample_of:
        return story
    return env._(
        "Of a sample of %(customers)s of the %(all)s customers: %(story)s",
        customers=number_text(env, grade.sample_customers),
        all=number_text(env, grade.sample_of),
        story=story,
    )


def _found_text(env, grade):
    """How many of the list did not come back, the beginning of a sentence."""
    ours = {
        "day": format_date(env, grade.cutoff, date_format="long"),
        "listed": number_text(env, grade.listed),
        "found": number_text(env, grade.found),
        "horizon": number_text(env, grade.horizon_days),
        "value": amount_text(env, grade.found_value, grade.currency_id),
    }
    valued = "found_value" not in (grade.untold or [])
    if grade.horizon_days and valued:
        return env._(
            "Had we run this on %(day)s, of the %(listed)s customers we would have called most at risk "
            "%(found)s did not come back within %(horizon)s days, carrying %(value)s",
            **ours,
        )
    if grade.horizon_days:
        return env._(
            "Had we run this on %(day)s, of the %(listed)s customers we would have called most at risk "
            "%(found)s did not come back within %(horizon)s days",
            **ours,
        )
    if valued:
        return env._(
            "Had we run this on %(day)s, of the %(listed)s customers we would have called most at risk "
            "%(found)s did not come back within the churn horizon of their business format, carrying %(value)s",
            **ours,
        )
    return env._(
        "Had we run this on %(day)s, of the %(listed)s customers we would have called most at risk "
        "%(found)s did not come back within the churn horizon of their business format",
        **ours,
    )


def verdict_text(env, grade):
    """What the grade means for the work, in one or two sentences; docs/backtest.md has the cases."""
    if grade.grade == "C":
        return _verdict_of_c(env, grade)
    if grade.grade == "D":
        if grade.auc_low > 0.5:
            return env._(
                "Ranks customers better than chance, but its probabilities are worse than the churn rate alone: do not "
                "use them."
            )
        return env._(
            "No skill shown: here its ranking is no better than chance. Go by what you know of the customer."
        )
    if grade.grade:
        return {
            "A": lambda: env._(
                "Clearly better than the best simple rule at ranking customers, over all days looked back to: work by "
                "the forecast, and take its probabilities at their word."
            ),
            "B": lambda: env._(
                "Clearly better than the best simple rule at ranking customers, over all days looked back to: work by "
                "the forecast, and take its probabilities as rough."
            ),
        }[grade.grade]()
    return {
        "cutoffs": lambda: env._(
            "Too little data to tell: the order history is too short to forecast its own past."
        ),
        "customers": lambda: env._(
            "Too little data to tell: of the customers looked at fewer than 30 were active, over all days looked back "
            "to."
        ),
        "outcomes": lambda: env._(
            "Too little data to tell: of the customers looked at fewer than 10 left, or fewer than 10 stayed, or on no "
            "day looked back to there were both."
        ),
    }.get(grade.missing, lambda: env._("Too little data to tell."))()


def _verdict_of_c(env, grade):
    if grade.gain_low > 0:
        return env._(
            "Better than the best simple rule in telling who is more at risk, but its probabilities are off: go by the "
            "order of the list, not by the percentages."
        )
    if grade.gain_high < 0:
        return env._(
            "Better than chance, but the best simple rule tells better who is more at risk: work by the rule here."
        )
    return env._(
        "Better than chance, without a clear difference from the best simple rule: the rule may serve as well here."
    )


def caution_texts(env, grade):
    """Sentences about what a reader of the forecast should allow for."""
    untold, texts = set(grade.untold or []), []
    if "value_log_bias" not in untold and abs(grade.value_log_bias) > BIAS_NOTED:
        # The worker tells the logarithm of forecast over actual value; people think in percent of the actual one.
        percent = number_text(env, 100 * abs(exp(grade.value_log_bias) - 1))
        if grade.value_log_bias > 0:
            texts.append(
                env._("The value forecast was %(percent)s %% too high: expect less.", percent=percent)
            )
        else:
            texts.append(
                env._("The value forecast was %(percent)s %% too low: expect more.", percent=percent)
            )
    if "coverage" not in untold and not COVERAGE_NARROW <= grade.coverage <= COVERAGE_WIDE:
        figures = {
            "percent": number_text(env, 100 * grade.coverage),
            "promised": number_text(env, 100 * COVERAGE_PROMISED),
        }
        if grade.coverage < COVERAGE_PROMISED:
            texts.append(
                env._(
                    "Only %(percent)s %% of customers came out within their range of value, not the promised "
                    "%(promised)s %%: read the ranges as wider.",
                    **figures,
                )
            )
        else:
            texts.append(
                env._(
                    "%(percent)s %% of customers came out within their range of value, more than the promised "
                    "%(promised)s %%: the ranges are wider than need be.",
                    **figures,
                )
            )
    return texts
