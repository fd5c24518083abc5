"""Headings, directions and links of reasons in the reader's language."""


def topic_title(env, topic):
    """What the reasons of a topic are about, as a heading."""
    return {
        "churn": lambda: env._("Risk of leaving"),
        "anomaly": lambda: env._("Sudden change"),
        "lost": lambda: env._("Why it was lost"),
        "value": lambda: env._("Value"),
        "value_type": lambda: env._("Value type"),
        "rating": lambda: env._("Rating"),
        "loyalty": lambda: env._("Loyalty"),
        "satisfaction": lambda: env._("Satisfaction"),
        "service": lambda: env._("Service"),
        "life_cycle": lambda: env._("Life cycle"),
        "products": lambda: env._("Products"),
        "strategy": lambda: env._("Service strategy"),
    }[topic]()


def direction_text(env, direction):
    """What a reason does to the risk of leaving, if anything."""
    return {
        "up": lambda: env._("Raises the risk"),
        "down": lambda: env._("Lowers the risk"),
        "advice": lambda: env._("What would help"),
    }.get(direction, lambda: "")()


def records_text(env, model, count):
    """How many records of a model are behind a reason, as the words of a link."""
    return {
        "sale.order": lambda: env._("Orders (%s)", count),
        "account.move": lambda: env._("Invoices (%s)", count),
        "stock.picking": lambda: env._("Deliveries (%s)", count),
        "rating.rating": lambda: env._("Ratings (%s)", count),
        "crm.lead": lambda: env._("Opportunities (%s)", count),
        "loyalty.card": lambda: env._("Loyalty Cards (%s)", count),
        "res.partner": lambda: env._("Customers (%s)", count),
    }.get(model, lambda: env._("Records (%s)", count))()
