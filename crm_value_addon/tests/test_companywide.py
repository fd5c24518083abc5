from datetime import timedelta

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from .test_service_policy import ServiceCase


@tagged("post_install", "-at_install")
class TestCompanywide(ServiceCase):
    """What holds of each record of a company as a whole."""

    def records(self):
        """One of each kind that managers make, of the first company."""
        agreed = {
            "partner_id": self.customer.id,
            "date_from": self.today,
            "date_to": self.today + timedelta(days=90),
            "volume": 1000,
            "incentive": "Free delivery",
        }
        of_alpha = {"company_id": self.alpha.id}
        return [
            self.env[model].create({**of_alpha, **values})
            for model, values in (
                ("crm.value.agreement", agreed),
                ("crm.value.winback", {"name": "Spring", "budget": 100}),
                ("crm.value.service.policy", {"value_class": "key"}),
                ("crm.value.policy.version", {"note": "a draft"}),
                ("crm.value.case", {"partner_id": self.customer.id, "description": "Broken"}),
            )
        ]

    def test_nobody_gives_it_to_a_company_that_is_not_theirs(self):
        own = self._user("cv_own", "crm_value_addon.group_manager", self.alpha)
        for record in self.records():
            for user, companies in ((own, self.alpha), (self.manager, self.alpha)):
                with self.subTest(model=record._name, user=user.login):
                    mine = self.as_user(record._name, user, companies).browse(record.id)
                    if record._name == "crm.value.policy.version":
                        mine.action_take_over()
                    with self.assertRaises(AccessError), self.env.cr.savepoint():
                        mine.write({"company_id": self.beta.id})
                    with self.assertRaises(AccessError), self.env.cr.savepoint():
                        mine.copy({"company_id": self.beta.id})
            self.env.invalidate_all()
            self.assertEqual(record.company_id, self.alpha)

    def test_none_is_of_a_branch(self):
        for record in self.records():
            refused = self.assertRaises(ValidationError)
            with self.subTest(model=record._name), refused, self.env.cr.savepoint():
                record.sudo().company_id = self.branch

    def test_an_agreement_is_with_a_customer_as_a_whole(self):
        agreement = self.records()[0]
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            agreement.partner_id = self.contact
