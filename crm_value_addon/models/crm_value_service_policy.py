from odoo import api, fields, models, tools
from odoo.tools import SQL

from ..labels import SERVICE_STRATEGIES, VALUE_CLASSES
from ..service_texts import measured_text, recommended_text, terms_texts

# What a manager begins with: the more a customer carries, the closer.
SUGGESTED = {
    "key": {"strategy": "zipper", "contact_days": 30, "response_hours": 4, "watched": True},
    "growth": {"strategy": "zipper", "contact_days": 60, "response_hours": 8},
    "standard": {"strategy": "hook", "contact_days": 180, "response_hours": 24},
    "unprofitable": {"strategy": "hook", "response_hours": 48, "limits_discount": True},
}


class CrmValueServicePolicy(models.Model):
    """What customers of a value class are promised and may get, for all or for one business format.

    People act by it; nothing is blocked or priced by it.
    """

    _name = "crm.value.service.policy"
    _inherit = ["crm.value.ordered", "crm.value.companywide"]
    _description = "Service Policy"
    _order = "company_id, value_class, format_id, id"
    _ordered = ("value_class",)

    value_class = fields.Selection(VALUE_CLASSES, required=True)
    format_id = fields.Many2one(
        "crm.value.format",
        string="Business Format",
        ondelete="cascade",
        help="Empty: for all formats without a service policy of their own.",
    )
    strategy = fields.Selection(
        SERVICE_STRATEGIES,
        required=True,
        default="hook",
        help="Hook: the customer adapts to us. Zipper: both adapt. Velcro: we adapt to the customer.",
    )
    contact_days = fields.Integer(
        string="Contact Every", help="Days between two contacts at most; 0: only when there is a reason."
    )
    response_hours = fields.Integer(
        string="Answer Within", help="Hours until an answer to a message of the customer; 0: no promise."
    )
    limits_discount = fields.Boolean(
        string="Limit Discounts", help="An order with more discount than the ceiling shows a notice."
    )
    discount_ceiling = fields.Float(help="Most discount of an order as a whole.")
    privileges = fields.Text(translate=True, help="What else these customers get: terms, deliveries, people.")
    watched = fields.Boolean(
        string="Safeguards",
        help="Open an activity for the salesperson when something threatens the relation.",
    )
    customers = fields.Integer(compute="_compute_served", help="To whom it applies now.")
    recommended = fields.Char(
        compute="_compute_served", help="What class, loyalty and customisation of these customers speak for."
    )
    measured = fields.Char(
        string="Answered Within",
        compute="_compute_served",
        help="Median of what is measured, and for how many of them it is longer.",
    )

    _class_unique = models.UniqueIndex(
        "(company_id, value_class, COALESCE(format_id, 0))",
        "There is a service policy for this class and business format already.",
    )
    _contact_days_positive = models.Constraint(
        "CHECK(contact_days >= 0)", "Days between contacts begin at 0."
    )
    _response_hours_positive = models.Constraint(
        "CHECK(response_hours >= 0)", "Hours until an answer begin at 0."
    )
    _discount_ceiling_share = models.Constraint(
        "CHECK(discount_ceiling BETWEEN 0 AND 1)", "A discount ceiling lies between 0 and 100 %."
    )

    @api.depends("value_class", "format_id")
    def _compute_display_name(self):
        names = dict(self._fields["value_class"]._description_selection(self.env))
        for policy in self:
            parts = [names.get(policy.value_class), policy.format_id.name]
            policy.display_name = ", ".join(filter(None, parts))

    @api.depends("company_id", "value_class", "format_id", "response_hours")
    @api.depends_context("lang")
    def _compute_served(self):
        served = self._read_served()
        names = dict(self._fields["strategy"]._description_selection(self.env))
        for policy in self:
            found = served.get(policy.id, {})
            policy.customers = found.get("customers", 0)
            policy.recommended = recommended_text(self.env, found, names)
            policy.measured = measured_text(self.env, found, policy.response_hours)

    def _read_served(self):
        """``{id: {"customers", "hook", "zipper", "velcro", "answered", "hours", "late"}}`` of those it applies to:
        how many each strategy is recommended for, of how many is known how long they wait for an answer, their median
        hours, and how many wait longer than promised."""
        if not self.ids:
            return {}
        self.env.flush_all()
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT held.policy AS id, count(*) AS customers,
                       count(*) FILTER (WHERE service_strategy = 'hook') AS hook,
                       count(*) FILTER (WHERE service_strategy = 'zipper') AS zipper,
                       count(*) FILTER (WHERE service_strategy = 'velcro') AS velcro,
                       count(held.response_hours) AS answered,
                       percentile_cont(0.5) WITHIN GROUP (ORDER BY held.response_hours) AS hours,
                       count(*) FILTER (WHERE held.response_hours > policy.response_hours) AS late
                  FROM (SELECT profile.*, %s AS policy FROM crm_value_profile profile
                         WHERE profile.company_id IN %s) held
                  JOIN crm_value_service_policy policy ON policy.id = held.policy
                 WHERE held.policy IN %s GROUP BY held.policy
                """,
                self._policy_of_sql("profile"),
                tuple(self.company_id.ids),
                tuple(self.ids),
            )
        )
        return {row["id"]: row for row in rows}

    # ------------------------------------------------------------------ contacts due

    @api.model_create_multi
    def create(self, vals_list):
        policies = super().create(vals_list)
        self.env.registry.clear_cache()
        self._refresh_contact_due(policies.company_id)
        return policies

    def write(self, vals):
        companies = self.company_id
        result = super().write(vals)
        self.env.registry.clear_cache()
        if {"company_id", "value_class", "format_id", "contact_days"} & set(vals):
            self._refresh_contact_due(companies | self.company_id)
        return result

    def unlink(self):
        companies = self.company_id
        result = super().unlink()
        self.env.registry.clear_cache()
        self._refresh_contact_due(companies)
        return result

    @api.model
    def _policy_of_sql(self, alias, column="id"):
        """SQL of what holds for a row of the profiles: of its class, of its own format before that of all."""
        profile = {
            name: SQL.identifier(alias, name) for name in ("company_id", "effective_value_class", "format_id")
        }
        return SQL(
            """(SELECT policy.%s FROM crm_value_service_policy policy
                 WHERE policy.company_id = %s AND policy.value_class = %s
                   AND (policy.format_id = %s OR policy.format_id IS NULL)
                 ORDER BY policy.format_id IS NULL LIMIT 1)""",
            SQL.identifier(column),
            profile["company_id"],
            profile["effective_value_class"],
            profile["format_id"],
        )

    @api.model
    def _refresh_contact_due(self, companies, customers=None):
        """Let the days on which contacts are due follow service policies, classes and contacts.

        A customer never contacted is due by its last order; to one that is lost nobody owes a contact.

        :param companies: root companies
        :param customers: commercial partners, all where None
        """
        if not companies or (customers is not None and not customers):
            return
        self.env.flush_all()
        with_rhythm = [("company_id", "in", companies.ids), ("contact_days", ">", 0)]
        if not self.sudo().search_count(with_rhythm, limit=1):
            # Nothing is looked up for each of all customers where nobody owes a contact.
            self.env.cr.execute(
                SQL(
                    "UPDATE crm_value_profile SET contact_due = NULL"
                    " WHERE contact_due IS NOT NULL AND company_id IN %s",
                    tuple(companies.ids),
                )
            )
            self.env.invalidate_all(flush=False)
            return
        days = SQL("NULLIF(%s, 0)", self._policy_of_sql("target", "contact_days"))
        last = SQL(
            "COALESCE(GREATEST(target.last_contact_date, target.contacted_on), target.last_order_date)"
        )
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_value_profile profile SET contact_due = found.due
                  FROM (SELECT target.id, CASE WHEN target.effective_lifecycle_stage = 'lost' THEN NULL
                                               ELSE %(last)s + %(days)s END AS due
                          FROM crm_value_profile target
                         WHERE target.company_id IN %(companies)s AND %(customers)s) found
                 WHERE profile.id = found.id AND profile.contact_due IS DISTINCT FROM found.due
                """,
                last=last,
                days=days,
                companies=tuple(companies.ids),
                customers=SQL("target.partner_id IN %s", tuple(customers.ids))
                if customers is not None
                else SQL("TRUE"),
            )
        )
        self.env.invalidate_all(flush=False)

    # --------------------------------------------------------------------- reading

    @api.model
    def _of(self, company, value_class, business_format):
        """The policy for a class and business format, by ids; empty where there is none; see ``_policy_of_sql``."""
        held = self._held(company)
        found = held.get((value_class, business_format or False)) or held.get((value_class, False))
        return self.browse(found)

    @api.model
    @tools.ormcache("company")
    def _held(self, company):
        """``{(class, format id or False): id}`` of the policies of a company: few, and asked for with each customer."""
        policies = self.sudo().search([("company_id", "=", company)])
        return {(each.value_class, each.format_id.id): each.id for each in policies}

    def _terms(self):
        """What it promises and allows, in sentences; empty without a policy."""
        return terms_texts(self.env, self.sudo()) if self else []

    # --------------------------------------------------------------------- buttons

    def action_suggest(self):
        """Make a service policy for each value class that has none, to begin with.

        :raise AccessError: for whom is no manager of customer value
        """
        self.check_access("create")
        company = self.env.company.root_id
        there = self.search([("company_id", "=", company.id), ("format_id", "=", False)]).mapped(
            "value_class"
        )
        self.create(
            [
                {"company_id": company.id, "value_class": value_class, **values}
                for value_class, values in SUGGESTED.items()
                if value_class not in there
            ]
        )
        return True

    def action_open_customers(self):
        """To whom it applies now."""
        self.ensure_one()
        self.check_access("read")
        domain = [
            ("company_id", "=", self.company_id.id),
            ("effective_value_class", "=", self.value_class),
        ]
        if self.format_id:
            domain.append(("format_id", "=", self.format_id.id))
        else:
            own = self.sudo().search(
                [
                    ("company_id", "=", self.company_id.id),
                    ("value_class", "=", self.value_class),
                    ("format_id", "!=", False),
                ]
            )
            domain.append(("format_id", "not in", own.format_id.ids))
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_value_addon.crm_value_profile_action")
        return {**action, "views": [(False, "list"), (False, "form")], "domain": domain, "context": {}}
