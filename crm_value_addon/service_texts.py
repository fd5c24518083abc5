"""What customers of a class are promised and may get, in words."""

from .formatting import number_text, tenths_text


def strategy_text(env, strategy):
    """What a strategy means: who adapts to whom."""
    return {
        "hook": lambda: env._(
            "Hook: the customer adapts to us; we contact it when its behaviour gives a reason."
        ),
        "zipper": lambda: env._("Zipper: both adapt, step by step and tooth by tooth."),
        "velcro": lambda: env._("Velcro: we adapt to the customer wherever it touches us."),
    }.get(strategy, lambda: "")()


def terms_texts(env, policy):
    """What a service policy promises and allows, a sentence each; what it leaves open is not told."""
    ceiling = policy.limits_discount and ceiling_text(env, policy.discount_ceiling)
    told = [strategy_text(env, policy.strategy), *offered_texts(env, policy), ceiling]
    return [text for text in told if text]


def offered_texts(env, policy):
    """What of it a customer may be told."""
    told = [
        policy.contact_days and _contact_text(env, policy.contact_days),
        policy.response_hours and _answer_text(env, policy.response_hours),
        policy.privileges,
    ]
    return [text for text in told if text]


def _contact_text(env, days):
    if days == 1:
        return env._("A contact every day")
    return env._("A contact at least every %s days", number_text(env, days))


def _answer_text(env, hours):
    if hours == 1:
        return env._("An answer within 1 hour")
    return env._("An answer within %s hours", number_text(env, hours))


def ceiling_text(env, share):
    """Up to which discount an order may go."""
    return env._("Discounts up to %s %%", tenths_text(env, share)) if share else env._("No discount")


def recommended_text(env, served, names):
    """The strategy most of the customers speak for, with how many; empty where nothing is recommended."""
    counts = sorted(
        ((served.get(code) or 0, name) for code, name in names.items()), key=lambda each: -each[0]
    )
    if not counts[0][0]:
        return ""
    return ", ".join(f"{name} {number_text(env, count)}" for count, name in counts if count)


def measured_text(env, served, promised):
    """How soon these customers are answered, and how many wait longer than promised; empty where it is not known."""
    if not served.get("answered"):
        return ""
    hours = env._("%s hours", number_text(env, served["hours"], 1))
    if not promised:
        return hours
    return env._(
        "%(hours)s; longer for %(late)s of %(answered)s",
        hours=hours,
        late=number_text(env, served["late"]),
        answered=number_text(env, served["answered"]),
    )
