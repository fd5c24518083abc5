from odoo import models
from odoo.tools import SQL

from .crm_value_sync_export import Dataset


class CrmValueSync(models.AbstractModel):
    """Customers: who they are compared with, since when they are known, and what is stated of them today."""

    _inherit = "crm.value.sync"

    def _datasets(self):
        columns = ["customer_id", "format_id", "first_seen", "archived", *self._standing_columns()]
        return {**super()._datasets(), "partners": Dataset("res_partner", columns)}

    def _standing_columns(self):
        """What is known of a partner itself, without a date."""
        columns = ["group_id", "territory_id", "has_tax_id"]
        if self._installed("res.partner", "credit_limit") and self._installed(
            "res.company", "account_use_credit_limit"
        ):
            columns.append("credit_limit")
        if self._installed("res.partner", "trust"):
            columns.append("blocked")
        return columns

    def _standing_sql(self, company, column):
        """A column of what is known of ``partner``."""
        if column == "group_id":
            # Whoever objected is named nowhere, not even as the parent of others.
            return SQL(
                "CASE WHEN belonging.top IS NOT NULL AND %s THEN belonging.top ELSE partner.id END",
                self._not_objecting_sql(SQL("belonging.top")),
            )
        if column == "territory_id":
            # One number for two models: a country is told from a state by its sign.
            return SQL("COALESCE(partner.state_id, -partner.country_id)")
        if column == "has_tax_id":
            # A slash says that there is none.
            return SQL("COALESCE(btrim(partner.vat), '') NOT IN ('', '/')")
        partners = self.env["res.partner"].sudo().with_company(company)
        if column == "credit_limit":
            if not company.account_use_credit_limit:
                return SQL("NULL")
            # Zero is Odoo's word for no limit.
            return SQL("NULLIF(%s, 0)", partners._field_to_sql("partner", "credit_limit"))
        # Odoo blocks no customer as such; whom the company calls a bad debtor is the nearest to it.
        return SQL("COALESCE(%s = 'bad', FALSE)", partners._field_to_sql("partner", "trust"))

    def _first_contacts(self, company):
        """``[SQL]`` selecting ``partner_id`` and ``first``, the time of the first document of each kind."""
        companies = tuple(company._crm_value_branches())
        return [
            SQL(
                """SELECT partner_id, min(date_order) AS first FROM sale_order
                    WHERE company_id IN %s GROUP BY partner_id""",
                companies,
            ),
            SQL(
                """SELECT partner_id, min(create_date) AS first FROM crm_lead
                    WHERE partner_id IS NOT NULL AND (company_id IN %s OR company_id IS NULL)
                    GROUP BY partner_id""",
                companies,
            ),
        ]

    def _export_partners_sql(self, company, low, high):
        return SQL(
            """
            WITH RECURSIVE contact AS (
                %(contacts)s
            ), customer AS (
                SELECT partner.commercial_partner_id AS id, min(contact.first) AS first
                  FROM contact JOIN res_partner partner ON partner.id = contact.partner_id
                 WHERE partner.commercial_partner_id > %(low)s AND partner.commercial_partner_id <= %(high)s
                   AND %(contact_not_objecting)s
                 GROUP BY partner.commercial_partner_id
            ), ancestor AS (
                SELECT partner.id, partner.parent_id AS top
                  FROM customer JOIN res_partner partner ON partner.id = customer.id
                 WHERE partner.parent_id IS NOT NULL
                UNION
                SELECT ancestor.id, parent.parent_id
                  FROM ancestor JOIN res_partner parent ON parent.id = ancestor.top
                 WHERE parent.parent_id IS NOT NULL
            ), belonging AS (
                SELECT ancestor.id, ancestor.top
                  FROM ancestor JOIN res_partner parent ON parent.id = ancestor.top
                 WHERE parent.parent_id IS NULL
            )
            SELECT customer.id, business_format.id, %(first)s, NOT COALESCE(partner.active, FALSE), %(standing)s
              FROM customer
              JOIN res_partner partner ON partner.id = customer.id
              LEFT JOIN belonging ON belonging.id = customer.id
              LEFT JOIN %(formats)s business_format ON business_format.partner_id = customer.id
             WHERE %(not_objecting)s
            """,
            contacts=SQL(" UNION ALL ").join(self._first_contacts(company)),
            first=self._local_date_sql(company, SQL("customer.first")),
            standing=SQL(", ").join(
                self._standing_sql(company, column) for column in self._standing_columns()
            ),
            formats=self._partner_format_sql(),
            low=low,
            high=high,
            contact_not_objecting=self._not_objecting_sql(SQL("contact.partner_id")),
            not_objecting=self._not_objecting_sql(SQL("customer.id")),
        )

    def _partner_format_sql(self):
        """One row per partner that has a business format: a tag decides before the industry does."""
        return SQL(
            """(
            SELECT DISTINCT ON (partner_id) partner_id, id FROM (
                SELECT tag.partner_id, fmt.id, 0 AS rank, fmt.sequence
                  FROM res_partner_res_partner_category_rel tag
                  JOIN crm_value_format_res_partner_category_rel map ON map.res_partner_category_id = tag.category_id
                  JOIN crm_value_format fmt ON fmt.id = map.crm_value_format_id AND fmt.active
                UNION ALL
                SELECT partner.id, fmt.id, 1, fmt.sequence
                  FROM res_partner partner
                  JOIN crm_value_format_res_partner_industry_rel map
                    ON map.res_partner_industry_id = partner.industry_id
                  JOIN crm_value_format fmt ON fmt.id = map.crm_value_format_id AND fmt.active
            ) mapped ORDER BY partner_id, rank, sequence, id
            )"""
        )
