from odoo import models
from odoo.tools import SQL

from .crm_value_sync_export import Dataset


class CrmValueSync(models.AbstractModel):
    """Goods that went to customers and came back."""

    _inherit = "crm.value.sync"

    def _datasets(self):
        datasets = super()._datasets()
        if self._installed("stock.picking", "date_done") and self._installed("stock.move", "quantity"):
            datasets["deliveries"] = Dataset(
                "stock_picking",
                [
                    "delivery_id",
                    "order_id",
                    "customer_id",
                    "known",
                    "promised",
                    "demanded",
                    "delivered",
                    "is_return",
                ],
            )
        return datasets

    def _promised_sql(self, company):
        """The day promised to the customer: as agreed on the order, else from the lead times of its products.

        Odoo takes a product without lead time as promised for the very day of the order: nobody said so.
        """
        deadline = self._local_date_sql(company, SQL("picking.date_deadline"))
        if not self._installed("stock.picking", "sale_id"):
            return deadline
        return SQL(
            "COALESCE(%(agreed)s, CASE WHEN sale.id IS NULL OR %(deadline)s > %(ordered)s THEN %(deadline)s END)",
            agreed=self._local_date_sql(company, SQL("sale.commitment_date")),
            deadline=deadline,
            ordered=self._local_date_sql(company, SQL("sale.date_order")),
        )

    def _export_deliveries_sql(self, company, low, high):
        order, order_join, partner = SQL("NULL"), SQL(), SQL("picking.partner_id")
        if self._installed("stock.picking", "sale_id"):
            order, order_join = SQL("sale.id"), SQL("LEFT JOIN sale_order sale ON sale.id = picking.sale_id")
            # Whoever ordered, not whoever opened the door.
            partner = SQL("COALESCE(sale.partner_id, picking.partner_id)")
        # Where the goods went tells more than the kind of transfer: of a delivery in steps only the last one
        # counts, a supplier may deliver directly, and what came back may be sent out once more.
        return SQL(
            """
            SELECT picking.id, %(order)s, contact.commercial_partner_id, %(known)s,
                   CASE WHEN destination.usage = 'customer' THEN %(promised)s END,
                   moved.demanded, moved.delivered, origin.usage = 'customer'
              FROM stock_picking picking
              JOIN stock_location origin ON origin.id = picking.location_id
              JOIN stock_location destination ON destination.id = picking.location_dest_id
              %(order_join)s
              JOIN res_partner contact ON contact.id = %(partner)s
              JOIN (
                    SELECT move.picking_id, sum(move.product_uom_qty) AS demanded,
                           COALESCE(sum(move.quantity) FILTER (WHERE move.state = 'done'), 0) AS delivered
                      FROM stock_move move
                     WHERE move.picking_id > %(low)s AND move.picking_id <= %(high)s
                       AND move.state IN ('done', 'cancel')
                     GROUP BY move.picking_id
                   ) moved ON moved.picking_id = picking.id
             WHERE picking.id > %(low)s AND picking.id <= %(high)s AND picking.state = 'done'
               AND (origin.usage = 'customer') <> (destination.usage = 'customer')
               AND picking.company_id IN %(companies)s AND %(not_objecting)s
            """,
            order=order,
            order_join=order_join,
            known=self._local_date_sql(company, SQL("picking.date_done")),
            promised=self._promised_sql(company),
            partner=partner,
            low=low,
            high=high,
            companies=tuple(company._crm_value_branches()),
            not_objecting=self._not_objecting_sql(partner),
        )
