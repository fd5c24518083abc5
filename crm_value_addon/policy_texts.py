"""Names, meanings and units of the keys of a policy in the reader's language.

A test keeps the English ones those of the schema.
"""

from .policy_schema import POLICY_SCHEMA


def policy_label(env, key):
    """What a rule is called."""
    texts = {
        "churn_horizon_days": lambda: env._("Churn horizon"),
        "value_horizon_years": lambda: env._("Value horizon"),
        "discount_rate": lambda: env._("Discount rate"),
        "current_window_days": lambda: env._("Current window"),
        "sales_basis": lambda: env._("Sales are counted from"),
        "key_share": lambda: env._("Share carried by key customers"),
        "key_rule": lambda: env._("Key customers by"),
        "key_value_minimum": lambda: env._("Key: smallest value"),
        "peers_minimum": lambda: env._("Smallest peer group"),
        "peers_by_territory": lambda: env._("Peers by territory"),
        "weight_frequency": lambda: env._("Weight of purchase frequency"),
        "weight_volume": lambda: env._("Weight of volume"),
        "weight_margin": lambda: env._("Weight of margin rate"),
        "weight_loyalty": lambda: env._("Weight of loyalty"),
        "growth_index_minimum": lambda: env._("Growth: smallest value index"),
        "growth_ratio_minimum": lambda: env._("Growth: expected over current value"),
        "net_value_minimum": lambda: env._("Smallest net value"),
        "return_cost_share": lambda: env._("Cost of returns"),
        "financing_rate": lambda: env._("Cost of overdue money"),
        "activity_cost": lambda: env._("Cost of an activity"),
        "message_cost": lambda: env._("Cost of a message"),
        "risk_medium_from": lambda: env._("Medium risk from"),
        "risk_high_from": lambda: env._("High risk from"),
        "hysteresis_value": lambda: env._("Value and life cycle: noise"),
        "hysteresis_probability": lambda: env._("Risk: noise"),
        "approval_order_days": lambda: env._("Approval: order-days"),
        "preference_order_days": lambda: env._("Preference: order-days"),
        "loyalty_order_days": lambda: env._("Loyalty: order-days"),
        "loyalty_p_alive": lambda: env._("Loyalty: probability of being alive"),
        "breadth_kept": lambda: env._("Preference: breadth kept"),
        "cadence_broken_factor": lambda: env._("Cadence broken after"),
        "cadence_broken_days": lambda: env._("Cadence broken: shortest silence"),
        "dormant_factor": lambda: env._("Dormant after"),
        "dormant_days": lambda: env._("Dormant: shortest silence"),
        "lost_factor": lambda: env._("Lost after"),
        "lost_days": lambda: env._("Lost: shortest silence"),
        "extension_ratio": lambda: env._("Extension: growth"),
        "win_back_share": lambda: env._("Worth winning back: share"),
        "withheld_grades": lambda: env._("Grades withheld"),
        "rating_weight_contribution": lambda: env._("Rating: weight of contribution"),
        "rating_weight_compliance": lambda: env._("Rating: weight of compliance"),
        "rating_weight_integrity": lambda: env._("Rating: weight of integrity"),
        "rating_weight_influence": lambda: env._("Rating: weight of influence"),
        "payment_grace_days": lambda: env._("Payment: days of grace"),
        "cross_sell_share": lambda: env._("Cross-sell: share of similar customers"),
        "replacement_repeat_share": lambda: env._("Replacement: share who buy again"),
        "new_product_days": lambda: env._("New product"),
        "value_type_lines": lambda: env._("Value type: lines needed"),
        "value_type_score": lambda: env._("Value type: smallest score"),
        "value_type_margin": lambda: env._("Value type: margin over the second"),
        "anomaly_percent_minimum": lambda: env._("Sudden change from"),
        "lost_type_confidence": lambda: env._("Lost type: confidence needed"),
        "rating_half_life_days": lambda: env._("Ratings: half-life"),
        "satisfied_from": lambda: env._("Satisfied from"),
        "unsatisfied_below": lambda: env._("Unsatisfied below"),
        "late_grace_days": lambda: env._("Deliveries: days of grace"),
        "late_payment_share": lambda: env._("Pays late from"),
        "customised_from": lambda: env._("Customised from"),
        "settling_days": lambda: env._("Sales: days to settle"),
        "keep_runs_days": lambda: env._("Runs: kept for"),
        "keep_dead_runs_days": lambda: env._("Dead runs: given up after"),
        "keep_history_days": lambda: env._("History: kept for"),
        "keep_snapshots_days": lambda: env._("Month-ends: kept for"),
    }
    return texts[key]()


def policy_meaning(env, key):
    """What a rule does."""
    texts = {
        "churn_horizon_days": lambda: env._(
            "A customer with no order within this many days counts as lost to the forecast."
        ),
        "value_horizon_years": lambda: env._(
            "Years ahead over which potential value is expected and discounted."
        ),
        "discount_rate": lambda: env._("Yearly rate by which money expected later counts less."),
        "current_window_days": lambda: env._(
            "Sales within this many days are current value, earlier ones historical value."
        ),
        "sales_basis": lambda: env._(
            "0: confirmed orders; 1: posted invoices less credit notes. For the whole company; sales at"
            " the counter count with either."
        ),
        "key_share": lambda: env._(
            "Key customers are the smallest set of peers that carries this share of current and potential"
            " value."
        ),
        "key_rule": lambda: env._(
            "0: the smallest set of peers that carries the share of key customers; 1: current and"
            " potential value from the smallest value of key customers."
        ),
        "key_value_minimum": lambda: env._(
            "Current plus potential value from which a customer is key, where key customers are taken by"
            " value (rule 1)."
        ),
        "peers_minimum": lambda: env._(
            "A business format with fewer customers is compared with the whole company."
        ),
        "peers_by_territory": lambda: env._(
            "0: customers are compared with those of their business format everywhere; 1: with those in the same state"
            " (in the same country where no state is known), if there are as many as the smallest peer group, else"
            " with those of the format."
        ),
        "weight_frequency": lambda: env._("Part of purchase frequency in the value index."),
        "weight_volume": lambda: env._("Part of purchase volume in the value index."),
        "weight_margin": lambda: env._(
            "Part of the margin rate in the value index; left out where margins are not known."
        ),
        "weight_loyalty": lambda: env._("Part of the loyalty stage in the value index."),
        "growth_index_minimum": lambda: env._(
            "A customer that is not key is a growth customer from this value index on, if its expected"
            " value grows."
        ),
        "growth_ratio_minimum": lambda: env._(
            "Expected value of the next 12 months over current value that counts as growth."
        ),
        "net_value_minimum": lambda: env._(
            "Below this net value a customer is unprofitable, or a burden if it is key."
        ),
        "return_cost_share": lambda: env._(
            "What handling returned goods costs, as a share of what they were sold for; part of the cost"
            " to serve."
        ),
        "financing_rate": lambda: env._(
            "Yearly rate at which the company borrows what customers pay late; part of the cost to serve."
        ),
        "activity_cost": lambda: env._(
            "What a call, meeting or other activity done for a customer costs; part of the cost to serve."
        ),
        "message_cost": lambda: env._("What writing or reading a message costs; part of the cost to serve."),
        "risk_medium_from": lambda: env._("Churn probability from which the risk is medium."),
        "risk_high_from": lambda: env._("Churn probability from which the risk is high."),
        "hysteresis_value": lambda: env._(
            "A customer keeps its value class and its stage of the life cycle until what decides it has"
            " passed the border by this share of the border; 0 judges every run as if it were the first."
        ),
        "hysteresis_probability": lambda: env._(
            "A customer keeps its risk until its churn probability has passed the border by this, at most"
            " half way to the next border; 0 judges every run as if it were the first."
        ),
        "approval_order_days": lambda: env._(
            "Order-days from which a customer has approved of us, counted anew after a complaint."
        ),
        "preference_order_days": lambda: env._(
            "Order-days with an unbroken own cadence from which a customer prefers us."
        ),
        "loyalty_order_days": lambda: env._(
            "Order-days with an unbroken own cadence from which a customer can be loyal."
        ),
        "loyalty_p_alive": lambda: env._("A loyal customer is at least this likely to be still with us."),
        "breadth_kept": lambda: env._(
            "Categories bought in the second half of the time with us over those in the first half."
        ),
        "cadence_broken_factor": lambda: env._(
            "Silence over the customer's own long gap (90th percentile) from which its cadence is broken."
        ),
        "cadence_broken_days": lambda: env._(
            "No cadence is broken before this many days of silence, however often the customer orders."
        ),
        "dormant_factor": lambda: env._("Silence over the customer's own long gap from which it is dormant."),
        "dormant_days": lambda: env._("No customer is dormant before this many days of silence."),
        "lost_factor": lambda: env._("Silence over the customer's own long gap from which it is lost."),
        "lost_days": lambda: env._("No customer is lost before this many days of silence."),
        "extension_ratio": lambda: env._(
            "Current value over that of the window before, from which a customer is being extended."
        ),
        "win_back_share": lambda: env._(
            "Lost customers in the smallest set that carries this share of all lost historical value are"
            " worth winning back."
        ),
        "withheld_grades": lambda: env._(
            "Where the back-test grades the forecast among so many of the worst grades, churn probability"
            " and risk are withheld: 1 is D, 2 C and D, 3 B to D, 0 none."
        ),
        "rating_weight_contribution": lambda: env._(
            "Part of current and potential value in the composite rating."
        ),
        "rating_weight_compliance": lambda: env._(
            "Part of tax ID and credit limit kept in the composite rating; left out where neither is known."
        ),
        "rating_weight_integrity": lambda: env._(
            "Part of paying on time, few cancellations and few returns in the composite rating; left out"
            " where none is known."
        ),
        "rating_weight_influence": lambda: env._(
            "Part of branches and share of the format's sales in the composite rating."
        ),
        "payment_grace_days": lambda: env._(
            "Days after the due day within which a payment is on time: as long as a bank transfer takes."
        ),
        "cross_sell_share": lambda: env._(
            "A category is recommended only if at least this share of similar customers (peers of similar"
            " size) buy it."
        ),
        "replacement_repeat_share": lambda: env._(
            "A category is bought again as a rule if at least this share of its buyers among the peers"
            " did so; else only who did so twice is due."
        ),
        "new_product_days": lambda: env._(
            "A product counts as new for this many days after it was introduced, and as old after twice"
            " as many."
        ),
        "value_type_lines": lambda: env._(
            "Lines bought, on at least as many order-days as preference needs, from which a value type is"
            " told."
        ),
        "value_type_score": lambda: env._(
            "How far a customer must stand out from its peers in the evidence for a value type."
        ),
        "value_type_margin": lambda: env._(
            "How much stronger the evidence for a value type must be than for the next one; else it stays"
            " undetermined."
        ),
        "anomaly_percent_minimum": lambda: env._(
            "A customer's sales differ from its own pattern by at least this much before they are called"
            " a sudden drop or surge."
        ),
        "lost_type_confidence": lambda: env._(
            "A lost customer's type is told from this confidence, and undetermined below it; three points"
            " of evidence for one type against none give 0.83."
        ),
        "rating_half_life_days": lambda: env._(
            "A rating counts half as much after this many days: people remember the last year."
        ),
        "satisfied_from": lambda: env._(
            "Mean rating (1 worst, 5 best) from which a customer is satisfied: where Odoo shows the happy"
            " face."
        ),
        "unsatisfied_below": lambda: env._(
            "Mean rating (1 worst, 5 best) below which a customer is unsatisfied: where Odoo shows the"
            " unhappy face."
        ),
        "late_grace_days": lambda: env._(
            "Days after the promised one within which a delivery still keeps the promise."
        ),
        "late_payment_share": lambda: env._(
            "A customer is said to pay late if at least this share of the money due came later than the"
            " days of grace, and no less of it than half of its peers pay late; now and then an invoice"
            " is late with anybody."
        ),
        "customised_from": lambda: env._(
            "A customer counts as customised if at least this share of its sales is in products kept for"
            " it: those of which it and its group buy at least 80 %, on three days or more. It is a point"
            " towards a service strategy that adapts to the customer."
        ),
        "settling_days": lambda: env._(
            "Sales of the last days before a run may still be entered, changed or cancelled: labels that"
            " this changes changed by behaviour. Where it happens to sales of earlier days, data were"
            " corrected."
        ),
        "keep_runs_days": lambda: env._(
            "Runs that ended longer ago are deleted for good, with their results, grades, analyses and"
            " previews. The last completed run of each kind stays."
        ),
        "keep_dead_runs_days": lambda: env._(
            "A run whose worker has not been heard of for so long, and that no other has taken over, is"
            " closed as failed, and what it had sent is deleted."
        ),
        "keep_history_days": lambda: env._(
            "States of customers that ended longer ago are deleted for good; movement reaches back as"
            " far. The present state of a customer stays, however old."
        ),
        "keep_snapshots_days": lambda: env._("Month-end snapshots of an earlier day are deleted for good."),
    }
    return texts[key]()


def policy_unit(env, key):
    """In what the value of a rule is given."""
    texts = {
        "currency": lambda: env._("currency"),
        "customers": lambda: env._("customers"),
        "days": lambda: env._("days"),
        "grades": lambda: env._("grades"),
        "lines": lambda: env._("lines"),
        "order-days": lambda: env._("order-days"),
        "per year": lambda: env._("per year"),
        "percent": lambda: env._("percent"),
        "percentile": lambda: env._("percentile"),
        "probability": lambda: env._("probability"),
        "rating": lambda: env._("rating"),
        "ratio": lambda: env._("ratio"),
        "rule": lambda: env._("rule"),
        "share": lambda: env._("share"),
        "standard deviations": lambda: env._("standard deviations"),
        "weight": lambda: env._("weight"),
        "years": lambda: env._("years"),
    }
    return texts[POLICY_SCHEMA[key]["unit"]]()
