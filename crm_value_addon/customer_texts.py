"""What the labels of a customer mean for the work with it, in the reader's language."""

from odoo.tools.misc import format_date

from .formatting import amount_text, number_text


def next_action_text(env, stage, value_class, *, anomaly=None, attitude=None):
    """What to do next with a customer in a life-cycle stage; a class says how much it is worth to us.

    What has just happened comes before what is due anyway: who still buys and suddenly buys less, or stays though
    it is unsatisfied, is asked why first.
    """
    if stage in ("acquisition", "won_back", "retention", "extension"):
        if anomaly == "drop":
            return env._("Call today: find out why it suddenly buys less.")
        if attitude in ("loyal_unsatisfied", "neither"):
            return env._("Put right what went wrong: it is not satisfied. Then ask for the next order.")
    by_stage = {
        "selection": lambda: env._("Qualify it: find out what it needs, and make a first offer."),
        "acquisition": lambda: env._("Make the first orders go well, and ask for the second."),
        "won_back": lambda: env._("Keep what was promised on its return, and look into why it had left."),
        "retention": lambda: env._("Keep its rhythm: a contact before the next order is due."),
        "extension": lambda: env._("It is growing: offer what its peers buy and it does not."),
        "dormant": lambda: env._("Ask why it went quiet, with a reason to order again."),
        "lost": lambda: env._("No effort, unless it asks; learn from why it left."),
    }
    by_class = {
        ("acquisition", "growth"): lambda: env._(
            "Make the first orders go well, and study what it could buy."
        ),
        ("won_back", "key"): lambda: env._(
            "Visit it: it carries value again. Keep what was promised, and look into why it had left."
        ),
        ("retention", "key"): lambda: env._(
            "Look after it in person: hear what it needs next, before the order is due."
        ),
        ("retention", "growth"): lambda: env._(
            "Study its potential: offer what its peers buy and it does not."
        ),
        ("retention", "unprofitable"): lambda: env._(
            "Bring down what it costs: order sizes, discounts and returns; no new concessions."
        ),
        ("extension", "key"): lambda: env._(
            "Agree on the next step together: a yearly plan, new categories."
        ),
        ("extension", "unprofitable"): lambda: env._(
            "Let it grow only at prices that leave a margin; no new concessions."
        ),
        ("dormant", "key"): lambda: env._("Call today: find out what happened, and who decides there now."),
        ("dormant", "unprofitable"): lambda: env._("A standard mailing will do; no visit, no special price."),
        ("lost", "key"): lambda: env._("Win it back: call by the lost type, with an offer worth its value."),
        ("lost", "growth"): lambda: env._("Ask once why it left: its potential may be worth an offer."),
    }
    text = by_class.get((stage, value_class)) or by_stage.get(stage)
    return text() if text else ""


def lateness_text(env, days):
    """How late an order is; empty when it is not."""
    if days <= 0:
        return ""
    return env._("1 day late") if days == 1 else env._("%s days late", number_text(env, days))


def value_trend_text(env, trend, slope, currency):
    """Where the value of a customer is going, with how much a quarter unless ``slope`` is None.

    :param float slope: money that a quarter brings more than the one before
    """
    if slope is None:
        return {
            "rising": lambda: env._("rising"),
            "falling": lambda: env._("falling"),
            "steady": lambda: env._("steady"),
        }.get(trend, lambda: "")()
    amount = amount_text(env, abs(slope), currency)
    return {
        "rising": lambda: env._("rising by %s a quarter", amount),
        "falling": lambda: env._("falling by %s a quarter", amount),
        "steady": lambda: env._("steady: no more than chance"),
    }.get(trend, lambda: "")()


def attitude_text(env, attitude):
    """What loyalty and satisfaction say together; either alone would mislead."""
    return {
        "loyal_satisfied": lambda: env._("Loyal and satisfied: thank it, and ask for a reference."),
        "satisfied_not_loyal": lambda: env._(
            "Satisfied but not loyal: it likes us, and buys elsewhere too. Find out what is missing."
        ),
        "loyal_unsatisfied": lambda: env._(
            "Loyal but unsatisfied: captive, and gone once it has a choice. Put the cause right."
        ),
        "neither": lambda: env._("Neither loyal nor satisfied: put the cause right before selling more."),
    }.get(attitude, lambda: "")()


def value_type_text(env, value_type):
    """What a customer of a value type looks for."""
    return {
        "laggard": lambda: env._("settled on old lines, resists change"),
        "haggler": lambda: env._("compares with what it paid before"),
        "nostalgic": lambda: env._("returns to old favourites"),
        "pragmatist": lambda: env._("wants what works now"),
        "value_for_money": lambda: env._("weighs price against performance"),
        "achiever": lambda: env._("wants the premium of the present range"),
        "pioneer": lambda: env._("is the first to buy what is new"),
        "far_sighted": lambda: env._("buys ahead of price rises"),
        "perfectionist": lambda: env._("upgrades, completes, complements"),
        "undetermined": lambda: env._("too little evidence to tell"),
    }.get(value_type, lambda: "")()


def anomaly_text(env, anomaly, percent, since):
    """A sudden change against the customer's own pattern, as in “Down 61 % against its own pattern”."""
    if anomaly not in ("drop", "surge"):
        return ""
    figures = {"percent": number_text(env, abs(percent or 0))}
    if since:
        figures["month"] = format_date(env, since, date_format="MMMM y")
    return {
        ("drop", True, True): lambda: env._(
            "Down %(percent)s %% against its own pattern since %(month)s", **figures
        ),
        ("drop", True, False): lambda: env._("Down %(percent)s %% against its own pattern", **figures),
        ("drop", False, True): lambda: env._("Down against its own pattern since %(month)s", **figures),
        ("drop", False, False): lambda: env._("Down against its own pattern"),
        ("surge", True, True): lambda: env._(
            "Up %(percent)s %% against its own pattern since %(month)s", **figures
        ),
        ("surge", True, False): lambda: env._("Up %(percent)s %% against its own pattern", **figures),
        ("surge", False, True): lambda: env._("Up against its own pattern since %(month)s", **figures),
        ("surge", False, False): lambda: env._("Up against its own pattern"),
    }[anomaly, bool(percent), bool(since)]()


def contact_text(env, day, initiator):
    """When there was a contact last, and who usually starts one."""
    date = format_date(env, day)
    return {
        "customer": lambda: env._("%(date)s; usually it writes or calls first", date=date),
        "us": lambda: env._("%(date)s; usually we write or call first", date=date),
        "both": lambda: env._("%(date)s; either side writes or calls first", date=date),
    }.get(initiator, lambda: date)()


def channel_text(env, channel):
    """A channel in words; one this version does not know as its code, spelt out."""
    return {
        "website": lambda: env._("Website"),
        "point_of_sale": lambda: env._("Point of sale"),
        "salesperson": lambda: env._("Salesperson"),
        "phonecall": lambda: env._("Phone call"),
        "meeting": lambda: env._("Meeting"),
        "email": lambda: env._("E-mail"),
    }.get(channel, lambda: channel.replace("_", " ").capitalize())()


def agreement_text(env, agreement):
    """How far a clustering agrees with the value types; nothing where a run does not tell it."""
    given = agreement if isinstance(agreement, dict) else {}
    rand, customers = given.get("adjusted_rand"), given.get("customers")
    if type(rand) not in (int, float) or type(customers) is not int:
        return ""
    return env._(
        "Groups of %(customers)s customers that form by themselves agree with the value types at %(rand)s"
        " (1: the same groups, 0: by chance)",
        customers=number_text(env, customers),
        rand=number_text(env, rand, 2),
    )
