"""What a service strategy means and what it was recommended from, in the reader's language."""


def recommended_strategy_text(env, strategy):
    """Who adapts to whom by a service strategy."""
    return {
        "hook": lambda: env._("recommended: it adapts to what we offer, and contact follows what it does"),
        "zipper": lambda: env._("recommended: it adapts to us, and we adapt to it"),
        "velcro": lambda: env._("recommended: we adapt to what it needs"),
    }.get(strategy, lambda: "")()


def strategy_reason_texts(env, params):
    """The sentences of the reasons of the topic ``strategy``, as ``{code: function}``; see ``reason_text``."""
    return {
        "strategy_key": lambda: env._("Key, not loyal, no product known to be kept for it"),
        "strategy_key_kept": lambda: env._(
            "Key, not loyal, %(percent)s %% of its sales in products kept for it (counts from %(needed)s %%)",
            **params,
        ),
        "strategy_key_loyal": lambda: env._("Key, loyal, no product known to be kept for it"),
        "strategy_key_loyal_kept": lambda: env._(
            "Key, loyal, %(percent)s %% of its sales in products kept for it (counts from %(needed)s %%)",
            **params,
        ),
        "strategy_growth": lambda: env._("Growth, not loyal, no product known to be kept for it"),
        "strategy_growth_kept": lambda: env._(
            "Growth, not loyal, %(percent)s %% of its sales in products kept for it (counts from %(needed)s %%)",
            **params,
        ),
        "strategy_growth_loyal": lambda: env._("Growth, loyal, no product known to be kept for it"),
        "strategy_growth_loyal_kept": lambda: env._(
            "Growth, loyal, %(percent)s %% of its sales in products kept for it (counts from %(needed)s %%)",
            **params,
        ),
        "strategy_standard": lambda: env._("Standard, not loyal, no product known to be kept for it"),
        "strategy_standard_kept": lambda: env._(
            "Standard, not loyal, %(percent)s %% of its sales in products kept for it"
            " (counts from %(needed)s %%)",
            **params,
        ),
        "strategy_standard_loyal": lambda: env._("Standard, loyal, no product known to be kept for it"),
        "strategy_standard_loyal_kept": lambda: env._(
            "Standard, loyal, %(percent)s %% of its sales in products kept for it (counts from %(needed)s %%)",
            **params,
        ),
        "strategy_unprofitable": lambda: env._("Unprofitable: leaves too little for concessions"),
        "strategy_burden": lambda: env._("Large, but leaves too little: size must not buy concessions"),
    }
