from datetime import timedelta

from odoo import api, models
from odoo.tools import SQL, groupby

from ..policy_values import by_format_sql

# What people rate of our service.
RATED = ("sale.order", "stock.picking", "project.task")
LOW_RATING = 2
# Goods that come back and the credit note for them, at most so many days apart, are one event.
SAME_EVENT_DAYS = 30


class CrmValueCase(models.Model):
    """Cases that open by themselves: what documents tell of the last days, each fact once for ever."""

    _inherit = "crm.value.case"

    @api.model
    def _look(self, company):
        """Open a case for each new fact; of a kind of which there are too many none, which is said.

        :param company: a root company whose scores are those of today
        :return: sentences for the warnings of the run
        """
        settings = company.sudo()
        days = settings.crm_value_case_window_days
        if days <= 0:
            return []
        facts = self._new_facts(company, days)
        names = dict(self._fields["kind"]._description_selection(self.env))
        warnings, opened = [], []
        for kind, found in groupby(facts, lambda row: row["kind"]):
            if len(found) > settings.crm_value_alerts_at_once:
                warnings.append(
                    self.env._(
                        "%(count)s service cases at once would be opened for “%(kind)s”: none is opened. Allow more"
                        " at once, or look back fewer days, in the settings; the next run looks again.",
                        count=len(found),
                        kind=names[kind],
                    )
                )
            else:
                opened += found
        # Whoever is responsible follows the case and finds it in the list: a hundred mails would help nobody.
        quietly = self.sudo().with_context(mail_create_nolog=True, mail_create_nosubscribe=True)
        quietly.create([{**row, "company_id": company.id} for row in opened])
        return warnings

    @api.model
    def _new_facts(self, company, days):
        """Facts of the last days without a case, in the order of their kinds: rows of values of a case."""
        self.env.flush_all()
        today = company._crm_value_today()
        since = today - timedelta(days=days)
        sources = self._facts_sql(company, since)
        if not sources:
            return []
        return self.env.execute_query_dict(
            SQL(
                """
                SELECT fact.kind, fact.res_model, fact.res_id, fact.partner_id, fact.occurred_on, fact.known_on,
                       fact.figures
                  FROM (%(sources)s)
                       fact (kind, res_model, res_id, partner_id, occurred_on, known_on, figures)
                 WHERE fact.known_on BETWEEN %(since)s AND %(today)s AND NOT EXISTS (
                       SELECT FROM crm_value_case known
                        WHERE known.res_model = fact.res_model AND known.res_id = fact.res_id
                          AND known.kind = fact.kind)
                 ORDER BY fact.kind, fact.known_on, fact.res_model, fact.res_id
                """,
                sources=SQL(" UNION ALL ").join(sources),
                since=since,
                today=today,
            )
        )

    @api.model
    def _facts_sql(self, company, since):
        """Queries of what went wrong for customers with a profile, from what this database exports."""
        sync = self.env["crm.value.sync"].sudo()
        there = sync._datasets()
        sources = []
        if "deliveries" in there:
            sources.append(self._delivery_facts_sql(sync, company, since))
        if "invoices" in there:
            sources.append(self._credit_note_facts_sql(sync, company, since))
        if "ratings" in there:
            sources.append(self._rating_facts_sql(sync, company, since))
        return sources

    @api.model
    def _recent(self, table, since, *moments):
        """The block of ids ``(low, high]`` of a table in which what happened since a day lies.

        :param moments: columns, days or moments in UTC, of which the latest tells when it happened
        """
        # A day earlier: time zones.
        recent = SQL(" OR ").join(
            SQL("%s >= %s", SQL.identifier(column), since - timedelta(days=1)) for column in moments
        )
        self.env.cr.execute(
            SQL(
                "SELECT COALESCE(min(id), 1) - 1, COALESCE(max(id), 0) FROM %s WHERE %s",
                SQL.identifier(table),
                recent,
            )
        )
        return self.env.cr.fetchone()

    @api.model
    def _profile_join_sql(self, company, customer):
        return SQL(
            "JOIN crm_value_profile profile ON profile.partner_id = %s AND profile.company_id = %s",
            customer,
            company.id,
        )

    @api.model
    def _delivery_facts_sql(self, sync, company, since):
        low, high = self._recent("stock_picking", since, "date_done")
        # Within so many days after the promised one a delivery keeps the promise.
        grace, _most = by_format_sql(
            self.env, company, "late_grace_days", SQL.identifier("profile", "format_id")
        )
        return SQL(
            """
            SELECT fact.kind, 'stock.picking', delivery.id, delivery.customer_id, delivery.known, delivery.known,
                   fact.figures
              FROM (%(export)s) delivery
                   (id, order_id, customer_id, known, promised, demanded, delivered, is_return)
              %(profile)s
             CROSS JOIN LATERAL (VALUES
                   ('return', delivery.is_return AND delivery.delivered > 0 AND %(not_credited)s,
                    jsonb_build_object('quantity', delivery.delivered)),
                   ('late_delivery', NOT delivery.is_return AND delivery.known - delivery.promised > %(grace)s,
                    jsonb_build_object('promised', delivery.promised, 'days', delivery.known - delivery.promised)),
                   ('short_delivery',
                    NOT delivery.is_return AND delivery.delivered < delivery.demanded * (1 - 1e-9),
                    jsonb_build_object('demanded', delivery.demanded, 'delivered', delivery.delivered))
                   ) fact (kind, holds, figures)
             WHERE fact.holds
            """,
            export=sync._export_deliveries_sql(company, low, high),
            profile=self._profile_join_sql(company, SQL("delivery.customer_id")),
            not_credited=self._not_credited_sql(sync),
            grace=grace,
        )

    @api.model
    def _credit_note_facts_sql(self, sync, company, since):
        low, high = self._recent("account_move", since, "invoice_date", "create_date")
        return SQL(
            """
            SELECT 'return', 'account.move', note.id, note.customer_id, note.date, note.known,
                   jsonb_build_object('credit_note', TRUE)
              FROM (%(export)s) note (id, customer_id, known, date, due, amount, total)
              JOIN account_move move ON move.id = note.id AND move.move_type = 'out_refund'
              %(profile)s
             WHERE %(not_sent_back)s
            """,
            export=sync._export_invoices_sql(company, low, high),
            profile=self._profile_join_sql(company, SQL("note.customer_id")),
            not_sent_back=self._not_sent_back_sql(sync),
        )

    @api.model
    def _linked(self, sync):
        """Whether this database knows which order a transfer and a credit note belong to."""
        return (
            sync._installed("stock.picking", "sale_id", "date_done")
            and sync._has_invoices()
            and sync._installed("account.move.line", "sale_line_ids")
        )

    @api.model
    def _orders_of_note_sql(self, note):
        """Query of the orders that a credit note, a column in SQL, is about."""
        return SQL(
            """SELECT line.order_id FROM account_move_line item
                 JOIN sale_order_line_invoice_rel link ON link.invoice_line_id = item.id
                 JOIN sale_order_line line ON line.id = link.order_line_id
                WHERE item.move_id = %s""",
            note,
        )

    @api.model
    def _not_sent_back_sql(self, sync):
        """Condition that no goods came back of the order of a credit note ``note``: they have the case."""
        if not self._linked(sync):
            return SQL("TRUE")
        return SQL(
            """NOT EXISTS (
                SELECT FROM stock_picking back
                  JOIN stock_location origin ON origin.id = back.location_id AND origin.usage = 'customer'
                 WHERE back.sale_id IN (%s) AND back.state = 'done'
                   AND abs(back.date_done::date - note.date) <= %s)""",
            self._orders_of_note_sql(SQL("note.id")),
            SAME_EVENT_DAYS,
        )

    @api.model
    def _not_credited_sql(self, sync):
        """Condition that there is no case yet about a credit note for what came back, ``delivery``."""
        if not self._linked(sync):
            return SQL("TRUE")
        return SQL(
            """NOT EXISTS (
                SELECT FROM crm_value_case credited
                 WHERE credited.res_model = 'account.move' AND credited.kind = 'return'
                   AND credited.partner_id = delivery.customer_id
                   AND abs(credited.occurred_on - delivery.known) <= %s
                   AND delivery.order_id IN (%s))""",
            SAME_EVENT_DAYS,
            self._orders_of_note_sql(SQL("credited.res_id")),
        )

    @api.model
    def _rating_facts_sql(self, sync, company, since):
        low, high = self._recent("rating_rating", since, "rated_on", "write_date", "create_date")
        return SQL(
            """
            SELECT 'low_rating', 'rating.rating', told.id, told.customer_id, told.known, told.known,
                   jsonb_build_object('rating', told.rating)
              FROM (%(export)s) told (id, customer_id, known, rating)
              JOIN rating_rating rating ON rating.id = told.id AND rating.res_model IN %(rated)s
              %(profile)s
             WHERE told.rating <= %(low_rating)s
            """,
            export=sync._export_ratings_sql(company, low, high),
            rated=RATED,
            profile=self._profile_join_sql(company, SQL("told.customer_id")),
            low_rating=LOW_RATING,
        )
