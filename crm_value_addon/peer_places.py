"""Where a customer stands among its peers, criterion by criterion, in words."""

from .formatting import percent_text

# In the order people read them; each is a column of the profile.
CRITERIA = (
    "value_percentile",
    "percentile_integrity",
    "percentile_influence",
    "percentile_compliance",
    "percentile_frequency",
    "percentile_volume",
    "percentile_margin",
    "percentile_loyalty",
)
# From which place on each of the words fits; the last fits the rest.
HIGHEST, ABOVE, MIDDLE, BELOW = 0.9, 0.6, 0.4, 0.1


def criterion_title(env, name):
    """What a customer is compared by."""
    return {
        "value_percentile": lambda: env._("Contribution"),
        "percentile_integrity": lambda: env._("Integrity"),
        "percentile_influence": lambda: env._("Influence"),
        "percentile_compliance": lambda: env._("Compliance"),
        "percentile_frequency": lambda: env._("Purchase frequency"),
        "percentile_volume": lambda: env._("Purchase volume"),
        "percentile_margin": lambda: env._("Margin rate"),
        "percentile_loyalty": lambda: env._("Loyalty"),
    }[name]()


def place_text(env, share):
    """A place among peers in words: a bar alone says nothing to who cannot see it."""
    if share >= HIGHEST:
        return env._("among the highest tenth")
    if share >= ABOVE:
        return env._("above most")
    if share >= MIDDLE:
        return env._("in the middle")
    if share >= BELOW:
        return env._("below most")
    return env._("among the lowest tenth")


def peer_places(env, profile):
    """The places of a customer as facts, ``[{"name", "label", "text", "share", "note"}]``, those not known left out.

    :param dict profile: ``CRITERIA``, each 0 to 1 or None
    """
    return [
        {
            "name": f"place_{name}",
            "label": criterion_title(env, name),
            "text": place_text(env, profile[name]),
            "share": profile[name],
            "note": percent_text(env, profile[name]),
        }
        for name in CRITERIA
        if profile[name] is not None
    ]
