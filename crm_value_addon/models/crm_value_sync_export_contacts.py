from odoo import SUPERUSER_ID, models
from odoo.tools import SQL

from .crm_value_sync_export import Dataset


class CrmValueSync(models.AbstractModel):
    """Leads, and when whom was written to or met. Never what was said."""

    _inherit = "crm.value.sync"

    def _datasets(self):
        datasets = super()._datasets()
        datasets["leads"] = Dataset(
            "crm_lead",
            [
                "lead_id",
                "customer_id",
                "known",
                "closed",
                "outcome",
                "lost_type",
                "source_id",
                "expected_revenue",
            ],
        )
        datasets["messages"] = Dataset(
            "mail_message", ["message_id", "customer_id", "known", "hours", "direction"]
        )
        if self._installed("mail.activity", "date_done"):
            datasets["activities"] = Dataset(
                "mail_activity", ["activity_id", "customer_id", "known", "due", "kind"]
            )
        return datasets

    def _export_leads_sql(self, company, low, high):
        return SQL(
            """
            SELECT lead.id, contact.commercial_partner_id, %(created)s,
                   CASE WHEN lead.won_status IN ('won', 'lost') THEN %(closed)s END,
                   COALESCE(lead.won_status, 'pending'),
                   CASE WHEN lead.won_status = 'lost' THEN reason.crm_value_lost_type END,
                   lead.source_id, lead.expected_revenue
              FROM crm_lead lead
              JOIN res_partner contact ON contact.id = lead.partner_id
              LEFT JOIN crm_lost_reason reason ON reason.id = lead.lost_reason_id
             WHERE lead.id > %(low)s AND lead.id <= %(high)s
               AND (lead.company_id IN %(companies)s OR lead.company_id IS NULL) AND %(not_objecting)s
            """,
            created=self._local_date_sql(company, SQL("lead.create_date")),
            closed=self._local_date_sql(company, SQL("lead.date_closed")),
            low=low,
            high=high,
            companies=tuple(company._crm_value_branches()),
            not_objecting=self._not_objecting_sql(SQL("lead.partner_id")),
        )

    def _documents_sql(self, company, model, record, other=None):
        """Joins from the model and id of a document to ``contact``, the partner it is about.

        :param other: SQL of the partner of a document of another kind
        """
        return SQL(
            """
              LEFT JOIN sale_order sale
                ON %(model)s = 'sale.order' AND sale.id = %(record)s AND sale.company_id IN %(companies)s
              LEFT JOIN crm_lead lead
                ON %(model)s = 'crm.lead' AND lead.id = %(record)s
               AND (lead.company_id IN %(companies)s OR lead.company_id IS NULL)
              LEFT JOIN res_partner partner
                ON %(model)s = 'res.partner' AND partner.id = %(record)s
               AND (partner.company_id IN %(companies)s OR partner.company_id IS NULL)
              JOIN res_partner contact ON contact.id = COALESCE(sale.partner_id, lead.partner_id, partner.id, %(other)s)
            """,
            model=model,
            record=record,
            other=other or SQL("NULL"),
            companies=tuple(company._crm_value_branches()),
        )

    def _export_messages_sql(self, company, low, high):
        # Notes among colleagues are not written to a customer, and what the system sends by itself is no contact.
        return SQL(
            """
            SELECT message.id, contact.commercial_partner_id, %(day)s,
                   round(extract(epoch FROM message.date) / 3600, 2),
                   CASE WHEN colleague.id IS NOT NULL THEN 'out' ELSE 'in' END
              FROM mail_message message
              %(documents)s
              JOIN res_partner author ON author.id = message.author_id
              LEFT JOIN (
                    SELECT partner_id, max(id) AS id FROM res_users WHERE share IS NOT TRUE GROUP BY partner_id
                   ) colleague ON colleague.partner_id = author.id
              LEFT JOIN mail_message_subtype subtype ON subtype.id = message.subtype_id
             WHERE message.id > %(low)s AND message.id <= %(high)s
               AND message.message_type IN ('email', 'comment')
               AND message.is_internal IS NOT TRUE AND subtype.internal IS NOT TRUE
               AND (colleague.id <> %(system)s
                    OR colleague.id IS NULL AND author.commercial_partner_id = contact.commercial_partner_id)
               AND (message.record_company_id IN %(companies)s OR message.record_company_id IS NULL)
               AND %(not_objecting)s
            """,
            day=self._local_date_sql(company, SQL("message.date")),
            documents=self._documents_sql(company, SQL("message.model"), SQL("message.res_id")),
            system=SUPERUSER_ID,
            low=low,
            high=high,
            companies=tuple(company._crm_value_branches()),
            not_objecting=self._not_objecting_sql(SQL("contact.id")),
        )

    def _export_activities_sql(self, company, low, high):
        return SQL(
            """
            SELECT activity.id, contact.commercial_partner_id, activity.date_done, activity.date_deadline,
                   COALESCE(kind.category, 'default')
              FROM %(activities)s
              LEFT JOIN mail_activity_type kind ON kind.id = activity.activity_type_id
             WHERE activity.id > %(low)s AND activity.id <= %(high)s
               AND activity.active IS NOT TRUE AND activity.date_done IS NOT NULL
               AND %(here)s AND %(not_objecting)s
            """,
            activities=self._activities_sql(company),
            here=self._activity_here_sql(company),
            low=low,
            high=high,
            not_objecting=self._not_objecting_sql(SQL("contact.id")),
        )

    def _activities_sql(self, company):
        """``activity`` with ``contact``, the partner it is about; of a case, its customer."""
        return SQL(
            """
              mail_activity activity
              LEFT JOIN crm_value_case entry
                ON activity.res_model = 'crm.value.case' AND entry.id = activity.res_id AND entry.company_id = %s
              %s
            """,
            company.id,
            self._documents_sql(
                company, SQL("activity.res_model"), SQL("activity.res_id"), SQL("entry.partner_id")
            ),
        )

    def _activity_here_sql(self, company):
        # An activity of a partner, whom companies share, counts where its assignee works.
        return SQL(
            """(partner.id IS NULL OR partner.company_id IS NOT NULL OR EXISTS (
                    SELECT FROM res_company_users_rel works
                     WHERE works.user_id = activity.user_id AND works.cid IN %s))""",
            tuple(company._crm_value_branches()),
        )

    def _contacted(self, company, activities):
        """The customers of a root company whom activities are contacts with, by the rule of the export.

        :param activities: not yet done, or done
        :return: commercial partners
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT contact.commercial_partner_id FROM %s WHERE activity.id IN %s AND %s",
                self._activities_sql(company),
                tuple(activities.ids),
                self._activity_here_sql(company),
            )
        )
        return self.env["res.partner"].sudo().browse([customer for (customer,) in rows])
