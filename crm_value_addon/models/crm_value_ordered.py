from odoo import models
from odoo.tools import SQL


class CrmValueOrdered(models.AbstractModel):
    """Groups and sorts by a selection in the order people read its values, not by the alphabet of their codes."""

    _name = "crm.value.ordered"
    _description = "Selections in Their Own Order"

    _ordered = ()

    def _place_sql(self, name, column):
        codes = [code for code, _name in self._fields[name].selection]
        return SQL("array_position(%s::varchar[], %s)", codes, column)

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        if field_name not in self._ordered:
            return super()._order_field_to_sql(alias, field_name, direction, nulls, query)
        column = self._field_to_sql(alias, field_name, query)
        query._order_groupby.append(column)
        return SQL("%s %s %s", self._place_sql(field_name, column), direction, nulls)

    def _read_group_orderby(self, order, groupby_terms, query):
        terms = []
        for part in order.split(",") if order else groupby_terms:
            name, *direction = part.split()
            if name in self._ordered and name in groupby_terms:
                place = self._place_sql(name, groupby_terms[name])
                down = bool(direction) and direction[0].upper() == "DESC"
                terms.append(SQL("%s %s", place, SQL("DESC" if down else "ASC")))
            elif order:
                terms.append(super()._read_group_orderby(part, groupby_terms, query))
            else:
                terms.append(super()._read_group_orderby("", {name: groupby_terms[name]}, query))
        return SQL(", ").join(term for term in terms if term)
