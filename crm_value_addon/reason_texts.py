"""The words of reasons in the reader's language; what a reason is, and who may know it, is in `reasons`."""

from .reason_texts_of_one import text_of_one
from .strategy_texts import strategy_reason_texts


def reason_text(env, code, params):
    """One sentence for a reason.

    :param env: environment whose language is used
    :param str code: a key of the reason schema
    :param dict params: the figures the schema names for it, those of the type ``category`` as a name, None where the
        reader may not read it or there is none
    :raise KeyError: for an unknown code or a missing figure
    """
    texts = {
        "late_against_rhythm": lambda: env._(
            "Last order %(days_since)s days ago; usually orders every %(typical_gap)s days", **params
        ),
        "on_rhythm": lambda: env._(
            "Orders in its usual rhythm: last %(days_since)s days ago, usually every %(typical_gap)s days",
            **params,
        ),
        "long_silence": lambda: env._("Silent for %(days_since)s days", **params),
        "recent_order": lambda: env._("Ordered only %(days_since)s days ago", **params),
        "frequent_buyer": lambda: env._("Ordered on %(order_days)s days in %(months)s months", **params),
        "rare_buyer": lambda: env._("Orders seldom: on %(order_days)s days in %(months)s months", **params),
        "one_order_only": lambda: env._("Ordered once, %(days_since)s days ago", **params),
        "spend_rising": lambda: env._("Spends %(percent)s %% more than in the period before", **params),
        "spend_falling": lambda: env._("Spends %(percent)s %% less than in the period before", **params),
        "small_orders": lambda: env._(
            "Small orders: %(percent)s %% of what its peers spend on one", **params
        ),
        "large_orders": lambda: env._(
            "Large orders: %(percent)s %% of what its peers spend on one", **params
        ),
        "fewer_orders": lambda: env._(
            "Fewer orders: %(recent)s, after %(before)s in the period before", **params
        ),
        "more_orders": lambda: env._(
            "More orders: %(recent)s, after %(before)s in the period before", **params
        ),
        "broad_basket": lambda: env._("Buys in %(categories)s categories, its peers in %(peers)s", **params),
        "narrow_basket": lambda: env._(
            "Buys in only %(categories)s categories, its peers in %(peers)s", **params
        ),
        "discount_dependent": lambda: env._("%(percent)s %% of its purchases were discounted", **params),
        "returns_share": lambda: env._("Returned %(percent)s %% of what it bought", **params),
        "top_share": lambda: env._("Number %(rank)s by value among %(peers)s peers", **params),
        "won_back": lambda: env._("Came back after %(silence_days)s days of silence", **params),
        "stage_near_border": lambda: env._(
            "Close to the border of another stage of the life cycle, within the %(noise)s %% that count as noise: "
            "what it was before decides",
            **params,
        ),
        "poor_net_value": lambda: env._("Leaves only %(percent)s %% of its sales as margin", **params),
        "order_brings_low": lambda: env._(
            "An order within %(days)s days would bring the risk to low", **params
        ),
        "order_brings_medium": lambda: env._(
            "An order within %(days)s days would bring the risk to medium", **params
        ),
        "risk_counts_low": lambda: env._(
            "Counts as low risk: at %(percent)s %% it has not passed the border of %(border)s %% by %(points)s points",
            **params,
        ),
        "risk_counts_medium": lambda: env._(
            "Counts as medium risk: at %(percent)s %% it has not passed the border of %(border)s %% by "
            "%(points)s points",
            **params,
        ),
        "risk_counts_high": lambda: env._(
            "Counts as high risk: at %(percent)s %% it has not passed the border of %(border)s %% by "
            "%(points)s points",
            **params,
        ),
        "little_history": lambda: env._(
            "Little history: %(order_days)s days with orders, %(needed)s are needed", **params
        ),
        "few_customers": lambda: env._(
            "Scored by simple rules, not by a model: %(have)s customers have ordered, %(needed)s are needed",
            **params,
        ),
        "few_days": lambda: env._(
            "Scored by simple rules, not by a model: orders span %(have)s days, %(needed)s are needed",
            **params,
        ),
        "few_repeat_buyers": lambda: env._(
            "Scored by simple rules, not by a model: %(have)s customers ordered again, %(needed)s are needed",
            **params,
        ),
        "returns_cost": lambda: env._("Handling what it sent back cost %(amount)s of late", **params),
        "overdue_cost": lambda: env._(
            "%(invoices)s invoices were overdue; financing them cost %(amount)s of late", **params
        ),
        "contact_cost": lambda: env._(
            "%(contacts)s activities and messages cost %(amount)s of late", **params
        ),
        "missing_to_key": lambda: env._(
            "Becomes a key customer with %(amount)s more of current and potential value", **params
        ),
        "growth_lacks_index": lambda: env._(
            "No growth customer yet: its value index is %(percent)s %%, %(needed)s %% are needed", **params
        ),
        "growth_lacks_potential": lambda: env._(
            "No growth customer yet: its potential is %(amount)s, half of its peers have %(needed)s or more",
            **params,
        ),
        "growth_lacks_expectation": lambda: env._(
            "No growth customer yet: the value expected next is %(percent)s %% of the current one, "
            "%(needed)s %% are needed",
            **params,
        ),
        "growth_lacks_activity": lambda: env._(
            "No growth customer: no order for %(days_since)s days", **params
        ),
        "stays_key": lambda: env._(
            "Stays a key customer: %(percent)s %% below the border, within the %(noise)s %% that count as noise",
            **params,
        ),
        "not_yet_key": lambda: env._(
            "Not a key customer yet: %(percent)s %% above the border, within the %(noise)s %% that count as noise",
            **params,
        ),
        "class_near_border": lambda: env._(
            "Close to the border of another value class, within the %(noise)s %% that count as noise: "
            "what it was before decides",
            **params,
        ),
        "margin_above_peers": lambda: env._(
            "Margin rate of %(percent)s %%; half of its peers are below %(peers)s %%", **params
        ),
        "margin_below_peers": lambda: env._(
            "Margin rate of %(percent)s %%; half of its peers are above %(peers)s %%", **params
        ),
        "no_tax_id": lambda: env._("No tax ID on file; %(percent)s %% of its peers have one", **params),
        "credit_limit_exceeded": lambda: env._(
            "Owes %(open)s, more than its credit limit of %(limit)s", **params
        ),
        "pays_late": lambda: env._(
            "Pays late: %(percent)s %% of the money due came late or has not come (half of its peers: up to "
            "%(peers)s %%); %(late)s of %(invoices)s invoices, %(days)s days on average",
            **params,
        ),
        "pays_on_time": lambda: env._("Paid all %(invoices)s invoices on time", **params),
        "cancels_quotations": lambda: env._(
            "Cancelled %(cancelled)s quotations or orders, and placed %(orders)s", **params
        ),
        "returns_often": lambda: env._(
            "Sent back %(percent)s %% of what it bought, its peers %(peers)s %%", **params
        ),
        "group_of_branches": lambda: env._("One of %(branches)s customers of the same group", **params),
        "share_of_format": lambda: env._(
            "Takes %(percent)s %% of the sales of its business format", **params
        ),
        "cross_sell_gap": lambda: (
            env._("%(percent)s %% of %(peers)s similar customers buy %(category)s, it buys none", **params)
            if params.get("category")
            else env._(
                "%(percent)s %% of %(peers)s similar customers buy a category in which it buys nothing",
                **params,
            )
        ),
        "replacement_overdue": lambda: (
            env._("Buys %(category)s about every %(interval)s days; has been due for %(days)s days", **params)
            if params.get("category")
            else env._(
                "A category it buys about every %(interval)s days has been due for %(days)s days", **params
            )
        ),
        "replacement_soon": lambda: (
            env._("Buys %(category)s about every %(interval)s days; due again in %(days)s days", **params)
            if params.get("category")
            else env._("A category it buys about every %(interval)s days is due in %(days)s days", **params)
        ),
        "share_of_customer": lambda: env._(
            "Buys an estimated %(percent)s %% of what it needs from us, about %(amount)s a year elsewhere "
            "(judged by %(peers)s peers)",
            **params,
        ),
        "buys_old_products": lambda: env._(
            "%(percent)s %% of what it buys are old products, usual is %(usual)s %%", **params
        ),
        "settled_on_products": lambda: env._(
            "%(percent)s %% of its purchases repeat a product it knows, usual is %(usual)s %%", **params
        ),
        "buys_less_after_rise": lambda: env._(
            "Buys %(percent)s %% less of a product after its price rose (price rises seen: %(count)s)",
            **params,
        ),
        "buys_when_cheaper": lambda: env._(
            "%(percent)s %% of its purchases at a changed price were cheaper than the last, usual is %(usual)s %%",
            **params,
        ),
        "returns_to_favourites": lambda: env._(
            "%(percent)s %% of what it buys are old favourites that it came back to, usual is %(usual)s %%",
            **params,
        ),
        "buys_best_sellers": lambda: env._(
            "%(percent)s %% of what it buys are best sellers, usual is %(usual)s %%", **params
        ),
        "buys_basics": lambda: env._(
            "%(percent)s %% of what it buys are basics, usual is %(usual)s %%", **params
        ),
        "buys_cheap_products": lambda: env._(
            "Buys at %(percent)s %% of the price range of a category (0 %% = cheapest), usual is %(usual)s %%",
            **params,
        ),
        "buys_dear_products": lambda: env._(
            "Buys at %(percent)s %% of the price range of a category (100 %% = dearest), usual is %(usual)s %%",
            **params,
        ),
        "buys_at_discount": lambda: env._(
            "%(percent)s %% of its purchases are discounted, usual is %(usual)s %%", **params
        ),
        "buys_at_full_price": lambda: env._(
            "%(percent)s %% of its purchases are at full price, usual is %(usual)s %%", **params
        ),
        "buys_new_products": lambda: env._(
            "%(percent)s %% of what it buys are new products, usual is %(usual)s %%", **params
        ),
        "buys_ahead_of_rises": lambda: env._(
            "Buys %(percent)s %% more just before a price rises (rises seen: %(count)s)", **params
        ),
        "moves_to_dearer_products": lambda: env._(
            "Moved up %(percent)s %% of the price range within the categories it buys", **params
        ),
        "buys_complements": lambda: env._(
            "%(percent)s %% of what it buys goes with something else in the same order, usual is %(usual)s %%",
            **params,
        ),
        "type_needs_lines": lambda: env._(
            "Too few purchases to tell a value type: %(lines)s lines, %(needed)s are needed", **params
        ),
        "type_needs_days": lambda: env._(
            "Too few days with orders to tell a value type: %(order_days)s, %(needed)s are needed", **params
        ),
        "type_lacks_habit": lambda: env._(
            "Age and price of what it buys would make a value type, but no habit peculiar to it shows"
        ),
        "type_undecided": lambda: env._(
            "No value type stands out: the strongest evidence is %(percent)s %% of what is needed", **params
        ),
        "type_ambiguous": lambda: env._("Two value types are about equally likely"),
        "low_rating_stands": lambda: env._(
            "Rated us badly %(days_since)s days ago; ordered on %(order_days)s days since, approval takes %(needed)s",
            **params,
        ),
        "failed_lead_stands": lambda: env._(
            "An opportunity was lost %(days_since)s days ago because we failed it; ordered on %(order_days)s days "
            "since, approval takes %(needed)s",
            **params,
        ),
        "mostly_returned": lambda: env._("Sent back %(percent)s %% of all it bought: no approval", **params),
        "no_complaint": lambda: env._("No complaint in %(ratings)s ratings, nor otherwise", **params),
        "never_rated": lambda: env._(
            "Gave no rating: that nothing is known against us does not say it was content"
        ),
        "spends_points": lambda: env._(
            "Spent its loyalty points on %(days)s days of late, the last time %(days_since)s days ago",
            **params,
        ),
        "collects_points": lambda: env._(
            "Collected loyalty points on %(days)s days of late and spent none", **params
        ),
        "leaves_points": lambda: env._(
            "Has a loyalty card and showed it on none of %(orders)s days with orders of late", **params
        ),
        "satisfied_ratings": lambda: env._(
            "Rated us well: %(good)s of %(ratings)s ratings were good", **params
        ),
        "mixed_ratings": lambda: env._(
            "Rated us now well, now badly: %(good)s of %(ratings)s ratings were good, %(bad)s bad", **params
        ),
        "unsatisfied_ratings": lambda: env._(
            "Rated us badly: %(bad)s of %(ratings)s ratings were bad", **params
        ),
        "late_deliveries": lambda: env._(
            "%(late)s of %(deliveries)s deliveries came late, %(days)s days on average", **params
        ),
        "short_deliveries": lambda: env._(
            "%(short)s of %(deliveries)s deliveries brought less than was ordered", **params
        ),
        "invoiced_above_quoted": lambda: env._(
            "%(orders)s orders were invoiced above the price quoted", **params
        ),
        "promises_kept": lambda: env._("We kept all %(promises)s promises", **params),
        "we_begin": lambda: env._(
            "We began %(ours)s of %(all)s conversations; the last contact was %(days_since)s days ago",
            **params,
        ),
        "customer_begins": lambda: env._(
            "The customer began %(theirs)s of %(all)s conversations; the last contact was "
            "%(days_since)s days ago",
            **params,
        ),
        "no_contact": lambda: env._(
            "No contact for %(days_since)s days; before, there was one every %(typical_gap)s days", **params
        ),
        "slow_answers": lambda: env._(
            "Waits %(hours)s hours for our answer, its peers %(peers)s hours", **params
        ),
        "unanswered": lambda: env._("%(unanswered)s of its %(messages)s messages got no answer", **params),
        "prefers_channel": lambda: env._(
            "%(percent)s %% of its orders came this way, later ones counting more", **params
        ),
        "shifts_channel": lambda: env._(
            "%(percent)s %% of its later orders came this way, but only %(before)s %% of its earlier ones",
            **params,
        ),
        "sudden_drop": lambda: env._(
            "Sales are down %(percent)s %% against its own pattern for %(days)s days: %(orders)s "
            "days with orders, %(expected)s were expected",
            **params,
        ),
        "sudden_surge": lambda: env._(
            "Sales are up %(percent)s %% against its own pattern for %(days)s days: %(orders)s days "
            "with orders, %(expected)s were expected",
            **params,
        ),
        "lost_told": lambda: env._("A person said why it was lost"),
        "lost_blocked": lambda: env._("We blocked this customer"),
        "lost_poor_margin": lambda: env._(
            "Left only %(percent)s %% of its sales as margin in its last year", **params
        ),
        "lost_archived": lambda: env._("Archived, which says little by itself"),
        "lost_let_alone": lambda: env._(
            "When it left, we had not been in touch for %(days)s days; before, every %(typical_gap)s days",
            **params,
        ),
        "lost_failures": lambda: env._(
            "%(failed)s of its last %(deliveries)s deliveries came late or short", **params
        ),
        "lost_low_ratings": lambda: env._("%(low)s of its last %(ratings)s ratings were low", **params),
        "lost_returns": lambda: env._(
            "%(returned)s of its last %(deliveries)s deliveries were goods sent back", **params
        ),
        "lost_unanswered": lambda: env._(
            "%(badly)s of its last %(messages)s messages were answered late or never", **params
        ),
        "lost_share": lambda: env._(
            "Bought no more in %(categories)s of its usual categories before it left: %(percent)s %% "
            "of its purchases",
            **params,
        ),
        "lost_discounts": lambda: env._(
            "%(percent)s %% of its purchases were discounted in its last year", **params
        ),
        "lost_price_rise": lambda: env._(
            "The prices of what it bought had gone up by %(percent)s %% when it left", **params
        ),
        "lost_smaller": lambda: env._(
            "Bought %(percent)s %% less per order line in the two months before it left", **params
        ),
        "lost_lead_dropped": lambda: env._(
            "An opportunity was lost %(days_since)s days ago since we gave the customer up", **params
        ),
        "lost_lead_neglected": lambda: env._(
            "An opportunity was lost %(days_since)s days ago since we failed the customer", **params
        ),
        "lost_lead_competitor": lambda: env._(
            "An opportunity was lost to a competitor %(days_since)s days ago", **params
        ),
        "lost_lead_price": lambda: env._(
            "An opportunity was lost for its price %(days_since)s days ago", **params
        ),
        "lost_lead_circumstances": lambda: env._(
            "An opportunity was lost %(days_since)s days ago since the customer's circumstances changed",
            **params,
        ),
        **strategy_reason_texts(env, params),
    }
    text = texts[code]
    return text_of_one(env, code, params) or text()
