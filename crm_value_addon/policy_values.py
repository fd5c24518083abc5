"""The policy in force where a query asks for it, row by row."""

from odoo.tools import SQL


def by_format_sql(env, company, key, column):
    """The value of a policy key by business format, each format's own before that of all.

    :param company: a root company
    :param SQL column: the column with the id of the format, which may be empty
    :return: an expression in SQL, and the highest value that it can have
    """
    version = env["crm.value.policy.version"]._find_active(company)
    formats = version.rule_ids.format_id
    general = version._values(formats.browse())[key]
    own = {each.id: version._values(each)[key] for each in formats}
    if not own:
        return SQL("%s", general), general
    cases = SQL(" ").join(SQL("WHEN %s THEN %s", number, value) for number, value in own.items())
    return SQL("CASE %s %s ELSE %s END", column, cases, general), max(general, *own.values())
