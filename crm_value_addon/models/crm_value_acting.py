from odoo import api, models


class CrmValueActing(models.AbstractModel):
    """Activities of salespeople with customers, in each one's language and only with customers that one may read."""

    _name = "crm.value.acting"
    _description = "Activities with Customers"

    @api.model
    def _in_language_of(self, user):
        """This model with an environment in which texts are in a user's language."""
        return self.with_context(lang=user.lang or self.env.lang)

    @api.model
    def _create_activities_of(self, user, told):
        """Activities of one salesperson, all at once and without a message for each.

        :param list told: ``[(customer, summary, note)]``, texts in the user's language
        :return: the activity of each, in the order of ``told``; none with a customer whom the user may not read
        """
        customers = self.env["res.partner"].browse({customer.id for customer, _summary, _note in told})
        seen = customers.with_user(user).with_context(allowed_company_ids=user.company_ids.ids)
        readable = set(seen._filtered_access("read").ids)
        created = iter(
            self._in_language_of(user)
            .env["mail.activity"]
            .sudo()
            .with_context(mail_activity_quick_update=True)
            .create(
                [
                    activity_values(self.env, customer, user, summary, note)
                    for customer, summary, note in told
                    if customer.id in readable
                ]
            )
        )
        none = self.env["mail.activity"]
        return [next(created) if customer.id in readable else none for customer, _summary, _note in told]


def activity_values(env, customer, user, summary, note):
    """Values of the activity of a salesperson with a customer."""
    return {
        "res_model_id": env["ir.model"]._get_id("res.partner"),
        "res_id": customer.id,
        "activity_type_id": env.ref("mail.mail_activity_data_todo").id,
        "summary": summary,
        "note": note,
        "user_id": user.id,
        "automated": True,
    }
