from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..empty_labels import NOT_CLASSED, NOT_SCORED
from ..labels import CHURN_RISKS, GROUP_VIEWER, VALUE_CLASSES, VALUE_SEGMENTS

INEQUALITIES = (">", ">=", "<", "<=")


def profile_field(field_class, column, groups=GROUP_VIEWER, **kwargs):
    """A field that reads a column of the customer's profile by a join and stores nothing.

    :param field_class: the class of the field, such as ``fields.Selection``
    :param str column: the column of ``crm_value_profile``
    :param str groups: who may read it, in domains, groups, orders and aggregates too
    """
    name = kwargs.pop("name")

    # Odoo asks the function for its name, which a partial does not have.
    def search(records, operator, value):
        return _search_profile_field(name, records, operator, value)

    return field_class(
        compute="_compute_profile_fields",
        search=search,
        profile_column=column,
        groups=groups,
        readonly=True,
        **kwargs,
    )


def _search_profile_field(name, records, operator, value):
    """A condition on the joined column; a customer without a figure is neither above nor below any."""
    field = records._fields[name]
    records._check_field_access(field, "read")

    def to_sql(model, alias, query):
        condition = field.condition_to_sql(name, operator, value, model, alias, query)
        if operator in INEQUALITIES:
            return SQL("(%s AND %s IS NOT NULL)", condition, model._field_to_sql(alias, name, query))
        return condition

    return Domain.custom(to_sql=to_sql)


class CrmValueMixin(models.AbstractModel):
    """Scores of the customer of a record, in the company of that record.

    The fields read ``crm.value.profile`` by a join in the very query that filters, groups, sorts or
    aggregates: they differ per company, never touch the record's own table, and their groups hold
    for every way of asking.
    """

    _name = "crm.value.mixin"
    _description = "Customer Value of a Record's Customer"

    value_segment = profile_field(
        fields.Selection,
        "effective_value_segment",
        name="value_segment",
        selection=VALUE_SEGMENTS,
        string="Value Segment",
        falsy_value_label=NOT_SCORED,
    )
    value_class = profile_field(
        fields.Selection,
        "effective_value_class",
        name="value_class",
        selection=VALUE_CLASSES,
        string="Value Class",
        falsy_value_label=NOT_CLASSED,
    )
    churn_risk = profile_field(
        fields.Selection,
        "effective_churn_risk",
        name="churn_risk",
        selection=CHURN_RISKS,
        string="Churn Risk",
        falsy_value_label=NOT_SCORED,
    )

    def _valid_field_parameter(self, field, name):
        return name == "profile_column" or super()._valid_field_parameter(field, name)

    # ------------------------------ whose profile: a document's partner and company, unless a model says else

    def _profile_customer(self):
        """The commercial partner whose profile counts for this record."""
        return self.partner_id.commercial_partner_id

    def _profile_company(self):
        """The company in which it counts; its root is looked up."""
        return self.company_id

    @api.model
    def _profile_customer_sql(self, alias, query):
        """SQL of the commercial partner's id for a table alias; may add joins."""
        partners, partner = self._fields["partner_id"].join(self, alias, query)
        field = partners._fields["commercial_partner_id"]
        return SQL.identifier(partner, "commercial_partner_id", to_flush=field)

    @api.model
    def _profile_company_sql(self, alias):
        """SQL of the company's id for a table alias."""
        return SQL.identifier(alias, "company_id", to_flush=self._fields["company_id"])

    # ----------------------------------------------------------------- reading

    @api.depends_context("company", "allowed_company_ids")
    def _compute_profile_fields(self):
        columns = {
            name: field.profile_column
            for name, field in self._fields.items()
            if getattr(field, "profile_column", None)
        }
        fields_of_columns = [(self._fields[name], column) for name, column in columns.items()]
        for record, values in self._profiles_of_records(sorted(set(columns.values()))):
            for field, column in fields_of_columns:
                # As Odoo keeps what it reads itself: a list would spend a third of its time on assignments.
                field._update_cache(
                    record, field.convert_to_cache(values.get(column), record, validate=False)
                )

    def _profiles_of_records(self, columns):
        """``[(record, {column: value})]``, with nothing of whose customer is not scored."""
        # Who may read the record may read its customer's labels, also where its customer is another company's.
        customers = [
            (record, sudoed._profile_customer()._origin, sudoed._profile_company().root_id)
            for record, sudoed in zip(self, self.sudo(), strict=True)
        ]
        profiles = self._read_profiles(
            {(customer.id, company.id) for _record, customer, company in customers if customer and company},
            columns,
        )
        return [
            (record, profiles.get((customer.id, company.id), {})) for record, customer, company in customers
        ]

    @api.model
    def _read_profiles(self, keys, columns):
        """``{(customer id, company id): {column: value}}`` in one query, whoever asks.

        The groups of the fields guard what comes of it.
        """
        if not keys:
            return {}
        rows = self.env.execute_query_dict(
            SQL(
                "SELECT partner_id, company_id, %s FROM crm_value_profile WHERE (partner_id, company_id) IN %s",
                SQL(", ").join(SQL.identifier(column) for column in columns),
                tuple(keys),
            )
        )
        return {(row["partner_id"], row["company_id"]): row for row in rows}

    # ------------------------------------------- filter, group, sort, aggregate

    def _field_to_sql(self, alias, field_expr, query=None):
        name, _dot, property_name = field_expr.partition(".")
        field = self._fields.get(name)
        if not getattr(field, "profile_column", None):
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(field, "read")
        if query is None:
            raise ValueError(f"{field} can only be read in a query that can be joined")
        column = SQL.identifier(self._join_profile(alias, query), field.profile_column)
        return field.property_to_sql(column, property_name, self, alias, query) if property_name else column

    def _join_profile(self, alias, query):
        """Join the profile of the customer once per alias; return the alias of the profile."""
        profile = query.make_alias(alias, "crm_value_profile")
        customer = self._profile_customer_sql(alias, query)
        query.add_join(
            "LEFT JOIN",
            profile,
            "crm_value_profile",
            SQL(
                "%s = %s AND %s = %s",
                SQL.identifier(profile, "partner_id"),
                customer,
                SQL.identifier(profile, "company_id"),
                self._profile_root_company_sql(alias),
            ),
        )
        return profile

    def _profile_root_company_sql(self, alias):
        """SQL of the root of the record's company; profiles belong to root companies."""
        branches = self.env["res.company"]._crm_value_roots_of_branches()
        company = self._profile_company_sql(alias)
        if not branches:
            return company
        return SQL(
            "CASE %s %s ELSE %s END",
            company,
            SQL(" ").join(SQL("WHEN %s THEN %s", branch, root) for branch, root in branches),
            company,
        )

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        field = self._fields.get(field_name)
        if not getattr(field, "profile_column", None):
            return super()._order_field_to_sql(alias, field_name, direction, nulls, query)
        column = self._profile_rank_sql(field, self._field_to_sql(alias, field_name, query))
        query._order_groupby.append(column)
        # Customers without a score come last, whichever way one sorts.
        return SQL("%s %s %s", column, direction, nulls if nulls.code else SQL("NULLS LAST"))

    def _profile_rank_sql(self, field, column):
        """What a column is sorted by: labels in the order people read them, not by the alphabet of their codes."""
        if field.type != "selection":
            return column
        return SQL("array_position(%s::varchar[], %s)", [value for value, _name in field.selection], column)

    def _read_group_orderby(self, order, groupby_terms, query):
        # Odoo orders groups by the bare column; each part of the order stands on its own.
        terms = []
        for part in order.split(",") if order else groupby_terms:
            name, *rest = part.split()
            if name in groupby_terms and getattr(self._fields.get(name), "profile_column", None):
                column = self._profile_rank_sql(self._fields[name], groupby_terms[name])
                direction = SQL("DESC") if rest[:1] and rest[0].upper() == "DESC" else SQL("ASC")
                first = [word.upper() for word in rest[-2:]] == ["NULLS", "FIRST"]
                terms.append(
                    SQL("%s %s %s", column, direction, SQL("NULLS FIRST") if first else SQL("NULLS LAST"))
                )
            elif order:
                terms.append(super()._read_group_orderby(part, groupby_terms, query))
            else:
                terms.append(super()._read_group_orderby("", {name: groupby_terms[name]}, query))
        return SQL(", ").join(term for term in terms if term)
