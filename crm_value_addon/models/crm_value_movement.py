from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.date_utils import start_of
from odoo.tools.misc import format_date

from ..customer_history import open_history
from ..empty_labels import NO_CHANGE, WITHOUT_FORMAT, WITHOUT_LABEL
from ..labels import CAUSES, GROUP_USER, LABEL_RANKS, LABEL_VALUES, LABELS


class CrmValueMovement(models.Model):
    """From which value of a label to which each customer moved between two days, and with what money.

    Label and days come with the context: ``movement_label``, ``movement_from`` and ``movement_to``; without them
    it is the value class from the last month-end to today. Each customer that was there on either day is one
    row, so that opening + new - gone + all changes is closing, in customers and in money.
    """

    _name = "crm.value.movement"
    _inherit = ["crm.value.ordered"]
    _description = "Customer Movement"
    _auto = False
    _order = "company_id, id desc"
    _rec_name = "partner_id"
    _ordered = ("from_label", "to_label", "direction")
    _depends = {
        "crm.value.history": ["partner_id", "company_id", "valid_from", "valid_to", "cause", "merged_from"],
        "crm.value.override": ["partner_id", "label", "value", "date_from", "date_until", "ended_at"],
        "crm.value.profile": ["partner_id", "company_id"],
        "crm.value.run": ["as_of", "state"],
        "crm.value.snapshot": ["partner_id", "company_id", "date"],
        "res.partner": ["user_id"],
    }

    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    format_id = fields.Many2one(
        "crm.value.format", string="Business Format", readonly=True, falsy_value_label=WITHOUT_FORMAT
    )
    from_label = fields.Selection(
        [("absent", "Not there yet"), *LABEL_VALUES],
        string="From",
        readonly=True,
        falsy_value_label=WITHOUT_LABEL,
    )
    to_label = fields.Selection(
        [*LABEL_VALUES, ("absent", "No longer there")],
        string="To",
        readonly=True,
        falsy_value_label=WITHOUT_LABEL,
    )
    direction = fields.Selection(
        [
            ("up", "Up"),
            ("sideways", "Sideways"),
            ("down", "Down"),
            ("new", "New"),
            ("gone", "Gone"),
            ("same", "Same"),
        ],
        readonly=True,
        help="Sideways: the label is another, and neither better nor worse.",
    )
    cause = fields.Selection(
        CAUSES,
        readonly=True,
        falsy_value_label=NO_CHANGE,
        help="Why the label changed last between the two days.",
    )
    customers = fields.Integer(readonly=True)
    opening_value = fields.Monetary(
        readonly=True, groups=GROUP_USER, help="Current + potential value on the first day."
    )
    closing_value = fields.Monetary(
        readonly=True, groups=GROUP_USER, help="Current + potential value on the last day."
    )
    change_value = fields.Monetary(
        string="Change of Value",
        readonly=True,
        groups=GROUP_USER,
        help="Closing less opening value; all of it for who is new or gone, or of whom nothing was known before.",
    )

    @property
    def _table_query(self):
        label, after, until = self._asked()
        companies = self.env.companies.sudo().root_id
        history = self.env["crm.value.history"]
        return SQL(
            """
            WITH opening AS (%(opening)s), closing AS (%(closing)s), caused AS (%(caused)s)
            SELECT COALESCE(closing.id, opening.id) AS id,
                   COALESCE(closing.partner_id, opening.partner_id) AS partner_id,
                   COALESCE(closing.company_id, opening.company_id) AS company_id,
                   company.currency_id, partner.user_id,
                   CASE WHEN closing.id IS NULL THEN opening.format_id ELSE closing.format_id END AS format_id,
                   CASE WHEN opening.id IS NULL THEN 'absent' ELSE %(prefix)s || opening.label END AS from_label,
                   CASE WHEN closing.id IS NULL THEN 'absent' ELSE %(prefix)s || closing.label END AS to_label,
                   CASE WHEN opening.id IS NULL THEN 'new'
                        WHEN closing.id IS NULL THEN 'gone'
                        WHEN opening.label IS NOT DISTINCT FROM closing.label THEN 'same'
                        WHEN %(closing_rank)s > %(opening_rank)s THEN 'up'
                        WHEN %(closing_rank)s < %(opening_rank)s THEN 'down'
                        ELSE 'sideways' END AS direction,
                   CASE WHEN closing.id IS NULL THEN NULL
                        WHEN opening.id IS NULL THEN caused.cause
                        WHEN opening.label IS NOT DISTINCT FROM closing.label THEN NULL
                        WHEN opening.label IS DISTINCT FROM opening.computed
                          OR closing.label IS DISTINCT FROM closing.computed THEN 'override'
                        ELSE caused.cause END AS cause,
                   1 AS customers,
                   opening.value AS opening_value, closing.value AS closing_value,
                   CASE WHEN opening.value IS NOT NULL OR closing.value IS NOT NULL
                        THEN COALESCE(closing.value, 0) - COALESCE(opening.value, 0) END AS change_value
              FROM opening
              FULL JOIN closing
                ON closing.partner_id = opening.partner_id AND closing.company_id = opening.company_id
              JOIN res_company company ON company.id = COALESCE(closing.company_id, opening.company_id)
              JOIN res_partner partner ON partner.id = COALESCE(closing.partner_id, opening.partner_id)
              LEFT JOIN caused
                ON caused.partner_id = closing.partner_id AND caused.company_id = closing.company_id
            """,
            opening=history._state_sql(label, companies, after),
            closing=history._state_sql(label, companies, until),
            caused=history._cause_sql(label, companies, after, until),
            prefix=f"{label}:",
            opening_rank=_rank_sql(label, SQL("opening.label")),
            closing_rank=_rank_sql(label, SQL("closing.label")),
        )

    @api.model
    def _asked(self):
        """The label, and the two days in their order.

        :raise UserError: when the context names no such label or day
        """
        label = self._check_label(self.env.context.get("movement_label") or "value_class")
        today = self.env.company.root_id._crm_value_today()
        until = self._to_day(self.env.context.get("movement_to")) or today
        after = self._to_day(self.env.context.get("movement_from")) or self._last_month_end(today)
        return (label, *sorted((after, until)))

    @api.model
    def _labels(self):
        """``[(label, name)]`` of which movement is told, in the reader's language."""
        return self.env["crm.value.movement.wizard"]._fields["label"]._description_selection(self.env)

    @api.model
    def _check_label(self, label):
        if label not in tuple(LABELS):
            raise UserError(self.env._("There is no movement of “%s”.", label))
        return label

    @api.model
    def _to_day(self, given):
        try:
            return fields.Date.to_date(given)
        except (TypeError, ValueError) as error:
            raise UserError(self.env._("Movements are between two days: %s", error)) from error

    @api.model
    def _last_month_end(self, today):
        return fields.Date.subtract(start_of(today, "month"), days=1)

    @api.model
    def _open(self, label, after, until):
        """The matrix of movements between two days.

        :raise UserError: when there is no such label
        """
        self._check_label(label)
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_value_addon.crm_value_movement_action")
        title = self.env._(
            "%(label)s: %(from)s to %(to)s",
            label=dict(self._labels())[label],
            **{"from": format_date(self.env, after), "to": format_date(self.env, until)},
        )
        return {
            **action,
            "name": title,
            "display_name": title,
            "context": {
                "movement_label": label,
                "movement_from": fields.Date.to_string(after),
                "movement_to": fields.Date.to_string(until),
            },
        }

    def action_open_history(self):
        """Every change of the labels of this customer."""
        self.ensure_one()
        self.check_access("read")
        return open_history(self.env, self.partner_id, self.company_id, "changes")


def _rank_sql(label, column):
    """How good a value of the label is; nothing for a customer without one, and of types, of which none is better."""
    if label not in LABEL_RANKS:
        return SQL("NULL::integer")
    ranks = SQL(" ").join(SQL("WHEN %s THEN %s", value, rank) for value, rank in LABEL_RANKS[label].items())
    return SQL("CASE %s %s END", column, ranks)
