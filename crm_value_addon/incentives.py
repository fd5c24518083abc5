"""What a customer lacks to the next class and would get there, as a line to say to it."""

from .formatting import number_text
from .service_texts import offered_texts

# What is said of more is no incentive but a dream.
MOST_MORE = 3.0


def incentive_text(env, profile):
    """The line a salesperson can say to a customer that is not a key customer yet.

    How much more is told as a share of what it brings: in money it would tell a customer our margin where value is
    measured in margin.

    :param dict profile: values of ``PAGE_COLUMNS`` of the customer's page
    :return: empty where it is a key customer, too far from one, or gives us a loss
    """
    missing = profile["next_class_gap"]
    brings = (profile["current_value"] or 0) + (profile["potential_value"] or 0)
    if not missing or profile["effective_value_class"] not in ("growth", "standard") or brings <= 0:
        return ""
    more = missing / brings
    if more > MOST_MORE:
        return ""
    policies = env["crm.value.service.policy"]
    offered = offered_texts(env, policies._of(profile["company_id"], "key", profile["format_id"]).sudo())
    # Rounded up: who does what was said must get there.
    figures = {"percent": number_text(env, max(-(-more * 100 // 1), 1)), "offered": "; ".join(offered)}
    if offered:
        return env._("With about %(percent)s %% more business it gets: %(offered)s", **figures)
    return env._("About %(percent)s %% more business makes it a key customer", **figures)
