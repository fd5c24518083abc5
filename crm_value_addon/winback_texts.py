"""What to do to win a customer back, by why it left, and what a plan achieved, in words."""

from .formatting import amount_text, number_text, percent_text
from .winback_effect import beyond_chance


def action_text(env, kind, lost_type):
    """What to do with a customer that may leave or has left."""
    if kind == "at_risk":
        return env._("Call before it leaves: ask what is missing, and agree on the next order.")
    texts = {
        "unintentionally_dropped": lambda: env._(
            "Apologise in person, say what was put right, and make up for it."
        ),
        "lured_by_competitor": lambda: env._(
            "Ask what the other does better; answer with what only we have."
        ),
        "price_seeker": lambda: env._("Offer one fair price for a trial order; no lasting discount."),
        "circumstances_changed": lambda: env._("Ask what has changed and who buys now; offer what fits it."),
    }
    return texts.get(lost_type, lambda: env._("Call and ask why it left; offer what it used to buy."))()


def result_text(env, result, currency):
    """What a plan achieved beside customers left alone; says so where nothing can be told."""
    if not result:
        return ""
    acted, alone, found = result["acted"], result["alone"], result["effect"]
    told = [
        env._(
            "Of %(acted)s acted on %(ordered)s ordered, of %(alone)s similar ones left alone %(came)s.",
            acted=number_text(env, acted["customers"]),
            ordered=number_text(env, acted["ordered"]),
            alone=number_text(env, alone["customers"]),
            came=number_text(env, alone["ordered"]),
        )
    ]
    if not found:
        told.append(env._("Nobody was left alone: what acting did cannot be told."))
        return " ".join(told)
    points = {
        "share": number_text(env, 100 * found["share"], 1),
        "low": number_text(env, 100 * found["low"], 1),
        "high": number_text(env, 100 * found["high"], 1),
    }
    if found["found"]:
        told.append(
            env._(
                "Acting made a difference of %(share)s points (between %(low)s and %(high)s).",
                **points,
            )
        )
    else:
        told.append(
            env._(
                "The difference of %(share)s points (between %(low)s and %(high)s) may be chance.", **points
            )
        )
    told.append(_sales_text(env, found, currency))
    if found["few"]:
        told.append(env._("These are small numbers: with so few only a large effect would show."))
    return " ".join(told)


def _sales_text(env, found, currency):
    """What acting did to sales; with one customer in a group that cannot be told."""
    if found["sales_low"] is None:
        return env._("With one customer in a group sales cannot be compared.")
    amounts = {
        "sales": amount_text(env, found["sales"], currency),
        "low": amount_text(env, found["sales_low"], currency),
        "high": amount_text(env, found["sales_high"], currency),
    }
    if beyond_chance(found["sales_low"], found["sales_high"]):
        return env._(
            "Acting made a difference of %(sales)s in sales for each customer (between %(low)s and %(high)s).",
            **amounts,
        )
    return env._(
        "The difference of %(sales)s in sales for each customer (between %(low)s and %(high)s) is not more than"
        " chance.",
        **amounts,
    )


def chance_text(env, assumed, base):
    """Where the chances of coming back are from.

    :param dict base: of the customers that a plan takes, ``{"lost": {"customers", "back"}, "dormant": ...}``
    """
    if not any(past["customers"] for past in base.values()):
        return env._("No past month-end tells who came back: %s is assumed.", percent_text(env, assumed))
    return " ".join(_chance_text(env, assumed, kind, past) for kind, past in base.items())


def _chance_text(env, assumed, kind, past):
    counts = {
        "customers": number_text(env, past["customers"]),
        "back": number_text(env, past["back"]),
    }
    known = past["customers"] > 0
    return {
        ("lost", True): lambda: env._(
            "Of %(customers)s who were lost on the last month-end long enough ago %(back)s came back in as many days.",
            **counts,
        ),
        ("dormant", True): lambda: env._(
            "Of %(customers)s who were dormant on the last month-end long enough ago %(back)s came back in as many"
            " days.",
            **counts,
        ),
        ("lost", False): lambda: env._(
            "Nobody was lost then: %s is assumed of the lost.", percent_text(env, assumed)
        ),
        ("dormant", False): lambda: env._(
            "Nobody was dormant then: %s is assumed of the dormant.", percent_text(env, assumed)
        ),
    }[kind, known]()
