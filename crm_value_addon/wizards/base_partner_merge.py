from odoo import fields, models
from odoo.tools import SQL


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """What becomes of the scores of customers that turn out to be one."""

    _inherit = "base.partner.merge.automatic.wizard"

    def _update_foreign_keys(self, src_partners, dst_partner):
        objected = self._merge_crm_value(src_partners, dst_partner)
        result = super()._update_foreign_keys(src_partners, dst_partner)
        if objected:
            self.env["crm.value.objection"].sudo().search([("partner_id", "=", dst_partner.id)])._erase()
        return result

    def _merge_crm_value(self, src_partners, dst_partner):
        """Drop profiles until the next run, end and mark the states, leave one override, snapshot and objection each.

        :return: whether one of the customers objected to profiling
        """
        self.env.flush_all()
        partners = tuple((src_partners | dst_partner).ids)
        execute = self.env.cr.execute
        execute(SQL("DELETE FROM crm_value_profile WHERE partner_id IN %s", partners))
        execute(
            SQL(
                "UPDATE crm_value_history SET valid_to = GREATEST(valid_from, %s)"
                " WHERE partner_id IN %s AND valid_to IS NULL",
                fields.Date.context_today(self),
                partners,
            )
        )
        execute(
            SQL(
                "UPDATE crm_value_history SET merged_from = partner_id"
                " WHERE partner_id IN %s AND partner_id <> %s AND merged_from IS NULL",
                partners,
                dst_partner.id,
            )
        )
        self.env["crm.value.snapshot"]._merge_customers(dst_partner.id, partners)
        # Odoo's merge would stumble over the index: the word on the customer that stays counts, else the newest.
        execute(
            SQL(
                """
                UPDATE crm_value_override SET ended_at = %(now)s WHERE id IN (
                    SELECT id FROM (
                        SELECT id, row_number() OVER (
                               PARTITION BY company_id, label ORDER BY partner_id <> %(stays)s, id DESC) AS rank
                          FROM crm_value_override WHERE partner_id IN %(partners)s AND ended_at IS NULL
                    ) ranked WHERE rank > 1)
                """,
                now=fields.Datetime.now(),
                stays=dst_partner.id,
                partners=partners,
            )
        )
        self.env["crm.value.alert"]._merge_customers(partners)
        self.env["crm.value.winback.line"]._merge_customers(dst_partner.id, partners)
        # Odoo's merge would delete both of two objections that clash: the earliest counts.
        execute(
            SQL(
                """
                DELETE FROM crm_value_objection WHERE partner_id IN %(partners)s AND id <> (
                    SELECT id FROM crm_value_objection WHERE partner_id IN %(partners)s ORDER BY date, id LIMIT 1)
                """,
                partners=partners,
            )
        )
        execute(SQL("SELECT EXISTS (SELECT FROM crm_value_objection WHERE partner_id IN %s)", partners))
        objected = self.env.cr.fetchone()[0]
        self.env.invalidate_all(flush=False)
        return objected
