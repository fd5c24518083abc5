"""Words of the explanation letter that no screen has: what data were used, and reasons without our own figures."""

from .reasons import MARGIN_CODES

# What these tell in figures is our own: costs and margins. The letter names them without.
COST_CODES = frozenset({"returns_cost", "overdue_cost", "contact_cost"})
# What these tell is measured as values are: in our margin, where it is known.
VALUE_CODES = frozenset({"missing_to_key", "growth_lacks_potential"})


def dataset_text(env, name):
    """What a dataset of the export holds of a customer; one this version does not know by its name, spelt out."""
    return {
        "orders": lambda: env._("Orders: day, amount, products, quantities, discounts"),
        "pos_orders": lambda: env._("Purchases at the counter: day, amount, products, quantities, discounts"),
        "order_details": lambda: env._("How orders came about: channel, salesperson, quoted and invoiced"),
        "quotations": lambda: env._("Quotations that became no order"),
        "invoices": lambda: env._("Invoices and credit notes: day, due day, amount"),
        "payments": lambda: env._("Payments of invoices: day, amount"),
        "deliveries": lambda: env._("Deliveries and returns: day, promised day, quantities"),
        "ratings": lambda: env._("Ratings given to us"),
        "points": lambda: env._("Points of loyalty programs"),
        "leads": lambda: env._("Opportunities: day, outcome, expected amount"),
        "messages": lambda: env._("Messages: when and in which direction, never what they say"),
        "activities": lambda: env._("Calls, meetings and other activities: day and kind"),
        "profiles": lambda: env._("Labels of the run before, so that small changes do not flip them"),
        "partners": lambda: env._(
            "Master data: first contact, business format, group, whether there is a tax ID, credit limit"
        ),
    }.get(name, lambda: name.replace("_", " ").capitalize())()


def is_internal(code, basis):
    """Whether the figures of a reason would tell our own costs or margins."""
    return code in MARGIN_CODES | COST_CODES or (basis == "margin" and code in VALUE_CODES)


def reason_without_figures(env, code):
    """A reason whose figures are our own, as one sentence without them.

    :raise KeyError: for another reason
    """
    return {
        "poor_net_value": lambda: env._("What was bought left little after our costs"),
        "margin_above_peers": lambda: env._("What was bought leaves us more than usual"),
        "margin_below_peers": lambda: env._("What was bought leaves us less than usual"),
        "lost_poor_margin": lambda: env._("What was bought in the last year left little after our costs"),
        "returns_cost": lambda: env._("Handling what was sent back caused costs"),
        "overdue_cost": lambda: env._("Invoices paid late caused costs"),
        "contact_cost": lambda: env._("Activities and messages caused costs"),
        "missing_to_key": lambda: env._("More current and potential value would make a key customer"),
        "growth_lacks_potential": lambda: env._(
            "No growth customer yet: less is expected than from half of comparable customers"
        ),
    }[code]()
