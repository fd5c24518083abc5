"""The words of reasons that count a single thing: “1 day” and not “1 days”.

Each is a sentence of its own, since languages change more than a noun after a one.
"""


def text_of_one(env, code, params):
    """One sentence for a reason of which a figure is one; None where none is, or it reads as any other number.

    :param dict params: as of ``reason_text``
    """
    texts = _texts(env, params).get(code) if 1 in params.values() else None
    if not texts:
        return None
    counted = {name for names in texts for name in names}
    text = texts.get(frozenset(name for name in counted if params[name] == 1))
    return text() if text else None


def _texts(env, params):
    """``{code: {figures that are one: text}}`` of the figures that a noun follows."""
    return {**_of_rhythm(env, params), **_of_experience(env, params), **_of_opportunities(env, params)}


def _one(*names):
    return frozenset(names)


def _of_rhythm(env, params):
    """Of when it ordered and will again, and of what is too little to tell that."""
    return {
        "late_against_rhythm": {
            _one("typical_gap"): lambda: env._(
                "Last order %(days_since)s days ago; usually orders every day", **params
            ),
            _one("days_since"): lambda: env._(
                "Last order 1 day ago; usually orders every %(typical_gap)s days", **params
            ),
            _one("days_since", "typical_gap"): lambda: env._(
                "Last order 1 day ago; usually orders every day"
            ),
        },
        "on_rhythm": {
            _one("typical_gap"): lambda: env._(
                "Orders in its usual rhythm: last %(days_since)s days ago, usually every day", **params
            ),
            _one("days_since"): lambda: env._(
                "Orders in its usual rhythm: last 1 day ago, usually every %(typical_gap)s days", **params
            ),
            _one("days_since", "typical_gap"): lambda: env._(
                "Orders in its usual rhythm: last 1 day ago, usually every day"
            ),
        },
        "long_silence": {_one("days_since"): lambda: env._("Silent for 1 day")},
        "recent_order": {_one("days_since"): lambda: env._("Ordered only 1 day ago")},
        "one_order_only": {_one("days_since"): lambda: env._("Ordered once, 1 day ago")},
        "frequent_buyer": {
            _one("order_days"): lambda: env._("Ordered on 1 day in %(months)s months", **params),
            _one("months"): lambda: env._("Ordered on %(order_days)s days in 1 month", **params),
            _one("order_days", "months"): lambda: env._("Ordered on 1 day in 1 month"),
        },
        "rare_buyer": {
            _one("order_days"): lambda: env._("Orders seldom: on 1 day in %(months)s months", **params),
            _one("months"): lambda: env._("Orders seldom: on %(order_days)s days in 1 month", **params),
            _one("order_days", "months"): lambda: env._("Orders seldom: on 1 day in 1 month"),
        },
        "narrow_basket": {
            _one("categories"): lambda: env._("Buys in only 1 category, its peers in %(peers)s", **params)
        },
        "order_brings_low": {
            _one("days"): lambda: env._("An order within 1 day would bring the risk to low")
        },
        "order_brings_medium": {
            _one("days"): lambda: env._("An order within 1 day would bring the risk to medium")
        },
        "growth_lacks_activity": {
            _one("days_since"): lambda: env._("No growth customer: no order for 1 day")
        },
        "little_history": {
            _one("order_days"): lambda: env._(
                "Little history: 1 day with orders, %(needed)s are needed", **params
            )
        },
        "few_customers": {
            _one("have"): lambda: env._(
                "Scored by simple rules, not by a model: 1 customer has ordered, %(needed)s are needed",
                **params,
            )
        },
        "few_days": {
            _one("have"): lambda: env._(
                "Scored by simple rules, not by a model: orders span 1 day, %(needed)s are needed", **params
            )
        },
        "few_repeat_buyers": {
            _one("have"): lambda: env._(
                "Scored by simple rules, not by a model: 1 customer ordered again, %(needed)s are needed",
                **params,
            )
        },
        "type_needs_lines": {
            _one("lines"): lambda: env._(
                "Too few purchases to tell a value type: 1 line, %(needed)s are needed", **params
            )
        },
        "sudden_drop": {
            _one("orders"): lambda: env._(
                "Sales are down %(percent)s %% against its own pattern for %(days)s days: 1 day with orders,"
                " %(expected)s were expected",
                **params,
            )
        },
        "sudden_surge": {
            _one("orders"): lambda: env._(
                "Sales are up %(percent)s %% against its own pattern for %(days)s days: 1 day with orders,"
                " %(expected)s were expected",
                **params,
            )
        },
        **_of_replacement(env, params),
    }


def _of_replacement(env, params):
    if params.get("category"):
        return {
            "replacement_overdue": {
                _one("interval"): lambda: env._(
                    "Buys %(category)s about every day; has been due for %(days)s days", **params
                ),
                _one("days"): lambda: env._(
                    "Buys %(category)s about every %(interval)s days; has been due for 1 day", **params
                ),
                _one("interval", "days"): lambda: env._(
                    "Buys %(category)s about every day; has been due for 1 day", **params
                ),
            },
            "replacement_soon": {
                _one("interval"): lambda: env._(
                    "Buys %(category)s about every day; due again in %(days)s days", **params
                ),
                _one("days"): lambda: env._(
                    "Buys %(category)s about every %(interval)s days; due again in 1 day", **params
                ),
                _one("interval", "days"): lambda: env._(
                    "Buys %(category)s about every day; due again in 1 day", **params
                ),
            },
        }
    return {
        "replacement_overdue": {
            _one("interval"): lambda: env._(
                "A category it buys about every day has been due for %(days)s days", **params
            ),
            _one("days"): lambda: env._(
                "A category it buys about every %(interval)s days has been due for 1 day", **params
            ),
            _one("interval", "days"): lambda: env._(
                "A category it buys about every day has been due for 1 day"
            ),
        },
        "replacement_soon": {
            _one("interval"): lambda: env._(
                "A category it buys about every day is due in %(days)s days", **params
            ),
            _one("days"): lambda: env._(
                "A category it buys about every %(interval)s days is due in 1 day", **params
            ),
            _one("interval", "days"): lambda: env._("A category it buys about every day is due in 1 day"),
        },
    }


def _of_experience(env, params):
    """Of what it costs, how it pays, what it said and what we did."""
    return {
        "overdue_cost": {
            _one("invoices"): lambda: env._(
                "1 invoice was overdue; financing it cost %(amount)s of late", **params
            )
        },
        "contact_cost": {
            _one("contacts"): lambda: env._("1 activity or message cost %(amount)s of late", **params)
        },
        "pays_late": {
            _one("days"): lambda: env._(
                "Pays late: %(percent)s %% of the money due came late or has not come (half of its peers: up to"
                " %(peers)s %%); %(late)s of %(invoices)s invoices, 1 day on average",
                **params,
            )
        },
        "cancels_quotations": {
            _one("cancelled"): lambda: env._(
                "Cancelled 1 quotation or order, and placed %(orders)s", **params
            )
        },
        "low_rating_stands": {
            _one("days_since"): lambda: env._(
                "Rated us badly 1 day ago; ordered on %(order_days)s days since, approval takes %(needed)s",
                **params,
            ),
            _one("order_days"): lambda: env._(
                "Rated us badly %(days_since)s days ago; ordered on 1 day since, approval takes %(needed)s",
                **params,
            ),
            _one("days_since", "order_days"): lambda: env._(
                "Rated us badly 1 day ago; ordered on 1 day since, approval takes %(needed)s", **params
            ),
        },
        "no_complaint": {_one("ratings"): lambda: env._("No complaint in 1 rating, nor otherwise")},
        "spends_points": {
            _one("days"): lambda: env._(
                "Spent its loyalty points on 1 day of late, %(days_since)s days ago", **params
            ),
            _one("days_since"): lambda: env._(
                "Spent its loyalty points on %(days)s days of late, the last time 1 day ago", **params
            ),
            _one("days", "days_since"): lambda: env._("Spent its loyalty points on 1 day of late, 1 day ago"),
        },
        "collects_points": {
            _one("days"): lambda: env._("Collected loyalty points on 1 day of late and spent none")
        },
        "leaves_points": {
            _one("orders"): lambda: env._(
                "Has a loyalty card and did not show it on its 1 day with orders of late"
            )
        },
        "late_deliveries": {
            _one("days"): lambda: env._(
                "%(late)s of %(deliveries)s deliveries came late, 1 day on average", **params
            )
        },
        "invoiced_above_quoted": {
            _one("orders"): lambda: env._("1 order was invoiced above the price quoted")
        },
        "we_begin": {
            _one("days_since"): lambda: env._(
                "We began %(ours)s of %(all)s conversations; the last contact was 1 day ago", **params
            )
        },
        "customer_begins": {
            _one("days_since"): lambda: env._(
                "The customer began %(theirs)s of %(all)s conversations; the last contact was 1 day ago",
                **params,
            )
        },
        "no_contact": {
            _one("days_since"): lambda: env._(
                "No contact for 1 day; before, there was one every %(typical_gap)s days", **params
            ),
            _one("typical_gap"): lambda: env._(
                "No contact for %(days_since)s days; before, there was one every day", **params
            ),
            _one("days_since", "typical_gap"): lambda: env._(
                "No contact for 1 day; before, there was one every day"
            ),
        },
        "slow_answers": {
            _one("hours"): lambda: env._("Waits 1 hour for our answer, its peers %(peers)s hours", **params),
            _one("peers"): lambda: env._("Waits %(hours)s hours for our answer, its peers 1 hour", **params),
            _one("hours", "peers"): lambda: env._("Waits 1 hour for our answer, its peers 1 hour"),
        },
        "lost_low_ratings": {_one("low", "ratings"): lambda: env._("Its last 1 rating was low")},
        "lost_let_alone": {
            _one("days"): lambda: env._(
                "When it left, we had not been in touch for 1 day; before, every %(typical_gap)s days",
                **params,
            ),
            _one("typical_gap"): lambda: env._(
                "When it left, we had not been in touch for %(days)s days; before, every day", **params
            ),
            _one("days", "typical_gap"): lambda: env._(
                "When it left, we had not been in touch for 1 day; before, every day"
            ),
        },
    }


def _of_opportunities(env, params):
    return {
        "failed_lead_stands": {
            _one("days_since"): lambda: env._(
                "An opportunity was lost 1 day ago because we failed it; ordered on %(order_days)s days since,"
                " approval takes %(needed)s",
                **params,
            ),
            _one("order_days"): lambda: env._(
                "An opportunity was lost %(days_since)s days ago because we failed it; ordered on 1 day since,"
                " approval takes %(needed)s",
                **params,
            ),
            _one("days_since", "order_days"): lambda: env._(
                "An opportunity was lost 1 day ago because we failed it; ordered on 1 day since, approval takes"
                " %(needed)s",
                **params,
            ),
        },
        "lost_lead_dropped": {
            _one("days_since"): lambda: env._(
                "An opportunity was lost 1 day ago since we gave the customer up"
            )
        },
        "lost_lead_neglected": {
            _one("days_since"): lambda: env._(
                "An opportunity was lost 1 day ago since we failed the customer"
            )
        },
        "lost_lead_competitor": {
            _one("days_since"): lambda: env._("An opportunity was lost to a competitor 1 day ago")
        },
        "lost_lead_price": {
            _one("days_since"): lambda: env._("An opportunity was lost for its price 1 day ago")
        },
        "lost_lead_circumstances": {
            _one("days_since"): lambda: env._(
                "An opportunity was lost 1 day ago since the customer's circumstances changed"
            )
        },
    }
