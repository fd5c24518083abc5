"""What goals say: definitions, figures and sentences, in the reader's language."""

from math import inf

from odoo.tools.misc import format_date

from .formatting import number_text
from .goal_metrics import METRICS


def definition_text(env, metric):
    """How a metric is measured."""
    texts = {
        "retention": lambda: env._(
            "Of the customers who were active when the period began (neither prospects, dormant nor lost), the share"
            " that is so now, or was on the last day. Who is no longer scored counts neither way."
        ),
        "key_retention": lambda: env._(
            "Of the customers of class Key who were active when the period began, the share that is active now, or"
            " was on the last day."
        ),
        "reactivation": lambda: env._(
            "Of the customers who were dormant or lost when the period began, the share that is active again."
        ),
        "loyalty": lambda: env._(
            "Of the active customers whose loyalty is known, the share at the stage Loyalty."
        ),
        "lead_days": lambda: env._(
            "Half of the leads won in the period took no longer, from their creation to their first confirmed order."
        ),
        "order_cost": lambda: env._(
            "Cost to serve over confirmed orders in the current window, of the customers whose cost is known."
        ),
        "opportunities": lambda: env._("Opportunities created in the period, those lost since included."),
        "satisfied": lambda: env._(
            "Of the customers whose satisfaction is known, the share that is satisfied."
        ),
        "margin": lambda: " ".join(filter(None, [_margin_text(env), _no_margin_text(env)])),
    }
    return texts[metric]() if metric in texts else ""


def _margin_text(env):
    return env._("Margin over untaxed sales of the orders confirmed in the period whose margin is known.")


def _no_margin_text(env):
    if "margin" in env["sale.order.line"]._fields:
        return ""
    return env._("None is known here: switch on the margins in the settings of Sales.")


def figure_text(env, metric, figure, currency):
    """A figure of a metric with its unit; empty where there is none."""
    if figure is None or metric not in METRICS:
        return ""
    if METRICS[metric].unit == "share":
        return env._("%(percent)s %%", percent=number_text(env, 100 * figure, 1))
    if METRICS[metric].unit == "days":
        return env._("%s days", number_text(env, figure, 1))
    if METRICS[metric].unit == "amount":
        parts = [number_text(env, figure, currency.decimal_places), currency.symbol or ""]
        return "\N{NO-BREAK SPACE}".join(parts[::-1] if currency.position == "before" else parts).strip()
    return number_text(env, figure)


def period_text(env, first, last):
    return env._("%(first)s to %(last)s", first=format_date(env, first), last=format_date(env, last))


def before_text(env, figure, first, last):
    """How a metric went in the period before.

    :param str figure: the text of its figure, empty where it is not known
    """
    period = period_text(env, first, last)
    if not figure:
        return env._("Not known for %s.", period)
    return env._("It was %(figure)s in %(period)s.", figure=figure, period=period)


def course_text(env, goal):
    """What the picture of a goal shows, in a sentence."""
    figures = {"actual": goal.actual_text, "target": goal.target_text, "forecast": goal.forecast_text}
    if goal.forecast_text:
        return env._(
            "%(actual)s so far, against a target of %(target)s. At this pace it will be %(forecast)s at the end.",
            **figures,
        )
    return env._("%(actual)s so far, against a target of %(target)s.", **figures)


def period_flaw_text(env, first, last):
    """Why no goal can be of a period; empty where one can."""
    if last < first:
        return env._("The goal ends before it begins.")
    if not 2000 <= first.year < 2100 or (last - first).days > 3660:
        return env._("A goal begins in this century and takes ten years at most.")
    return ""


def target_flaw_text(env, metric, target):
    """Why a target is beyond what the metric can be; empty where it is not."""
    # Whatever is no number is within no bounds.
    within, text = {
        "share": (0 < target <= 1, lambda: env._("A share lies above 0 % and at 100 % at most.")),
        "count": (1 <= target < inf, lambda: env._("A number to reach is 1 at least.")),
        "days": (0 <= target < inf, lambda: env._("A number of days is not below 0.")),
        "amount": (0 < target < inf, lambda: env._("A cost to get down to is above 0.")),
    }[METRICS[metric].unit]
    return "" if within else text()
