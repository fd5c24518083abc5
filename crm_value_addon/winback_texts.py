"""What to do to win a customer back, by why it left, and what a plan achieved, in words."""

from .formatting import amount_text, number_text, percent_text


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
    if found["found"]:
        told.append(
            env._(
                "Acting made a difference of %(share)s points (between %(low)s and %(high)s), and of %(sales)s for each"
                " customer.",
                share=number_text(env, 100 * found["share"], 1),
                low=number_text(env, 100 * found["low"], 1),
                high=number_text(env, 100 * found["high"], 1),
                sales=amount_text(env, found["sales"], currency),
            )
        )
    else:
        told.append(
            env._(
                "The difference of %(share)s points (between %(low)s and %(high)s) may be chance.",
                share=number_text(env, 100 * found["share"], 1),
                low=number_text(env, 100 * found["low"], 1),
                high=number_text(env, 100 * found["high"], 1),
            )
        )
    if found["few"]:
        told.append(env._("These are small numbers: with so few only a large effect would show."))
    return " ".join(told)


def chance_text(env, assumed, base):
    """Where the chance of coming back is from."""
    if not base["customers"]:
        return env._("No past month-end tells who came back: %s is assumed.", percent_text(env, assumed))
    return env._(
        "Of %(customers)s who were lost on the last month-end long enough ago %(back)s came back in as many days.",
        customers=number_text(env, base["customers"]),
        back=number_text(env, base["back"]),
    )
