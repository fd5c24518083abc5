from odoo import models
from odoo.tools import SQL

from .crm_value_sync_export import Dataset

# Programs whose points are money.
MONEY_PROGRAMS = ("gift_card", "ewallet")


class CrmValueSync(models.AbstractModel):
    """What customers say and show of themselves: ratings, and points of loyalty programs."""

    _inherit = "crm.value.sync"

    def _datasets(self):
        datasets = super()._datasets()
        if self._installed("rating.rating", "consumed", "rated_on"):
            datasets["ratings"] = Dataset("rating_rating", ["rating_id", "customer_id", "known", "rating"])
        if self._installed("loyalty.history", "card_id"):
            datasets["points"] = Dataset(
                "loyalty_history", ["points_id", "customer_id", "known", "card_id", "issued", "used"]
            )
        return datasets

    def _no_goods(self):
        products = super()._no_goods()
        if self._installed("loyalty.program", "program_type"):
            programs = (
                self.env["loyalty.program"]
                .sudo()
                .with_context(active_test=False)
                .search([("program_type", "in", MONEY_PROGRAMS)])
            )
            # Bought and paid with: both lines of an order are money.
            products |= programs.rule_ids.product_ids | programs.reward_ids.discount_line_product_id
        return products

    def _export_ratings_sql(self, company, low, high):
        # A rating of zero is none.
        return SQL(
            """
            SELECT rating.id, contact.commercial_partner_id, %(known)s, rating.rating
              FROM rating_rating rating
              JOIN res_partner contact ON contact.id = rating.partner_id
             WHERE rating.id > %(low)s AND rating.id <= %(high)s AND rating.consumed AND rating.rating > 0
               AND %(of_company)s AND %(not_objecting)s
            """,
            known=self._local_date_sql(
                company, SQL("COALESCE(rating.rated_on, rating.write_date, rating.create_date)")
            ),
            low=low,
            high=high,
            of_company=self._rated_in_sql(company, low, high),
            not_objecting=self._not_objecting_sql(SQL("rating.partner_id")),
        )

    def _rated_in_sql(self, company, low, high):
        """Condition that what was rated belongs to the company, or to none: a rating itself has no company."""
        self.env.cr.execute(
            SQL(
                """SELECT DISTINCT res_model FROM rating_rating
                    WHERE id > %s AND id <= %s AND res_model IS NOT NULL ORDER BY res_model""",
                low,
                high,
            )
        )
        conditions = []
        for (model,) in self.env.cr.fetchall():
            if model not in self.env or not self.env[model]._auto:
                continue
            field = self.env[model]._fields.get("company_id")
            if not field or not field.store:
                conditions.append(SQL("rating.res_model = %s", model))
                continue
            conditions.append(
                SQL(
                    """(rating.res_model = %s AND EXISTS (
                        SELECT FROM %s rated
                         WHERE rated.id = rating.res_id AND (rated.company_id IN %s OR rated.company_id IS NULL)))""",
                    model,
                    SQL.identifier(self.env[model]._table),
                    tuple(company._crm_value_branches()),
                )
            )
        return SQL("(%s)", SQL(" OR ").join(conditions)) if conditions else SQL("FALSE")

    def _export_points_sql(self, company, low, high):
        return SQL(
            """
            SELECT history.id, contact.commercial_partner_id, %(known)s, card.id, history.issued, history.used
              FROM loyalty_history history
              JOIN loyalty_card card ON card.id = history.card_id
              JOIN loyalty_program program ON program.id = card.program_id AND program.program_type = 'loyalty'
              JOIN res_partner contact ON contact.id = card.partner_id
             WHERE history.id > %(low)s AND history.id <= %(high)s
               AND (program.company_id IN %(companies)s OR program.company_id IS NULL) AND %(not_objecting)s
            """,
            known=self._local_date_sql(company, SQL("history.create_date")),
            low=low,
            high=high,
            companies=tuple(company._crm_value_branches()),
            not_objecting=self._not_objecting_sql(SQL("card.partner_id")),
        )
