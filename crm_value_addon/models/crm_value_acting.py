from odoo import api, fields, models


class CrmValueActing(models.AbstractModel):
    """A row about a customer, ``partner_id``, that opens an activity, and knows what is left of it once it is done."""

    _name = "crm.value.acting"
    _description = "What opens activities with customers"

    activity_id = fields.Many2one("mail.activity", index="btree_not_null", ondelete="set null")
    message_id = fields.Many2one(
        "mail.message",
        index="btree_not_null",
        ondelete="set null",
        help="What tells in the customer's chatter that it was done.",
    )

    def _create_activities(self, user):
        """The activities of one salesperson, in that person's language; whoever may not see the customer gets none.

        :return: the rows that have one now
        """
        told = self.with_context(lang=user.lang or self.env.lang)
        seen_by = self.partner_id.with_user(user).with_context(allowed_company_ids=user.company_ids.ids)
        readable = set(seen_by._filtered_access("read").ids)
        seen = told.filtered(lambda row: row.partner_id.id in readable)
        # Without a message for each.
        activities = told.env["mail.activity"].sudo().with_context(mail_activity_quick_update=True)
        values = [{**row._activity_values(), "user_id": user.id} for row in seen]
        for row, activity in zip(seen, activities.create(values), strict=True):
            row._keep({"activity_id": activity.id})
        return self & seen

    def _activity_values(self):
        summary, note = self._activity_texts()
        return {
            "res_model_id": self.env["ir.model"]._get_id("res.partner"),
            "res_id": self.partner_id.id,
            "activity_type_id": self.env.ref("mail.mail_activity_data_todo").id,
            "summary": summary,
            "note": note,
            "automated": True,
        }

    def _activity_texts(self):
        """Summary and note of the activity, in the language of the environment."""
        raise NotImplementedError

    def _keep(self, vals):
        """Write what became of the activity."""
        self.sudo().write(vals)

    def _drop_activities(self):
        """Take away what is still to be done."""
        self.sudo().activity_id.filtered("active").unlink()

    @api.model
    def _forget(self, customers):
        """Take away the activities with customers, open or done, and what tells of them: they say why."""
        rows = self.sudo().search([("partner_id", "in", customers.ids)])
        rows.message_id.unlink()
        rows.activity_id.with_context(active_test=False).unlink()
