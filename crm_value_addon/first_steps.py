"""The steps from an installation to the first scores, and what is known to make such projects succeed.

What Odoo can tell is measured; the rest a manager ticks.
"""

from odoo.tools.misc import format_date

from .data_quality import FINDING_MODELS, looks_migrated, read_counts
from .formatting import number_text, percent_text

# What a manager may tick: that defaults are meant, and what no program can see.
TICKS = [
    ("policy", "The policy is as we want it"),
    ("formats", "Business formats are as we want them"),
    ("quality", "The data are looked at"),
    ("goals", "Measurable goals are set"),
    ("backing", "Management backs the project"),
    ("process", "Scores fit how we work"),
    ("training", "People know how to use them"),
    ("rollout", "It is introduced in phases"),
]
STEPS_TO_TICK = ("policy", "formats", "quality")
ENOUGH_MAPPED = 0.8
# Findings in the order of what mends most.
FINDINGS = ("without_customer", "same_tax_id", "same_email", "no_salesperson", "without_amount", "in_future")


def steps(env, company, ticked, run, workers):
    """What leads to the first scores.

    :param company: a root company
    :param dict ticked: ``{key: (user, day)}``
    :param dict run: the last scoring run as ``{"state", "progress", "message", "error", "id"}``, or None
    :param list workers: accounts of workers as ``{"name", "keys", "rights"}``
    :return: ``[{"key", "title", "text", "done", "tickable", "notes": [{"text", "open"}]}]``; ``open`` names a
        finding about the data that the reader may open. Some have ``action`` and ``label``, a screen of the addon, and
        the one that shows the commands of the worker has ``commands``.
    """
    counts = read_counts(env, company)
    mapped = 1 - counts["no_format"] / counts["customers"] if counts["customers"] else 0.0
    scored = bool(run) and run["scored"]
    told = [
        {
            "key": "policy",
            "title": env._("Choose what counts as value"),
            "text": env._(
                "Whether sales are orders or invoices, over how many days, and from which figure on a customer is a"
                " key customer. The defaults suit most; a draft shows whom it would move before it holds."
            ),
            "done": "policy" in ticked,
            "action": "crm_value_policy_version_action",
            "label": env._("Policy"),
            "notes": [],
        },
        {
            "key": "formats",
            "title": env._("Say who is compared with whom"),
            "text": env._(
                "A customer is compared with those of its business format, which it has by its tag or industry."
            ),
            "done": "formats" in ticked or mapped >= ENOUGH_MAPPED,
            "action": "crm_value_format_action",
            "label": env._("Business Formats"),
            "notes": [
                _note(
                    env._(
                        "Customers without a format: %(count)s of %(all)s. They are compared with the whole company.",
                        count=number_text(env, counts["no_format"]),
                        all=number_text(env, counts["customers"]),
                    ),
                    "no_format",
                )
            ]
            if counts["no_format"]
            else [],
        },
        {
            "key": "quality",
            "title": env._("Look at the data"),
            "text": _history_text(env, counts),
            "done": "quality" in ticked or not any(counts[finding] for finding in FINDINGS),
            "notes": [_note(text, _readable(env, finding)) for finding, text in _findings(env, counts)],
        },
        {
            "key": "worker",
            "title": env._("Create the worker's account"),
            "text": env._(
                "An internal user with the group “Customer Value / Sync worker” and nothing else, and an API key of it."
            ),
            "done": any(worker["keys"] and not worker["rights"] for worker in workers),
            "action": "crm_value_worker_action",
            "label": env._("Accounts of workers"),
            "notes": [_note(_worker_text(env, worker)) for worker in workers],
        },
        {
            "key": "run",
            "title": env._("Score for the first time"),
            "text": env._("Start the worker on any machine with Python 3.11 or newer, and ask for a run."),
            "done": scored,
            "commands": True,
            "notes": [],
        },
        {
            "key": "result",
            "title": env._("See the result"),
            "text": env._(
                "Every figure of the dashboard opens its customers, and each customer says why it is what it is."
            ),
            "done": scored,
            "action": "crm_value_dashboard_action",
            "label": env._("Dashboard"),
            "notes": [],
        },
    ]
    return [{**step, "tickable": step["key"] in STEPS_TO_TICK} for step in told]


def checklist(env, ticked, measured):
    """What is known to make such projects succeed: measured where Odoo can, else ticked by a manager.

    :param dict measured: ``{key: (bool, text)}``
    :return: ``[{"key", "title", "done", "tickable", "by"}]``
    """
    titles = {
        "data": env._("Formats are mapped and the data are in order"),
        "acting": env._("People act on the scores"),
        "tracking": env._("Scores are tracked continuously"),
    }
    for_people = [
        {
            "key": key,
            "title": title,
            "done": key in ticked,
            "tickable": True,
            "by": _by_text(env, ticked[key]) if key in ticked else "",
        }
        for key, title in env["crm.value.step"]._fields["key"]._description_selection(env)
        if key not in STEPS_TO_TICK
    ]
    return for_people + [
        {"key": key, "title": titles[key], "done": done, "tickable": False, "by": text}
        for key, (done, text) in measured.items()
    ]


def _note(text, opens=None):
    return {"text": text, "open": opens}


def _readable(env, finding):
    """The finding, where the reader may read what is behind it."""
    return finding if env[FINDING_MODELS.get(finding, "res.partner")].has_access("read") else None


def _by_text(env, tick):
    user, day = tick
    return env._("%(user)s, %(day)s", user=user, day=format_date(env, day))


def _history_text(env, counts):
    if not counts["customers"]:
        return env._("There is no confirmed order yet: scores come from what customers bought.")
    text = env._(
        "Confirmed orders since %(day)s: %(orders)s. Customers who placed them: %(customers)s.",
        orders=number_text(env, counts["orders"]),
        customers=number_text(env, counts["customers"]),
        day=format_date(env, counts["first_day"]),
    )
    if looks_migrated(counts):
        text += " " + env._(
            "%(share)s of the customers first ordered within the first month: the history seems to begin with a"
            " migration, and many customers are older than it tells.",
            share=percent_text(env, counts["began_at_once"]),
        )
    return text


def _findings(env, counts):
    texts = {
        "without_customer": lambda number: env._("Sales at the counter without a customer: %s.", number),
        "same_tax_id": lambda number: env._(
            "Customers who share their tax ID with another: %s. Merge them.", number
        ),
        "same_email": lambda number: env._(
            "Customers who share their e-mail with another: %s. Merge them.", number
        ),
        "no_salesperson": lambda number: env._(
            "Customers without a salesperson: %s. Nobody is told.", number
        ),
        "without_amount": lambda number: env._("Confirmed orders without an amount: %s.", number),
        "in_future": lambda number: env._("Confirmed orders dated in the future: %s.", number),
    }
    return [(each, texts[each](number_text(env, counts[each]))) for each in FINDINGS if counts[each]]


def _worker_text(env, worker):
    if worker["rights"]:
        return env._(
            "%(name)s has more rights than the worker needs: %(rights)s.",
            name=worker["name"],
            rights=", ".join(worker["rights"]),
        )
    if not worker["keys"]:
        return env._(
            "%s has no API key yet: create one as that user (My Preferences, Security).", worker["name"]
        )
    return env._("%s is ready.", worker["name"])
