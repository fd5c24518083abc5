from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools.misc import format_date

from ..dashboard_queries import AT_RISK, read_groups, read_month_end
from ..labels import GROUP_USER, SATISFACTIONS, VALUE_CLASSES, VALUE_SEGMENTS

MOST_BARS = 12
GRADES_TOLD = 8
COHORTS_TOLD = 8
FEWER_LOSSES = 0.05
STALE_AFTER_RUNS = 2
STALE_AFTER_DAYS = 7  # where runs come on request only
GROUPED_BY = {"user": "user_id", "team": "user_id.sale_team_id", "format": "format_id"}


class CrmValueDashboard(models.AbstractModel):
    """What a sales manager looks at first: the customers of the current company, in figures that open them."""

    _name = "crm.value.dashboard"
    _description = "Customer Value Dashboard"

    # ----------------------------------------------------------------- figures

    @api.model
    def read_overview(self):
        """All but movement and cohorts, which are asked for apart.

        :raise AccessError: for whom may not see amounts
        """
        company = self._check_company()
        groups = read_groups(self.env, company)
        (total,) = groups["all"] or [{"customers": 0}]
        run = self._last_run(company)
        overview = {
            "company": company.name,
            "currency_id": company.currency_id.id,
            "customers": total["customers"],
            "as_of": format_date(self.env, run.as_of),
            "stale": bool(run) and self._is_stale(company, run),
        }
        if not total["customers"]:
            return overview
        by_segment = {row["key"][0]: row for row in groups["segment"]}
        return {
            **overview,
            "total": total,
            "basis": self._basis(company),
            **self._spans(run),
            "key_at_risk": by_segment.get("key_at_risk", {"customers": 0, "current_value": 0.0}),
            "month_end": self._month_end(company),
            "segments": self._named(VALUE_SEGMENTS, "effective_value_segment", by_segment),
            "satisfaction": self._satisfaction(groups["satisfaction"]),
            "at_risk": {
                "user": self._bars("res.users", groups["user"], self.env._("Without a salesperson")),
                "team": self._bars("crm.team", groups["team"], self.env._("Without a team")),
                "format": self._bars("crm.value.format", groups["format"], self.env._("Without a format")),
            },
            "fewer_losses": FEWER_LOSSES,
            "concentration": self._concentration(company),
            "equity": self._equity(company),
            "grades": self._grades(company),
        }

    @api.model
    def read_movement(self, label="value_segment", since=None):
        """Between which values of a label customers moved since a day, the last month-end unless given.

        :return: ``{"label", "labels", "since", "days", "flows": [{"from", "to", "direction", "customers", "value"}]}``
        :raise AccessError: for whom may not see amounts
        :raise UserError: of another label, or no day
        """
        company = self._check_company()
        days = self._days(company)
        since = since or (days[0]["day"] if days else None)
        movement = self.env["crm.value.movement"].with_context(
            movement_label=label, movement_from=since, movement_to=None
        )
        answer = {
            "label": label,
            "labels": [{"value": value, "name": name} for value, name in movement._labels()],
            "since": since,
            "days": days,
            "flows": [],
        }
        if not since:
            return answer
        rows = movement._read_group(
            [("company_id", "=", company.id)],
            ["from_label", "to_label", "direction"],
            ["customers:sum", "opening_value:sum", "closing_value:sum"],
        )
        ends = {
            field: dict(movement._fields[field]._description_selection(self.env))
            for field in ("from_label", "to_label")
        }
        for before, after, direction, customers, opening, closing in rows:
            answer["flows"].append(
                {
                    "from": before or "",
                    "from_name": ends["from_label"].get(before) or self.env._("Without a label"),
                    "to": after or "",
                    "to_name": ends["to_label"].get(after) or self.env._("Without a label"),
                    "direction": direction,
                    "customers": customers,
                    "value": opening if direction == "gone" else closing,
                }
            )
        return answer

    @api.model
    def read_cohorts(self):
        """Which share of those who began in a quarter ordered in each quarter since.

        :return: ``[{"first", "name", "customers", "shares": [share]}]``, the latest last; None for whom may not
            read cohorts
        :raise AccessError: for whom may not see amounts
        """
        company = self._check_company()
        cohorts = self.env["crm.value.cohort"]
        if not cohorts.has_access("read"):
            return None
        first = fields.Date.subtract(company._crm_value_today(), months=3 * COHORTS_TOLD)
        rows = cohorts._read_group(
            [("company_id", "=", company.id), ("is_over", "=", True), ("first_quarter", ">=", first)],
            ["first_quarter:quarter", "quarters_after"],
            ["__count", "ordered_share:avg"],
        )
        told = {}
        for quarter, after, customers, share in rows:
            cohort = told.setdefault(quarter, {"customers": customers, "shares": {}})
            cohort["shares"][after] = share
        return [
            {
                "first": fields.Date.to_string(quarter),
                "name": format_date(self.env, quarter, date_format="QQQ yyyy"),
                "customers": cohort["customers"],
                "shares": [cohort["shares"][after] for after in sorted(cohort["shares"])],
            }
            for quarter, cohort in sorted(told.items())
        ]

    # --------------------------------------------------------------- customers

    @api.model
    def open_customers(self, figure, value=None, by=None):
        """The customers behind a figure, in a list.

        :param str figure: ``all``, ``segment``, ``satisfaction``, ``at_risk`` or ``largest``
        :param value: of which segment, class and satisfaction (both), salesperson, team or format
        :param str by: a key of ``GROUPED_BY``, for ``at_risk``
        :raise AccessError: for whom may not see amounts
        :raise UserError: when there is no such figure
        """
        company = self._check_company()
        domain = Domain("company_id", "=", company.id) & Domain(self._figure_domain(figure, value, by))
        action = self.env["ir.actions.act_window"]._for_xml_id("crm_value_addon.crm_value_profile_action")
        # By the list itself, the most valuable first.
        return {**action, "views": [(False, "list"), (False, "form")], "domain": list(domain), "context": {}}

    def _figure_domain(self, figure, value, by):
        if figure in ("all", "largest"):
            return [("current_value", ">", 0)] if figure == "largest" else []
        if figure == "segment":
            return [("effective_value_segment", "=", value or False)]
        if figure == "satisfaction" and isinstance(value, (list, tuple)) and len(value) == 2:
            value_class, satisfaction = value
            return [
                ("effective_value_class", "=", value_class or False),
                ("satisfaction", "=", satisfaction or False),
            ]
        if figure == "at_risk" and by in (None, *GROUPED_BY):
            return Domain(AT_RISK) & self._of_group(by, value) if by else AT_RISK
        raise UserError(self.env._("The dashboard has no figure “%s”.", figure))

    def _of_group(self, by, value):
        of_value = Domain(GROUPED_BY[by], "=", value or False)
        # Who has no salesperson has no team either.
        return of_value | Domain("user_id", "=", False) if by == "team" and not value else of_value

    @api.model
    def open_movement(self, label, since, before=None, after=None):
        """The customers that moved from one value of a label to another, or the matrix of all.

        :raise AccessError: for whom may not see amounts
        :raise UserError: of another label, or no day
        """
        self._check_company()
        movement = self.env["crm.value.movement"]
        until = self.env.company.root_id._crm_value_today()
        action = movement._open(label, movement._to_day(since) or movement._last_month_end(until), until)
        if before is None and after is None:
            return action
        return {
            **action,
            "views": [(False, "list")],
            "domain": [("from_label", "=", before or False), ("to_label", "=", after or False)],
        }

    # ----------------------------------------------------------------- helpers

    def _check_company(self):
        """The root of the current company, for whom may see its amounts."""
        if not self.env.user.has_group(GROUP_USER):
            raise AccessError(self.env._("The dashboard shows amounts: it is for users of Customer Value."))
        return self.env.company.root_id

    def _last_run(self, company):
        done = [("company_id", "=", company.id), ("kind", "=", "score"), ("state", "=", "done")]
        return self.env["crm.value.run"].search(done, order="closed_at desc, id desc", limit=1)

    def _is_stale(self, company, run):
        hours = STALE_AFTER_RUNS * company.sudo().crm_value_interval_hours or 24 * STALE_AFTER_DAYS
        scored_at = min(run.closed_at, company._crm_value_end_of(run.as_of))
        return scored_at < fields.Datetime.now() - timedelta(hours=hours)

    def _basis(self, company):
        """What values are measured in, in words: that of most customers."""
        bases = self.env["crm.value.profile"]._read_group(
            [("company_id", "=", company.id), ("value_basis", "!=", False)], ["value_basis"], ["__count"]
        )
        names = dict(self.env["crm.value.profile"]._fields["value_basis"]._description_selection(self.env))
        return names[max(bases, key=lambda each: each[1])[0]] if bases else ""

    def _spans(self, run):
        """Over which days churn is forecast and values are counted, by the policy of the run."""
        values = run.policy_version_id.sudo()._values(self.env["crm.value.format"])
        return {"horizon_days": values["churn_horizon_days"], "window_days": values["current_window_days"]}

    def _month_end(self, company):
        found = read_month_end(self.env, company)
        return found and {**found, "date": format_date(self.env, found["date"])}

    def _named(self, selection, field, rows):
        """Rows by the values of a selection, in the order people read them; those without a value are left out."""
        names = dict(self.env["crm.value.profile"]._fields[field]._description_selection(self.env))
        return [
            {"value": value, "name": names[value], **rows[value]}
            for value, _name in selection
            if value in rows
        ]

    def _satisfaction(self, groups):
        """How satisfied the customers of each class are, of those who told."""
        rows = {row["key"]: row["customers"] for row in groups}
        told = {
            value_class: {
                satisfaction: rows.get((value_class, satisfaction), 0)
                for satisfaction, _name in SATISFACTIONS
            }
            for value_class, _name in VALUE_CLASSES
            if any((value_class, satisfaction) in rows for satisfaction, _name in SATISFACTIONS)
        }
        names = dict(self.env["crm.value.profile"]._fields["satisfaction"]._description_selection(self.env))
        return [
            {
                **row,
                "parts": [
                    {"value": value, "name": names[value], "customers": told[row["value"]][value]}
                    for value, _name in SATISFACTIONS
                ],
            }
            for row in self._named(VALUE_CLASSES, "effective_value_class", {each: {} for each in told})
        ]

    def _bars(self, model, groups, without):
        """Money at risk by the records of a model, the most first."""
        rows = sorted((row for row in groups if row["at_risk"]), key=lambda row: -row["at_risk"])[:MOST_BARS]
        records = self.env[model].sudo().browse([row["key"][0] for row in rows if row["key"][0]])
        names = {record.id: record.display_name for record in records}
        return [
            {**row, "value": row["key"][0] or 0, "name": names.get(row["key"][0], without)} for row in rows
        ]

    def _equity(self, company):
        rows = self.env["crm.value.equity"].search(
            [("company_id", "=", company.id), ("is_latest", "=", True)], order="id"
        )
        names = dict(rows._fields["step"]._description_selection(self.env))
        return [
            {"step": row.step, "label": names[row.step], "amount": row.amount, "customers": row.customers}
            for row in rows
        ]

    def _concentration(self, company):
        """How far the current value rests on few customers, as the last run found it; None where it found nothing."""
        found = self.env["crm.value.concentration"].search(
            [("company_id", "=", company.id), ("is_latest", "=", True), ("scope", "=", "customers")], limit=1
        )
        return (
            {"carriers": found.carriers, "top_10": found.top_10, "curve": found.lorenz}
            if found.lorenz
            else None
        )

    def _grades(self, company):
        """What the last back-tests found of the company as a whole, the latest first."""
        grades = self.env["crm.value.grade"].search(
            [("company_id", "=", company.id), ("format_id", "=", False)], limit=GRADES_TOLD
        )
        return [
            {
                "id": grade.id,
                "as_of": format_date(self.env, grade.as_of),
                "grade": grade.grade,
                "auc": grade.auc,
                "rule_auc": grade.rule_auc,
                "verdict": grade.verdict,
            }
            for grade in grades
        ]

    def _days(self, company):
        """Days since which movement can be told, the latest month-end first, and where history begins."""
        today = company._crm_value_today()
        month_ends = self.env["crm.value.snapshot"]._read_group(
            [("company_id", "=", company.id), ("date", "<", today)], ["date:day"], order="date:day desc"
        )
        days = [day for (day,) in month_ends]
        wizard = self.env["crm.value.movement.wizard"]
        start = wizard._history_start()
        last = wizard._default_date_from()
        if start:
            days = sorted({*days, max(last, start), start} - {today}, reverse=True)
        return [
            {"day": fields.Date.to_string(day), "name": format_date(self.env, day)}
            for day in days
            if day < today
        ]
