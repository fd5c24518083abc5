"""Numbers and amounts as the reader's language writes them."""

from odoo.tools.misc import get_lang


def number_text(env, number, decimals=0):
    """A number as the reader's language writes it."""
    return env["res.lang"].browse(get_lang(env).id).format(f"%.{decimals}f", number, grouping=True)


def amount_text(env, amount, currency):
    """An amount in whole units: a story is told without cents."""
    number, symbol = number_text(env, amount), currency.symbol or ""
    parts = [symbol, number] if currency.position == "before" else [number, symbol]
    return "\N{NO-BREAK SPACE}".join(filter(None, parts))


def tenths_text(env, share):
    """A share of one in percent, without the sign, with a decimal only where it is not whole."""
    percent = round(100 * share, 1)
    return number_text(env, percent, 0 if percent.is_integer() else 1)


def percent_text(env, share):
    """A share of one in whole percent."""
    return env._("%(percent)s %%", percent=number_text(env, 100 * share))
