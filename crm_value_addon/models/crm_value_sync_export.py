import base64
import io
import zlib
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

MAX_LIMIT = 1_000_000
# What sales can be counted from.
SALES = ("orders", "invoices")


class Dataset(NamedTuple):
    """What is exported under a name: the table whose ids are the cursor, and the columns in their order."""

    table: str
    columns: list[str]


class CrmValueSync(models.AbstractModel):
    _inherit = "crm.value.sync"

    def _datasets(self):
        """``{name: Dataset}`` of what this database gives; each subject adds its own where its module is there."""
        return {
            "orders": Dataset("sale_order", ["order_id", "customer_id", "date", "amount", "margin"]),
            "lines": Dataset(
                "sale_order_line", ["line_id", "order_id", "product_id", "quantity", "amount", "discount"]
            ),
            "products": Dataset("product_product", ["product_id", "category_id", "introduced"]),
            "profiles": Dataset(
                "crm_value_profile",
                [
                    "customer_id",
                    "since",
                    "value_class",
                    "value_segment",
                    "loyalty_stage",
                    "lifecycle_stage",
                    "churn_risk",
                    "lifetime_value",
                    "value_basis",
                    "lost_type_by_hand",
                    "burden",
                    "policy_version_id",
                    "as_of",
                ],
            ),
        }

    def _installed(self, model, *fields):
        """Whether this database has a model with these fields: the addon depends on few modules, and uses more."""
        return model in self.env and all(field in self.env[model]._fields for field in fields)

    @api.model
    @api.readonly
    def export_history(self, dataset, company_id, after=None, limit=500_000, sales="orders"):
        """One page of a dataset as compressed CSV: identifiers, dates and figures, nothing personal.

        A page is a block of ids of the table behind the dataset, so that no page sorts the table.

        :param str sales: what sales are counted from, by the policy of the run: `orders` or `invoices`
        """
        self._check_worker()
        return self._counting(sales)._export_page(
            dataset, self._get_company(company_id), after, min(max(int(limit), 1), MAX_LIMIT)
        )

    def _export_page(self, dataset, company, after, limit):
        datasets = self._datasets()
        if dataset not in datasets:
            raise UserError(
                self.env._(
                    "There is no dataset “%(name)s”: %(names)s.", name=dataset, names=", ".join(datasets)
                )
            )
        self.env.flush_all()
        table = datasets[dataset].table
        low, until = (int(after["id"]), int(after["until"])) if after else (0, self._last_id(table))
        high = self._block_end(table, low, until, limit)
        query = getattr(self, f"_export_{dataset}_sql")(company, low, high)
        # COPY hands over row by row: only a buffer in C keeps up with it, so compression has to wait.
        buffer = io.BytesIO()
        self.env.cr.copy_expert(
            self.env.cr.mogrify(SQL("COPY (%s) TO STDOUT (FORMAT csv)", query)).decode(), buffer
        )
        return {
            "columns": datasets[dataset].columns,
            "rows": self.env.cr.rowcount,
            "data": base64.b64encode(zlib.compress(buffer.getbuffer(), 1)).decode(),
            "after": {"id": high, "until": until} if high < until else None,
        }

    def _counting(self, sales):
        """The contract with sales counted from `orders` or `invoices`.

        :raise UserError: when it is neither of them, or there are no invoices in this database
        """
        if sales not in SALES:
            raise UserError(
                self.env._(
                    "Sales are counted from %(bases)s, not from “%(sales)s”.",
                    bases=", ".join(SALES),
                    sales=sales,
                )
            )
        if sales == "invoices":
            self._check_invoices_installed()
        return self.with_context(crm_value_sales=sales)

    def _counts_invoices(self):
        return self.env.context.get("crm_value_sales") == "invoices"

    def _has_invoices(self):
        return self._installed("account.move", "amount_untaxed_signed")

    def _check_invoices_installed(self):
        """:raise UserError: when this database has no invoices that sales could be counted from"""
        if not self._has_invoices():
            raise UserError(
                self.env._("Sales cannot be counted from invoices here: install the app Invoicing first.")
            )

    @api.model
    def _last_id(self, table):
        self.env.cr.execute(SQL("SELECT COALESCE(max(id), 0) FROM %s", SQL.identifier(table)))
        return self.env.cr.fetchone()[0]

    @api.model
    def _block_end(self, table, low, until, limit):
        """The last id of the next block of at most ``limit`` ids after ``low``."""
        if until - low <= limit:
            return until
        self.env.cr.execute(
            SQL(
                "SELECT id FROM %s WHERE id > %s AND id <= %s ORDER BY id OFFSET %s LIMIT 1",
                SQL.identifier(table),
                low,
                until,
                limit - 1,
            )
        )
        row = self.env.cr.fetchone()
        return row[0] if row else until

    # ------------------------------------------------------------ SQL of datasets

    def _not_objecting_sql(self, partner):
        """Condition that a partner column (SQL) names no customer who objected to profiling, nor a contact of one.

        Who objected as a customer and is the contact of another now still did: its own documents stay out.
        """
        if not self.env["crm.value.objection"].sudo().search_count([], limit=1):
            return SQL("TRUE")
        return SQL(
            """NOT EXISTS (SELECT FROM (
                    SELECT partner_id AS id FROM crm_value_objection
                     UNION ALL
                    SELECT contact.id FROM crm_value_objection objection
                      JOIN res_partner contact ON contact.commercial_partner_id = objection.partner_id
                   ) objector WHERE objector.id = %s)""",
            partner,
        )

    def _order_sale_sql(self, company):
        """Condition for a ``sale`` that is one: confirmed, of these companies."""
        return SQL(
            "sale.state = 'sale' AND sale.company_id IN %s AND %s",
            tuple(company._crm_value_branches()),
            self._not_objecting_sql(SQL("sale.partner_id")),
        )

    def _not_sales_sql(self, alias):
        """Condition for order lines that are not sales: down payments, delivery, re-invoiced expenses, money."""
        alias = SQL.identifier(alias)
        conditions = [SQL("%s.is_downpayment", alias), SQL("%s.is_expense", alias)]
        if self._installed("sale.order.line", "is_delivery"):
            conditions.append(SQL("%s.is_delivery", alias))
        no_goods = self._no_goods().ids
        if no_goods:
            conditions.append(SQL("%s.product_id IN %s", alias, tuple(no_goods)))
        return SQL("(%s)", SQL(" OR ").join(conditions))

    def _no_goods(self):
        """Products that stand for no sale: transport here, and gift cards and tips where there are such."""
        products = self.env["product.product"].sudo()
        if self._installed("delivery.carrier", "product_id"):
            carriers = self.env["delivery.carrier"].sudo()
            carriers = carriers.with_context(active_test=False).search([("product_id", "!=", False)])
            products |= carriers.product_id
        return products

    def _local_date_sql(self, company, column):
        """The day of a UTC timestamp in the company's time zone."""
        timezone = company._crm_value_timezone()
        if timezone == "UTC":
            return SQL("%s::date", column)
        return SQL("(%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date", column, timezone)

    def _export_orders_sql(self, company, low, high):
        amount, other_join = self._order_sales_sql(low, high)
        margin, margin_join = SQL("NULL"), SQL()
        if self._installed("sale.order.line", "margin"):
            # A line without cost would look like pure profit: the order's margin is then not known. A discount
            # has no cost.
            margin = self._company_amount_sql(company, SQL("cost.margin"))
            margin_join = SQL(
                """LEFT JOIN (
                       SELECT line.order_id,
                              CASE WHEN bool_and(COALESCE(line.purchase_price, 0) <> 0 OR line.price_unit <= 0)
                                   THEN sum(line.margin) END AS margin
                         FROM sale_order_line line
                        WHERE line.order_id > %s AND line.order_id <= %s AND line.display_type IS NULL
                          AND %s IS NOT TRUE
                        GROUP BY line.order_id
                   ) cost ON cost.order_id = sale.id""",
                low,
                high,
                self._not_sales_sql("line"),
            )
        # Most customers are their own commercial partner: only the others are looked up, which is twice as fast.
        return SQL(
            """
            SELECT sale.id, COALESCE(contact.commercial_partner_id, sale.partner_id),
                   %(date)s, %(amount)s, %(margin)s
              FROM sale_order sale
              LEFT JOIN (
                    SELECT id, commercial_partner_id FROM res_partner WHERE commercial_partner_id <> id
                   ) contact ON contact.id = sale.partner_id
              %(other_join)s
              %(margin_join)s
             WHERE sale.id > %(low)s AND sale.id <= %(high)s AND %(sales)s
            """,
            date=self._local_date_sql(company, SQL("sale.date_order")),
            amount=self._company_amount_sql(company, amount),
            margin=margin,
            low=low,
            high=high,
            other_join=other_join,
            margin_join=margin_join,
            sales=self._order_sale_sql(company),
        )

    def _order_sales_sql(self, low, high):
        """The sales of an order and the join they need.

        Subtracting the few lines that are not sales is far cheaper than adding up all that are.
        """
        other = SQL(
            "FROM sale_order_line line WHERE line.order_id > %s AND line.order_id <= %s AND %s",
            low,
            high,
            self._not_sales_sql("line"),
        )
        self.env.cr.execute(SQL("SELECT EXISTS (SELECT %s)", other))
        if not self.env.cr.fetchone()[0]:
            return SQL("sale.amount_untaxed"), SQL()
        join = SQL(
            """LEFT JOIN (SELECT line.order_id, sum(line.price_subtotal) AS amount %s GROUP BY line.order_id) other
                      ON other.order_id = sale.id""",
            other,
        )
        return SQL("sale.amount_untaxed - COALESCE(other.amount, 0)"), join

    def _company_amount_sql(self, company, amount):
        """An amount of ``sale`` in the company's currency, at the order's own rate."""
        return SQL(
            """CASE WHEN sale.currency_id = %(currency)s THEN %(amount)s
                    ELSE round((%(amount)s) / COALESCE(NULLIF(sale.currency_rate, 0), 1)::numeric, 4) END""",
            currency=company.currency_id.id,
            amount=amount,
        )

    def _export_lines_sql(self, company, low, high):
        # The order is looked up for foreign currencies only; joining it would double the time.
        return SQL(
            """
            SELECT line.id, line.order_id, line.product_id, line.product_uom_qty,
                   CASE WHEN line.currency_id = %(currency)s THEN line.price_subtotal
                        ELSE (SELECT round(line.price_subtotal / COALESCE(NULLIF(sale.currency_rate, 0), 1)::numeric, 4)
                                FROM sale_order sale WHERE sale.id = line.order_id) END,
                   line.discount
              FROM sale_order_line line
             WHERE line.id > %(low)s AND line.id <= %(high)s AND line.display_type IS NULL
               AND %(not_sales)s IS NOT TRUE
               AND line.state = 'sale' AND line.company_id IN %(companies)s AND %(not_objecting)s
            """,
            currency=company.currency_id.id,
            low=low,
            high=high,
            not_sales=self._not_sales_sql("line"),
            companies=tuple(company._crm_value_branches()),
            not_objecting=self._not_objecting_sql(SQL("line.order_partner_id")),
        )

    def _export_products_sql(self, company, low, high):
        return SQL(
            """
            SELECT product.id, template.categ_id, %(introduced)s
              FROM product_product product
              JOIN product_template template ON template.id = product.product_tmpl_id
             WHERE product.id > %(low)s AND product.id <= %(high)s
               AND (template.company_id IS NULL OR template.company_id IN %(companies)s)
            """,
            introduced=self._local_date_sql(company, SQL("product.create_date")),
            low=low,
            high=high,
            companies=tuple(company._crm_value_branches()),
        )

    def _export_profiles_sql(self, company, low, high):
        return SQL(
            """
            SELECT profile.partner_id, history.valid_from, profile.computed_value_class,
                   profile.computed_value_segment, profile.computed_loyalty_stage,
                   profile.computed_lifecycle_stage, profile.computed_churn_risk, profile.lifetime_value,
                   profile.value_basis, override.lost_type, profile.burden, last.policy_version_id,
                   last.as_of
              FROM crm_value_profile profile
              LEFT JOIN %(overrides)s override ON override.partner_id = profile.partner_id
              LEFT JOIN crm_value_history history
                ON history.partner_id = profile.partner_id AND history.company_id = profile.company_id
               AND history.valid_to IS NULL
              LEFT JOIN (
                    -- by which every customer was judged; a profile names the version that changed it last
                    SELECT run.policy_version_id, run.as_of FROM crm_value_run run
                     WHERE run.company_id = %(company)s AND run.kind = 'score' AND run.state = 'done'
                     ORDER BY run.closed_at DESC, run.id DESC LIMIT 1
                   ) last ON TRUE
             WHERE profile.company_id = %(company)s AND profile.id > %(low)s AND profile.id <= %(high)s
            """,
            overrides=self.env["crm.value.override"].sudo()._in_force_sql(company),
            company=company.id,
            low=low,
            high=high,
        )
