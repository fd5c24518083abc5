"""What happened in a service case, in words; its figures hold no amounts, so that everybody may read them."""

from odoo.tools.misc import format_date

from .formatting import number_text

KINDS = [
    ("complaint", "Complaint"),
    ("return", "Return"),
    ("late_delivery", "Late delivery"),
    ("short_delivery", "Short delivery"),
    ("low_rating", "Low rating"),
]
CAUSES = [
    ("us", "Us"),
    ("carrier", "Carrier"),
    ("product", "Product"),
    ("customer", "Customer"),
    ("unknown", "Not known"),
]
STATES = [("new", "New"), ("working", "In work"), ("resolved", "Resolved"), ("given_up", "Given up")]
ORDER_AFTER = [("ordered", "Ordered again"), ("none", "No order"), ("open", "Not over yet")]


def case_text(env, kind, figures):
    """What happened, in the reader's language; its figures may be of an older release.

    :param str kind: a code of ``KINDS``; a complaint is told by whoever took it down, and has no figures
    """
    figures = figures or {}

    def number(name):
        value = float(figures[name])
        return number_text(env, value, 0 if value == int(value) else 2)

    try:
        return {
            "complaint": lambda: "",
            "return": lambda: (
                env._("A credit note was issued.")
                if "credit_note" in figures
                else env._("Quantity sent back: %s.", number("quantity"))
            ),
            "late_delivery": lambda: (
                env._("Promised for %(day)s, one day late.", day=format_date(env, figures["promised"]))
                if figures["days"] == 1
                else env._(
                    "Promised for %(day)s, %(days)s days late.",
                    day=format_date(env, figures["promised"]),
                    days=number("days"),
                )
            ),
            "short_delivery": lambda: env._(
                "%(delivered)s of %(demanded)s units were delivered, and no more are to come.",
                delivered=number("delivered"),
                demanded=number("demanded"),
            ),
            "low_rating": lambda: env._("Rated %s of 5.", number("rating")),
        }[kind]()
    except (KeyError, TypeError, ValueError):
        return ""
