from collections import Counter, defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..safeguards import RULES, alert_text, rule_sql

STATES = [("open", "Open"), ("held", "Held"), ("ended", "Over")]


class CrmValueAlert(models.Model):
    """Something that threatens the relation with a customer under safeguards, from when it is seen until it is over.

    Each opens one activity for the salesperson when it begins. What goes on opens no other, done or not; what comes
    again after it was over is another alert.
    """

    _name = "crm.value.alert"
    _inherit = ["crm.value.protected", "crm.value.acting"]
    _description = "Safeguard Alert"
    _order = "opened_on desc, id desc"
    _log_access = False

    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    rule = fields.Selection(RULES, required=True)
    state = fields.Selection(STATES, required=True, default="open")
    opened_on = fields.Date(required=True)
    ended_on = fields.Date()
    figures = fields.Json()
    text = fields.Char(compute="_compute_text", string="What Happened")
    user_id = fields.Many2one("res.users", string="Responsible", help="Whose activity it opened.")
    hindrance = fields.Selection(
        [
            ("nobody", "No salesperson"),
            ("gone", "Salesperson without access"),
            ("workload", "Salesperson has enough open"),
            ("many", "Too many at once"),
        ],
        string="Why No Activity",
    )

    _one_open = models.UniqueIndex(
        "(company_id, partner_id, rule) WHERE state <> 'ended'", "This alert is open already."
    )

    @api.depends("rule", "figures")
    @api.depends_context("lang")
    def _compute_text(self):
        for alert in self:
            alert.text = alert_text(self.env, alert.rule, alert.figures)

    def _keep(self, vals):
        self._with_pen().write(vals)

    # -------------------------------------------------------------------- looking

    @api.model
    def _look(self, company):
        """End what is over, open what began, and an activity for each that somebody can act on.

        :param company: a root company whose scores are those of today
        :return: sentences for the warnings of the run
        """
        self.env.flush_all()
        today = company._crm_value_today()
        self._find(company, today)
        begun, held = self._renew(company, today)
        # Those held for want of a person or of room try again: there may be now.
        waiting = self.sudo().search(
            [("company_id", "=", company.id), ("state", "=", "held"), ("hindrance", "!=", "many")]
        )
        (waiting | begun)._open_activities(company)
        names = dict(self._fields["rule"]._description_selection(self.env))
        return [
            self.env._(
                "%(count)s activities at once would be opened for “%(rule)s”: they are held until a manager"
                " releases them under Safeguards.",
                count=count,
                rule=names[rule],
            )
            for rule, count in sorted(held.items())
        ]

    def _find(self, company, today):
        """Make a table ``crm_value_found`` of what the rules find now: ``partner_id``, ``rule`` and ``figures``."""
        policies = self.env["crm.value.service.policy"].sudo()
        some = policies.search_count([("company_id", "=", company.id), ("watched", "=", True)], limit=1)
        watched = SQL("crm_value_watched")
        self.env.cr.execute("DROP TABLE IF EXISTS crm_value_watched, crm_value_found")
        # Once for all rules: which policy holds is looked up for each customer.
        self.env.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE crm_value_watched ON COMMIT DROP AS
                   SELECT profile.* FROM crm_value_profile profile WHERE profile.company_id = %s AND %s""",
                company.id,
                policies._policy_of_sql("profile", "watched") if some else SQL("FALSE"),
            )
        )
        # PostgreSQL takes tables just filled for small, and would compare each row with each.
        self.env.cr.execute("ANALYZE crm_value_watched (partner_id)")
        self.env.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE crm_value_found ON COMMIT DROP AS
                   SELECT DISTINCT ON (rule, partner_id) rule, partner_id, figures FROM (%s) each""",
                SQL(" UNION ALL ").join(
                    SQL(
                        "SELECT %s::varchar AS rule, partner_id, figures FROM (%s) found",
                        rule,
                        rule_sql(rule, watched, today),
                    )
                    for rule, _name in RULES
                ),
            )
        )
        self.env.cr.execute(
            "ANALYZE crm_value_found; ANALYZE crm_value_alert (company_id, partner_id, rule, state)"
        )

    def _renew(self, company, today):
        """Bring the open alerts in line with what was found.

        :return: those that began, and ``{rule: number}`` of rules that would begin too many: these are held
        """
        key = {"company": company.id, "today": today}
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_value_alert alert SET state = 'ended', ended_on = %(today)s
                 WHERE alert.company_id = %(company)s AND alert.state <> 'ended' AND NOT EXISTS (
                       SELECT FROM crm_value_found found
                        WHERE found.partner_id = alert.partner_id AND found.rule = alert.rule)
                RETURNING id, activity_id
                """,
                **key,
            )
        )
        over = [alert for alert, activity in self.env.cr.fetchall() if activity]
        self.env.cr.execute(
            SQL(
                """
                UPDATE crm_value_alert alert SET figures = found.figures FROM crm_value_found found
                 WHERE alert.company_id = %(company)s AND alert.state <> 'ended' AND alert.rule = found.rule
                   AND alert.partner_id = found.partner_id AND alert.figures IS DISTINCT FROM found.figures
                """,
                **key,
            )
        )
        # What is left has begun. One statement that looked for rows while it inserts them would read what it writes.
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM crm_value_found found USING crm_value_alert alert
                 WHERE alert.company_id = %(company)s AND alert.state <> 'ended' AND alert.rule = found.rule
                   AND alert.partner_id = found.partner_id
                """,
                **key,
            )
        )
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO crm_value_alert
                    (partner_id, company_id, rule, opened_on, figures, state, hindrance)
                SELECT partner_id, %(company)s, rule, %(today)s, figures,
                       CASE WHEN many THEN 'held' ELSE 'open' END, CASE WHEN many THEN 'many' END
                  FROM (SELECT *, count(*) OVER (PARTITION BY rule) > %(most)s AS many FROM crm_value_found) found
                RETURNING id, rule, hindrance
                """,
                most=company.sudo().crm_value_alerts_at_once,
                **key,
            )
        )
        made = self.env.cr.fetchall()
        self.env.invalidate_all(flush=False)
        self.browse(over)._drop_activities()
        held = Counter(rule for _id, rule, hindrance in made if hindrance)
        return self.sudo().browse([number for number, _rule, hindrance in made if not hindrance]), held

    # ----------------------------------------------------------------- activities

    def _open_activities(self, company):
        """One activity for each, for the salesperson of its customer; what hinders it is kept."""
        room = self._room(company)
        # The customer that brings most comes first where there is not room for all.
        worth = self._worth(company)
        by_user, held = defaultdict(list), defaultdict(list)
        for alert in self.sorted(lambda alert: (-worth.get(alert.partner_id.id, 0.0), alert.id)):
            user = alert.partner_id.user_id
            hindrance = self._hindrance(company, user, room)
            if hindrance:
                held[hindrance, user.id].append(alert.id)
            else:
                room[user.id] = room.get(user.id, self._limit(company)) - 1
                by_user[user].append(alert.id)
        for (hindrance, user), alerts in held.items():
            self.browse(alerts)._hold(hindrance, user)
        for user, alerts in by_user.items():
            self.browse(alerts)._create_activities(user)

    def _hold(self, hindrance, user):
        """Keep what hinders an activity; most of those that wait were hindered by the same before."""
        changed = self.filtered(
            lambda alert: (alert.state, alert.hindrance, alert.user_id.id) != ("held", hindrance, user)
        )
        changed._with_pen().write({"state": "held", "hindrance": hindrance, "user_id": user})

    def _hindrance(self, company, user, room):
        if not user:
            return "nobody"
        if not user.active or company not in user.company_ids.root_id:
            return "gone"
        return "workload" if room.get(user.id, self._limit(company)) <= 0 else None

    def _limit(self, company):
        return company.sudo().crm_value_alerts_per_user

    def _room(self, company):
        """How many more activities of ours the salespeople may get, ``{user id: number}``, of those that have any."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                SELECT activity.user_id, count(*) FROM crm_value_alert alert
                  JOIN mail_activity activity ON activity.id = alert.activity_id AND activity.active
                 WHERE alert.company_id = %s GROUP BY activity.user_id
                """,
                company.id,
            )
        )
        return {user: self._limit(company) - count for user, count in self.env.cr.fetchall()}

    def _worth(self, company):
        profiles = self.env["crm.value.profile"].sudo()
        rows = profiles.search_read(
            [("company_id", "=", company.id), ("partner_id", "in", self.partner_id.ids)],
            ["partner_id", "current_value"],
        )
        return {row["partner_id"][0]: row["current_value"] for row in rows}

    def _create_activities(self, user):
        opened = super()._create_activities(user)
        (self - opened)._hold("gone", user.id)
        opened._with_pen().write({"state": "open", "hindrance": False, "user_id": user.id})
        return opened

    def _activity_texts(self):
        names = dict(self._fields["rule"]._description_selection(self.env))
        return names[self.rule], alert_text(self.env, self.rule, self.figures)

    # --------------------------------------------------------------------- buttons

    def action_release(self):
        """Open the activities of held alerts now, as far as salespeople have room.

        :raise AccessError: for whom is no manager of customer value
        :raise UserError: when none of them is held
        """
        self._check_manager()
        held = self.filtered(lambda alert: alert.state == "held")
        if not held:
            raise UserError(self.env._("None of these alerts is held."))
        for company, alerts in held.grouped("company_id").items():
            alerts.sudo()._open_activities(company)

    def _check_manager(self):
        self.check_access("read")
        if not self.env.user.has_group("crm_value_addon.group_manager"):
            raise AccessError(self.env._("Only customer value managers release alerts that are held."))

    def action_open_customer(self):
        """The customer it is about."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.partner",
            "res_id": self.partner_id.id,
            "views": [[False, "form"]],
        }

    @api.model
    def _merge_customers(self, partners):
        """Of alerts alike of customers that become one the eldest goes on, with its activity.

        :param partners: identifiers
        """
        alerts = self.sudo().search(
            [("partner_id", "in", partners), ("state", "!=", "ended")], order="opened_on, id"
        )
        for (company, _rule), alike in alerts.grouped(lambda alert: (alert.company_id, alert.rule)).items():
            younger = alike[1:]
            younger._drop_activities()
            younger._with_pen().write({"state": "ended", "ended_on": company._crm_value_today()})
        self.env.flush_all()
