"""What each label of a customer says, with the thresholds of the policy by which it is told."""

from .customer_texts import value_type_text
from .formatting import amount_text, number_text, percent_text
from .labels import GROUP_USER
from .policy_schema import POLICY_SCHEMA

PERCENT_UNITS = ("share", "probability", "percentile", "per year")


def policy_figures(env, values, currency):
    """The values of a policy as a sentence tells them; money only for those who see amounts.

    :param dict values: ``{key: number}``, complete
    :return: ``{key: text}``
    """
    return {key: _figure_text(env, POLICY_SCHEMA[key], value, currency) for key, value in values.items()}


def _figure_text(env, spec, value, currency):
    if spec["unit"] == "currency":
        return (
            amount_text(env, value, currency)
            if env.user.has_group(GROUP_USER)
            else env._("the threshold of our policy")
        )
    if spec["unit"] in PERCENT_UNITS or (spec["type"] == "float" and spec["maximum"] <= 1):
        return percent_text(env, value)
    return number_text(env, value, 0 if float(value).is_integer() else 2)


def label_text(env, label, value, values, figures):
    """What a label says, as one sentence; nothing for one that this version does not know.

    :param str label: a key of ``LABELS``, or ``satisfaction``
    :param dict values: ``{key: number}`` of the policy that holds for the customer
    :param dict figures: the same as texts, see ``policy_figures``
    """
    if label == "value_class":
        return _class_text(env, value, values, figures)
    if label == "value_type":
        return _type_text(env, value, figures)
    texts = {
        "value_segment": _segment_texts,
        "loyalty_stage": _loyalty_texts,
        "lifecycle_stage": _lifecycle_texts,
        "churn_risk": _risk_texts,
        "lost_type": _lost_texts,
        "satisfaction": _satisfaction_texts,
    }[label](env, figures)
    return texts.get(value, lambda: "")()


def _class_text(env, value, values, figures):
    by_value = values["key_rule"] == 1
    texts = {
        "key": lambda: (
            env._("Current and expected value of %(key_value_minimum)s or more", **figures)
            if by_value
            else env._(
                "One of the fewest customers that together carry %(key_share)s of the current and expected value"
                " of comparable customers",
                **figures,
            )
        ),
        "growth": lambda: env._(
            "Not among the largest yet, but growing: a value index from %(growth_index_minimum)s, and from"
            " %(growth_ratio_minimum)s times the present value expected in the next 12 months",
            **figures,
        ),
        "standard": lambda: (
            env._(
                "No other class: current and expected value below %(key_value_minimum)s, and no growth by the"
                " rules for that (value index from %(growth_index_minimum)s)",
                **figures,
            )
            if by_value
            else env._(
                "No other class: not among the fewest customers that carry %(key_share)s of the value, and no"
                " growth by the rules for that (value index from %(growth_index_minimum)s)",
                **figures,
            )
        ),
        "unprofitable": lambda: env._(
            "What was sold in the last %(current_window_days)s days left less than %(net_value_minimum)s after"
            " costs, and less is expected than from half of comparable customers. It says nothing of the person",
            **figures,
        ),
    }
    return texts.get(value, lambda: "")()


def _type_text(env, value, figures):
    meaning = value_type_text(env, value)
    if not meaning:
        return ""
    return env._(
        "By what was bought and when: %(meaning)s. Told from %(value_type_lines)s order lines on",
        meaning=meaning,
        **figures,
    )


def _segment_texts(env, figures):
    return {
        "key_stable": lambda: env._("Class Key, neither dormant nor at high risk of not ordering again"),
        "key_at_risk": lambda: env._("Class Key, and dormant or at high risk of not ordering again"),
        "promising": lambda: env._("Class Growth, and still ordering"),
        "new": lambda: env._("The first orders, or the first after a long silence"),
        "standard": lambda: env._("Orders, and belongs to none of the other segments"),
        "burden": lambda: env._(
            "What was sold in the last %(current_window_days)s days left less than %(net_value_minimum)s after"
            " costs. It says nothing of the person",
            **figures,
        ),
        "dormant": lambda: env._("Silent for longer than usual"),
        "lost_worth_winning_back": lambda: env._(
            "Silent for so long that no more orders are expected, and one of the fewest such customers that had"
            " carried %(win_back_share)s of their value",
            **figures,
        ),
        "lost": lambda: env._("Silent for so long that no more orders are expected"),
        "prospect": lambda: env._("No order yet"),
    }


def _loyalty_texts(env, figures):
    return {
        "awareness": lambda: env._(
            "Fewer than %(approval_order_days)s days with orders, or since a complaint, or most of it sent back",
            **figures,
        ),
        "approval": lambda: env._(
            "From %(approval_order_days)s days with orders on, and as many since any complaint", **figures
        ),
        "preference": lambda: env._(
            "From %(preference_order_days)s days with orders on, in an own rhythm that is not broken (a silence of up"
            " to %(cadence_broken_factor)s times the usual long one), and in %(breadth_kept)s of the categories of"
            " before",
            **figures,
        ),
        "loyalty": lambda: env._(
            "From %(loyalty_order_days)s days with orders on, in an own rhythm that is not broken, and with a"
            " probability of still being a customer from %(loyalty_p_alive)s",
            **figures,
        ),
    }


def _lifecycle_texts(env, figures):
    return {
        "selection": lambda: env._("No order yet"),
        "acquisition": lambda: env._("Fewer than %(approval_order_days)s days with orders", **figures),
        "won_back": lambda: env._(
            "Fewer than %(approval_order_days)s days with orders since the return from a long silence",
            **figures,
        ),
        "retention": lambda: env._("Orders again and again, about as much as before"),
        "extension": lambda: env._(
            "Bought from %(extension_ratio)s times as much as in the period before", **figures
        ),
        "dormant": lambda: env._(
            "No order for more than %(dormant_days)s days, and for more than %(dormant_factor)s times the usual"
            " long gap",
            **figures,
        ),
        "lost": lambda: env._(
            "No order for more than %(lost_days)s days, and for more than %(lost_factor)s times the usual long gap",
            **figures,
        ),
    }


def _risk_texts(env, figures):
    return {
        "low": lambda: env._(
            "Probability of no order within %(churn_horizon_days)s days below %(risk_medium_from)s", **figures
        ),
        "medium": lambda: env._(
            "Probability of no order within %(churn_horizon_days)s days from %(risk_medium_from)s, below"
            " %(risk_high_from)s",
            **figures,
        ),
        "high": lambda: env._(
            "Probability of no order within %(churn_horizon_days)s days from %(risk_high_from)s", **figures
        ),
    }


def _lost_texts(env, figures):
    return {
        "deliberately_dropped": lambda: env._("We ended it, by our own choice"),
        "unintentionally_dropped": lambda: env._(
            "We gave cause: late or short deliveries, low ratings, goods sent back, questions left unanswered, or no"
            " contact"
        ),
        "lured_by_competitor": lambda: env._("Another supplier seems to have been chosen"),
        "price_seeker": lambda: env._("Bought mostly at a discount, and left as prices rose"),
        "circumstances_changed": lambda: env._("The need seems to have gone: moved, closed or changed trade"),
        "undetermined": lambda: env._(
            "No cause is told: none reaches a confidence of %(lost_type_confidence)s", **figures
        ),
    }


def _satisfaction_texts(env, figures):
    return {
        "satisfied": lambda: env._(
            "Mean of the ratings given from %(satisfied_from)s on (1 worst, 5 best)", **figures
        ),
        "neutral": lambda: env._(
            "Mean of the ratings given from %(unsatisfied_below)s, below %(satisfied_from)s (1 worst, 5 best)",
            **figures,
        ),
        "unsatisfied": lambda: env._(
            "Mean of the ratings given below %(unsatisfied_below)s (1 worst, 5 best)", **figures
        ),
    }
