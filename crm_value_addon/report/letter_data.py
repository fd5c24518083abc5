"""Which data the last run could use of a customer: asked of the very queries that hand them to the worker."""

from odoo.tools import SQL
from odoo.tools.misc import format_date

from ..formatting import number_text
from ..letter_texts import dataset_text

# The day of a row, the first of these that there is, and the day from which it is known.
DAYS = ("date", "known", "since", "first_seen")
KNOWN = ("known", "date", "since", "first_seen")
# One row by nature: a count says nothing.
SINGLE = ("partners", "profiles")


def used_data(env, company, customer, as_of):
    """What was used of a customer as of a day, by kind; kinds of which there is nothing are left out.

    :param env: environment of the reader, for its language
    :param company: record of the root company
    :param int customer: id of the commercial partner
    :param as_of: day of the run; what became known later was not used
    :return: ``[{"kind", "name", "count", "first", "last"}]``, the last four as texts
    """
    sync = env["crm.value.sync"].sudo()
    env.flush_all()
    rows = []
    for kind, dataset in sync._datasets().items():
        if "customer_id" not in dataset.columns:
            continue
        count, first, last = _count(sync, company, kind, dataset, customer, as_of)
        if count:
            rows.append(
                {
                    "kind": kind,
                    "name": dataset_text(env, kind),
                    "count": "" if kind in SINGLE else number_text(env, count),
                    "first": format_date(env, first) if first else "",
                    "last": format_date(env, last) if last and last != first else "",
                }
            )
    return rows


def _count(sync, company, kind, dataset, customer, as_of):
    query = getattr(sync, f"_export_{kind}_sql")(company, 0, sync._last_id(dataset.table))
    day, known = (next(name for name in names if name in dataset.columns) for names in (DAYS, KNOWN))
    sync.env.cr.execute(
        SQL(
            """
            SELECT count(*), min(%(day)s), max(%(day)s) FROM (%(query)s) used (%(columns)s)
             WHERE customer_id = %(customer)s AND (%(known)s IS NULL OR %(known)s <= %(as_of)s)
            """,
            day=SQL.identifier(day),
            known=SQL.identifier(known),
            query=query,
            columns=SQL(", ").join(SQL.identifier(name) for name in dataset.columns),
            customer=customer,
            as_of=as_of,
        )
    )
    return sync.env.cr.fetchone()
