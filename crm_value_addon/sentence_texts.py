"""The words, in the reader's language, of what a worker tells by a code: steps, warnings and errors of a run.

Which codes there are, and the figures of each, is in `data/sentence_schema.json`; see docs/contract.md.
"""


def sentence_text(env, code, params):
    """One sentence.

    :param env: environment whose language is used
    :param str code: a key of the schema
    :param dict params: the figures that the schema names for it, in words
    :raise KeyError: for an unknown code or a missing figure
    """
    texts = {**_steps(env, params), **_warnings(env, params), **_quality(env, params), **_errors(env, params)}
    return texts[code]()


def dataset_label(env, name):
    """What people call a dataset that the worker reads; itself where it is not known here."""
    labels = {
        "orders": lambda: env._("orders"),
        "lines": lambda: env._("order lines"),
        "partners": lambda: env._("customers"),
        "products": lambda: env._("products"),
        "profiles": lambda: env._("labels of the last run"),
        "order_details": lambda: env._("details of orders"),
        "quotations": lambda: env._("quotations"),
        "invoices": lambda: env._("invoices"),
        "payments": lambda: env._("payments"),
        "deliveries": lambda: env._("deliveries"),
        "ratings": lambda: env._("ratings"),
        "leads": lambda: env._("leads"),
        "messages": lambda: env._("messages"),
        "activities": lambda: env._("activities"),
        "points": lambda: env._("loyalty points"),
        "pos_orders": lambda: env._("sales at the counter"),
        "pos_lines": lambda: env._("lines of sales at the counter"),
    }
    return labels[name]() if name in labels else name


def standing_label(env, column):
    """What is stated of a customer without a date; itself where it is not known here."""
    labels = {
        "group_id": lambda: env._("group"),
        "has_tax_id": lambda: env._("tax ID"),
        "credit_limit": lambda: env._("credit limit"),
        "blocked": lambda: env._("block on sales"),
        "territory_id": lambda: env._("territory"),
    }
    return labels[column]() if column in labels else column


def basis_label(env, basis):
    """What value is measured in, or sales are counted from; itself where it is not known here."""
    labels = {
        "margin": lambda: env._("margin"),
        "revenue": lambda: env._("revenue"),
        "orders": lambda: env._("confirmed orders"),
        "invoices": lambda: env._("posted invoices"),
    }
    return labels[basis]() if basis in labels else basis


def _steps(env, params):
    return {
        "comparing_last_run": lambda: env._("Looking at what the last run told"),
        "finding_last_run": lambda: env._("Looking for what the last run left"),
        "reading": lambda: env._("Reading %(dataset)s: %(rows)s", **params),
        "reading_history": lambda: env._("Reading what customers did"),
        "learning_rhythms": lambda: env._("Learning rhythms"),
        "forecasting_past": lambda: env._("Trying forecasts on the past"),
        "expecting_value": lambda: env._("Expecting orders and value"),
        "classifying": lambda: env._("Classifying"),
        "finding_reasons": lambda: env._("Finding reasons"),
        "putting_together": lambda: env._("Putting results together"),
        "scoring": lambda: env._("Scoring"),
        "scored": lambda: env._("Scored"),
        "judged": lambda: env._("Judged"),
        "labelling_draft": lambda: env._("Labelling by the draft"),
        "comparing": lambda: env._("Comparing"),
        "sending": lambda: env._("Sending customers: %(rows)s", **params),
    }


def _warnings(env, params):
    return {
        "orders_without_customer": lambda: env._("Orders without a customer, left out: %(count)s.", **params),
        "orders_without_amount": lambda: env._("Orders without an amount, left out: %(count)s.", **params),
        "orders_dated_before": lambda: env._(
            "Orders dated before %(day)s, left out as no system holds orders so old: %(count)s. Give them the days they"
            " were placed on.",
            **params,
        ),
        "orders_dated_after": lambda: env._("Orders dated after %(day)s, left out: %(count)s.", **params),
        "orders_far_above": lambda: env._(
            "Orders far above all others: %(count)s, up to %(largest)s on %(day)s. Forecasts and the back-test"
            " count %(most)s of such an order.",
            **params,
        ),
        "orders_stale": lambda: env._(
            "The newest order is dated %(newest)s, %(days)s days before %(day)s. Longest pause between days with orders"
            " in the year before it, in days: %(pause)s. If later orders are missing, customers look further gone than"
            " they are: add these, or choose an earlier day.",
            **params,
        ),
        "margins_far_off": lambda: env._(
            "Orders with margins far off all others: %(count)s, up to %(margin)s of %(amount)s on %(day)s. Forecasts"
            " and the back-test count %(most)s of it. Correct the cost of what was sold.",
            **params,
        ),
        "nobody_known": lambda: env._("No customer is known by %(day)s: nobody is scored.", **params),
        "nothing_to_judge": lambda: env._(
            "No customer has an order of a positive amount yet: there is nothing to judge."
        ),
        "all_prospects": lambda: env._(
            "No customer has an order of a positive amount yet: all are prospects."
        ),
        "revenue_for_want_of_margins": lambda: env._(
            "Margins are known for %(share)s of the turnover only: value is measured in revenue.", **params
        ),
        "orders_without_margin": lambda: env._(
            "Orders without a margin: %(count)s of %(orders)s. The mean rate of %(rate)s stands in.", **params
        ),
        "history_starts_late": lambda: env._(
            "%(share)s of the customers have their first order in the first %(weeks)s weeks of the history, far more"
            " than in the weeks after: it seems to start later than they did, so their time with you may be longer"
            " than is known.",
            **params,
        ),
        "rhythm_few_customers": lambda: env._(
            "Churn follows a rule of thumb on the customer's rhythm: %(have)s customers have ordered, %(needed)s are"
            " needed for a model.",
            **params,
        ),
        "rhythm_few_days": lambda: env._(
            "Churn follows a rule of thumb on the customer's rhythm: the orders span %(have)s days, %(needed)s are"
            " needed for a model.",
            **params,
        ),
        "rhythm_few_repeat_buyers": lambda: env._(
            "Churn follows a rule of thumb on the customer's rhythm: %(have)s customers ordered again, %(needed)s are"
            " needed for a model.",
            **params,
        ),
        "rhythm_stands_in": lambda: env._(
            "The orders do not show the transaction model when customers leave; P(alive) is the rhythm model's."
        ),
        "spend_few_customers": lambda: env._(
            "What a customer spends is drawn towards the mean of all, since there are only %(customers)s customers to"
            " learn from.",
            **params,
        ),
        "spend_uneven": lambda: env._(
            "What a customer spends is drawn towards the mean of all, since amounts are too uneven or too equal for"
            " the spend model."
        ),
        "equity_basis_changed": lambda: env._(
            "Value was measured in %(then)s at the last run and in %(now)s now: what changed customer equity cannot be"
            " told.",
            **params,
        ),
        "equity_sales_changed": lambda: env._(
            "Sales were counted from %(then)s at the last run and from %(now)s now: what changed customer equity"
            " cannot be told.",
            **params,
        ),
        "another_release": lambda: env._(
            "The worker is of another release than at the last run, whose export is not kept: what the release alone"
            " changed counts as behaviour."
        ),
        "last_run_not_kept": lambda: env._(
            "The worker has not kept what the last run read: what corrected data or another model changed counts as"
            " behaviour."
        ),
        "stated_today": lambda: env._(
            "As they are today and not as on %(day)s, since they have no date: %(columns)s.", **params
        ),
    }


def _quality(env, params):
    return {
        "quality_sampled": lambda: env._(
            "Numbers of customers and amounts of the back-test are those of a sample of %(customers)s of the %(all)s"
            " customers.",
            **params,
        ),
        "quality_history_short": lambda: env._(
            "The history is too short to try the forecast on its own past: how good it is, is not known."
        ),
        "quality_few_customers": lambda: env._(
            "Too few customers were active at the earlier cut-offs to say how good the forecast is."
        ),
        "quality_few_outcomes": lambda: env._(
            "Too few customers stayed away, or too few came back, to say how good the forecast is."
        ),
        "quality_worse_than_rate": lambda: env._(
            "The forecast of churn ranked customers better than chance on this company's own past, but its"
            " probabilities were worse than the churn rate alone: do not use them."
        ),
        "quality_no_skill": lambda: env._(
            "The forecast of churn showed no skill on this company's own past: do not rely on it."
        ),
        "quality_off": lambda: env._(
            "The forecast of churn ranked customers better than a simple rule, but its probabilities were off by"
            " %(off)s.",
            **params,
        ),
        "quality_rule_better": lambda: env._(
            "The best simple rule ranked customers better than the forecast of churn on this company's own past: work"
            " by the rule."
        ),
        "quality_no_difference": lambda: env._(
            "On this company's own past the forecast of churn ranked customers neither clearly better nor clearly worse"
            " than the best simple rule, which may serve as well."
        ),
        "quality_value_above": lambda: env._(
            "On earlier cut-offs the expected value came to %(off)s more than what came: a season or a trend that the"
            " history does not show yet.",
            **params,
        ),
        "quality_value_below": lambda: env._(
            "On earlier cut-offs the expected value came to %(off)s less than what came: a season or a trend that the"
            " history does not show yet.",
            **params,
        ),
    }


def _errors(env, params):
    return {
        "stopped": lambda: env._("The worker was stopped by its operator."),
        "failed_unexpectedly": lambda: env._(
            "The worker failed unexpectedly (%(kind)s); its log has the details.", **params
        ),
        "company_out_of_reach": lambda: env._(
            "The account of the worker may not see company %(company)s: add it to its companies.", **params
        ),
        "row_without_date": lambda: env._("Row %(row)s has no date.", **params),
        "row_bad_date": lambda: env._("Row %(row)s has the date “%(value)s”, which is none.", **params),
        "row_bad_number": lambda: env._(
            "Row %(row)s has “%(value)s” as %(column)s, which is not a number.", **params
        ),
        "row_too_large": lambda: env._(
            "Row %(row)s has “%(value)s” as %(column)s, beyond %(largest)s, the largest that is taken: correct it in"
            " the order.",
            **params,
        ),
        "no_order_by": lambda: env._(
            "The history has no order on or before %(day)s: choose a later date.", **params
        ),
        "no_order_by_but_later": lambda: env._(
            "The history has no order on or before %(day)s; the first one is dated %(first)s: choose a later date.",
            **params,
        ),
        "policy_rule_twice": lambda: env._(
            "The policy has two rules for “%(rule)s”: keep one of them.", **params
        ),
        "policy_out_of_order": lambda: env._(
            "“%(lower)s” (%(low)s) must be below “%(upper)s” (%(high)s).", **params
        ),
        "policy_weights_zero": lambda: env._("At least one weight of the value index must be above zero."),
        "policy_rating_weights_zero": lambda: env._(
            "At least one weight of the composite rating must be above zero."
        ),
        "policy_key_value_missing": lambda: env._(
            "“%(label)s” must be above zero where key customers are taken by value.", **params
        ),
        "odoo_failed": lambda: env._("Odoo failed inside (%(kind)s): its own log says why.", **params),
        "odoo_busy": lambda: env._("Odoo could not get a lock it needed because other work was in its way."),
        "odoo_overloaded": lambda: env._(
            "Odoo, or the proxy before it, was overloaded or restarting (HTTP %(status)s).", **params
        ),
        "key_refused": lambda: env._(
            "Odoo does not accept the API key of the worker: it is mistyped, expired, revoked, or of another database."
        ),
        "addon_lacks_columns": lambda: env._(
            "Addon and worker are of different releases: of %(dataset)s there is no %(columns)s.", **params
        ),
        "page_unusable": lambda: env._(
            "What Odoo answered about %(dataset)s cannot be read: bring addon and worker to the same release.",
            **params,
        ),
    }
