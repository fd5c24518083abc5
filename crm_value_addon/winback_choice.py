"""Whom a win-back plan takes: by what it may bring against what it costs, within the budget."""

import hashlib


def choose(candidates, plan, seed):
    """The lines of a plan, the most worthwhile first.

    Nobody is taken from whom less is to be expected than spent, and no more is spent than the budget. A part is
    left alone, chosen by lot, so that afterwards there is something to compare with.

    :param list candidates: ``{"partner_id", "kind", "sales", "chance"}``; ``kind`` is ``at_risk`` for who may leave and
        anything else for who has left, ``chance`` to leave or to come back
    :param dict plan: ``margin_rate``, ``lift``, ``saved``, ``contact_cost``, ``offer_cost``, ``budget`` and
        ``control_share``
    :param seed: of the lot; the same seed draws the same
    :return: the candidates taken, each with ``gain`` (how much more probable its orders are made), ``value``,
        ``expected_return``, ``cost`` and ``arm`` (``act`` or ``control``); nobody where there is nobody to act on
    """
    spent, lines = 0.0, []
    for line in worthwhile(candidates, plan):
        if left_alone(line["partner_id"], plan, seed):
            lines.append({**line, "arm": "control"})
        elif spent + line["cost"] <= plan["budget"] + 1e-9:
            spent += line["cost"]
            lines.append({**line, "arm": "act"})
        else:
            # Those after it would be compared with nobody like them.
            break
    return lines if any(line["arm"] == "act" for line in lines) else []


def worthwhile(candidates, plan):
    """The candidates that may bring more than they cost, with what, the most worthwhile first; see ``choose``."""
    priced = (_priced(candidate, plan) for candidate in candidates)
    return sorted(
        (line for line in priced if line["expected_return"] > line["cost"]),
        key=lambda line: (
            -(line["expected_return"] - line["cost"]) / max(line["cost"], 1e-9),
            line["partner_id"],
        ),
    )


def left_alone(partner, plan, seed):
    """Whether the lot leaves a customer alone."""
    return _lot(seed, partner) < plan["control_share"]


def _priced(candidate, plan):
    chance = candidate["chance"]
    at_risk = candidate["kind"] == "at_risk"
    gain = chance * plan["saved"] if at_risk else min(chance * plan["lift"], 1 - chance)
    orders = (1 - chance if at_risk else chance) + gain
    value = candidate["sales"] * plan["margin_rate"]
    return {
        **candidate,
        "gain": gain,
        "value": value,
        "expected_return": value * gain,
        # What is offered is only paid to who orders.
        "cost": plan["contact_cost"] + plan["offer_cost"] * orders,
    }


def _lot(seed, partner):
    """A number of [0, 1) that looks like chance and is the same each time."""
    digest = hashlib.sha256(f"{seed}:{partner}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
