import itertools
import random

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..labels import LABEL_RANKS, LABELS
from .common import CustomerValueCase


class MovementCase(CustomerValueCase):
    def movement(self, after, until, label="value_class", user=None, companies=None):
        """``{customer: (from, to, direction, cause, opening, closing, change)}``; an unknown amount is None."""
        records = self.as_user("crm.value.movement", user or self.user, *(companies or [self.alpha]))
        records = records.with_context(movement_label=label, movement_from=after, movement_to=until)
        records.invalidate_model()
        self.env.flush_all()
        self.env.cr.execute(records._table_query)
        columns = [column.name for column in self.env.cr.description]
        rows = [dict(zip(columns, row, strict=True)) for row in self.env.cr.fetchall()]
        visible = records.search([])
        self.assertEqual(sorted(row["id"] for row in rows), sorted(visible.ids))
        self.assertEqual(len({row["id"] for row in rows}), len(rows))
        self.assertEqual({row["customers"] for row in rows} - {1}, set())
        return {
            self.env["res.partner"].browse(row["partner_id"]): (
                self.code(row["from_label"]),
                self.code(row["to_label"]),
                row["direction"],
                row["cause"],
                *(
                    None if row[name] is None else float(row[name])
                    for name in ("opening_value", "closing_value", "change_value")
                ),
            )
            for row in rows
        }

    def code(self, value):
        return value and value.rsplit(":", maxsplit=1)[-1]

    def worth(self, partner, current, potential, **values):
        return self.full(partner, current_value=current, potential_value=potential, **values)


@tagged("post_install", "-at_install")
class TestMovement(MovementCase):
    """Computed by hand: three customers in January, one of them gone and a new one in February."""

    def setUp(self):
        super().setUp()
        a, b, c, d = self.partners
        self.score_on(
            "2026-01-10",
            [
                self.worth(a, 500, 250, value_class="key", churn_risk="low"),
                self.worth(b, 100, 50, value_class="standard", churn_risk="medium"),
                self.worth(c, 200, 300, value_class="growth", churn_risk="high"),
            ],
        )
        self.score_on(
            "2026-01-20",
            [
                self.worth(a, 600, 250, value_class="key", churn_risk="low"),
                self.worth(b, 100, 50, value_class="standard", churn_risk="medium"),
                self.worth(c, 200, 300, value_class="growth", churn_risk="high"),
            ],
        )
        self.score_on(
            "2026-02-05",
            [
                self.worth(a, 10, 0, value_class="unprofitable", churn_risk="low", cause="policy"),
                self.worth(b, 120, 60, value_class="standard", churn_risk="high"),
                self.worth(d, 400, 100, value_class="key", churn_risk="low"),
            ],
        )

    def test_matrix(self):
        a, b, c, d = self.partners
        self.assertEqual(
            self.movement("2026-01-31", "2026-02-05"),
            {
                a: ("key", "unprofitable", "down", "policy", 850, 10, -840),
                b: ("standard", "standard", "same", None, 150, 180, 30),
                c: ("growth", "absent", "gone", None, 500, None, -500),
                d: ("absent", "key", "new", "behaviour", None, 500, 500),
            },
        )

    def test_another_label(self):
        a, b, c, d = self.partners
        rows = self.movement("2026-01-31", "2026-02-05", "churn_risk")
        self.assertEqual(rows[a][:4], ("low", "low", "same", None))
        self.assertEqual(rows[b][:4], ("medium", "high", "down", "behaviour"))
        self.assertEqual(rows[c][:4], ("high", "absent", "gone", None))
        self.assertEqual(rows[d][:4], ("absent", "low", "new", "behaviour"))

    def test_money_of_a_past_day(self):
        a = self.customer
        # Of the state itself, from a month-end on of its snapshot, from the last run on of the profile.
        for day, value in {
            "2026-01-10": 750,
            "2026-01-25": 750,
            "2026-01-31": 850,
            "2026-02-04": 850,
            "2026-02-05": 10,
            "2026-03-05": 10,
        }.items():
            with self.subTest(day=day):
                self.assertEqual(self.movement("2025-12-31", day)[a][5], value)

    def test_a_newer_state_counts_more_than_a_snapshot(self):
        self.score_on("2026-02-10", [self.worth(self.customer, 70, 7, value_class="growth")])
        self.score_on("2026-02-20", [self.worth(self.customer, 90, 9, value_class="growth")])
        self.assertEqual(self.movement("2026-01-31", "2026-02-15")[self.customer][4:], (850, 77, -773))

    def test_before_the_history(self):
        a, b, c, _d = self.partners
        rows = self.movement("2025-12-31", "2026-01-15")
        self.assertEqual(set(rows), {a, b, c})
        self.assertEqual({row[2] for row in rows.values()}, {"new"})

    def test_one_day_is_no_movement(self):
        rows = self.movement("2026-02-05", "2026-02-05")
        self.assertEqual({row[2] for row in rows.values()}, {"same"})

    def test_several_runs_on_one_day(self):
        self.score_on("2026-02-05", [self.worth(self.customer, 1, 1, value_class="growth")])
        rows = self.movement("2026-01-31", "2026-02-05")
        self.assertEqual(rows[self.customer][:4], ("key", "growth", "down", "behaviour"))
        self.assertEqual(set(rows), {self.customer, self.customer2, self.customer3})

    def test_cause_is_that_of_the_last_change_of_this_label(self):
        self.score_on(
            "2026-02-10",
            [self.worth(self.customer, 1, 1, value_class="unprofitable", churn_risk="high", cause="model")],
        )
        rows = self.movement("2026-01-31", "2026-02-10")
        self.assertEqual(rows[self.customer][:4], ("key", "unprofitable", "down", "policy"))
        rows = self.movement("2026-01-31", "2026-02-10", "churn_risk")
        self.assertEqual(rows[self.customer][:4], ("low", "high", "down", "model"))

    def test_who_comes_back_was_there(self):
        self.score_on("2026-02-10", [self.worth(self.customer3, 5, 5, value_class="standard")])
        rows = self.movement("2026-01-31", "2026-02-10")
        self.assertEqual(rows[self.customer3], ("growth", "standard", "down", "behaviour", 500, 10, -490))
        rows = self.movement("2026-02-05", "2026-02-10")
        self.assertEqual(rows[self.customer3][:3], ("absent", "standard", "new"))

    def test_unknown_is_not_zero(self):
        self.score_on(
            "2026-02-10", [{"partner_id": self.unscored.id, "value_segment": "prospect", "current_value": 5}]
        )
        rows = self.movement("2026-01-31", "2026-02-10")
        self.assertEqual(rows[self.unscored], ("absent", None, "new", "behaviour", None, None, None))
        rows = self.movement("2026-02-05", "2026-02-10")
        self.assertEqual(rows[self.unscored], ("key", None, "sideways", "behaviour", 500, None, -500))

    def test_overrides(self):
        a, b = self.customer, self.customer2
        self.override_on("2026-02-06", b, "key")
        ended = self.override_on("2026-02-06", a, "growth")
        rows = self.movement("2026-02-05", "2026-02-06")
        self.assertEqual(rows[b][:4], ("standard", "key", "up", "override"))
        self.assertEqual(rows[a][:4], ("unprofitable", "growth", "up", "override"))
        with freeze_time("2026-02-08 12:00:00"):
            ended.action_end()
        rows = self.movement("2026-02-07", "2026-02-08")
        self.assertEqual(rows[a][:4], ("growth", "unprofitable", "down", "override"))
        self.assertEqual(rows[b][:4], ("key", "key", "same", None))
        self.assertEqual(
            self.movement("2026-02-06", "2027-01-01")[b][:4], ("key", "standard", "down", "override")
        )
        # Of another label or another company it is not.
        self.assertEqual(self.movement("2026-02-05", "2026-02-06", "churn_risk")[b][2], "same")

    def test_the_past_stays_when_an_override_is_dated_back(self):
        self.override_on("2026-02-10", self.customer2, "key", date_from="2026-01-15")
        self.assertEqual(
            self.movement("2026-01-31", "2026-02-05")[self.customer2][:3], ("standard",) * 2 + ("same",)
        )
        self.assertEqual(self.movement("2026-01-31", "2026-02-10")[self.customer2][1], "key")

    def test_merge_adds_up_the_past_and_tells_the_cause(self):
        a, b = self.customer, self.customer2
        with freeze_time("2026-02-07 12:00:00"):
            self.env["base.partner.merge.automatic.wizard"].create({})._merge(
                (a | b).ids, b, extra_checks=False
            )
        self.assertEqual(self.movement("2026-01-31", "2026-02-07")[b][:3], ("standard", "absent", "gone"))
        self.score_on("2026-02-08", [self.worth(b, 130, 60, value_class="key")])
        row = self.movement("2026-01-31", "2026-02-08")[b]
        self.assertEqual(row, ("standard", "key", "up", "merge", 1000, 190, -810))
        # Before a month-end of the states themselves: 750 and 150.
        self.assertEqual(self.movement("2026-01-15", "2026-02-08")[b][4], 900)
        self.score_on("2026-02-09", [self.worth(b, 130, 60, value_class="growth")])
        self.assertEqual(
            self.movement("2026-02-08", "2026-02-09")[b][:4], ("key", "growth", "down", "behaviour")
        )

    def test_objection_takes_it_out(self):
        self.env["crm.value.objection"].create({"partner_id": self.customer.id})
        self.assertNotIn(self.customer, self.movement("2026-01-31", "2026-02-05"))

    def test_default_is_from_the_last_month_end_to_today(self):
        records = self.as_user("crm.value.movement", self.user, self.alpha)
        with freeze_time("2026-02-05 12:00:00"):
            found = {row.partner_id: (self.code(row.from_label), row.direction) for row in records.search([])}
        self.assertEqual(found[self.customer], ("key", "down"))
        self.assertEqual(found[self.unscored], ("absent", "new"))

    def test_contexts_of_strangers(self):
        records = self.as_user("crm.value.movement", self.user, self.alpha)
        for context in (
            {"movement_label": "current_value"},
            {"movement_label": "value_class; DROP TABLE"},
            {"movement_label": ["value_class"]},
            {"movement_from": "x"},
            {"movement_to": 5},
        ):
            with self.subTest(**context), self.assertRaises(UserError):
                records.with_context(**context).search([])

    def test_groups_in_the_order_of_the_labels(self):
        records = self.as_user("crm.value.movement", self.user, self.alpha).with_context(
            movement_from="2026-01-31", movement_to="2026-02-05"
        )
        groups = records.formatted_read_group([], ["from_label"], ["customers:sum", "change_value:sum"])
        self.assertEqual(
            [(group["from_label"], group["customers:sum"], group["change_value:sum"]) for group in groups],
            [
                ("absent", 1, 500),
                ("value_class:key", 1, -840),
                ("value_class:growth", 1, -500),
                ("value_class:standard", 1, 30),
            ],
        )

    def test_types_move_sideways_with_their_cause(self):
        """None of them is better than another."""
        with freeze_time("2026-02-20 12:00:00"):
            types = {"value_type": "haggler", "lost_type": "price_seeker"}
            self.score([self.full(partner, **types) for partner in self.partners])
        with freeze_time("2026-02-21 12:00:00"):
            types = {"value_type": "pioneer", "lost_type": "lured_by_competitor", "cause": "policy"}
            self.score([self.full(partner, **types) for partner in self.partners])
        for label, before, after in (
            ("value_type", "haggler", "pioneer"),
            ("lost_type", "price_seeker", "lured_by_competitor"),
        ):
            moves = self.env["crm.value.movement"].with_context(
                movement_label=label, movement_from="2026-02-20", movement_to="2026-02-21"
            )
            self.env.invalidate_all()  # another request
            rows = moves.search([("company_id", "=", self.alpha.id)])
            told = {(row.from_label, row.to_label, row.direction, row.cause) for row in rows}
            self.assertEqual(told, {(f"{label}:{before}", f"{label}:{after}", "sideways", "policy")})

    def test_ranks_are_complete(self):
        for label, ranks in LABEL_RANKS.items():
            self.assertEqual(set(ranks), {code for code, _name in LABELS[label]})

    def test_wizard(self):
        wizards = self.as_user("crm.value.movement.wizard", self.viewer, self.alpha)
        with freeze_time("2026-02-05 12:00:00"):
            wizard = wizards.create({"label": "churn_risk"})
        self.assertEqual((str(wizard.date_from), str(wizard.date_to)), ("2026-01-31", "2026-02-05"))
        self.assertEqual(str(wizard.history_start), "2026-01-10")
        action = wizard.action_open()
        self.assertEqual(action["name"], "Churn Risk: 01/31/2026 to 02/05/2026")
        records = self.as_user("crm.value.movement", self.viewer, self.alpha).with_context(
            **action["context"]
        )
        self.assertEqual(len(records.search([("direction", "=", "down")])), 1)
        with freeze_time("2026-01-25 12:00:00"):
            self.assertEqual(str(wizards.create({}).date_from), "2026-01-10", "the first day of the history")
        wizard.date_to = wizard.date_from
        with self.assertRaises(UserError):
            wizard.action_open()

    def test_salesperson_and_format(self):
        self.customer.user_id = self.user
        wholesale = self.env.ref("crm_value_addon.crm_value_format_wholesale")
        self.score_on(
            "2026-02-10", [self.worth(self.customer, 1, 1, value_class="growth", format_id=wholesale.id)]
        )
        records = self.as_user("crm.value.movement", self.user, self.alpha).with_context(
            movement_from="2026-02-05", movement_to="2026-02-10"
        )
        found = records.search([("user_id", "=", self.user.id), ("format_id", "=", wholesale.id)])
        self.assertEqual(found.partner_id, self.customer)


@tagged("post_install", "-at_install")
class TestMovementAddsUp(MovementCase):
    def test_any_days_of_any_history(self):
        """Opening + new - gone + moves in - moves out is closing, and the next opening; so is the money."""
        pick = random.Random(7)
        days = ["2026-01-05", "2026-01-20", "2026-02-03", "2026-02-28", "2026-03-01", "2026-04-15"]
        classes = [None, *LABEL_RANKS["value_class"]]
        for day in days:
            there = [partner for partner in self.partners if pick.random() < 0.8] or [self.customer]
            self.score_on(
                day,
                [
                    self.worth(
                        partner,
                        pick.randint(-50, 900),
                        pick.choice([None, 40]),
                        value_class=pick.choice(classes),
                    )
                    for partner in there
                ],
            )
            with freeze_time(f"{day} 13:00:00"):
                self.env["crm.value.override"].search([("ended_at", "=", False)]).action_end()
            self.override_on(day, pick.choice(self.partners), pick.choice(classes[1:]))
        looked_at = [
            "2026-01-01",
            "2026-01-05",
            "2026-01-31",
            "2026-02-10",
            "2026-02-28",
            "2026-03-31",
            "2026-05-01",
        ]
        closings = {}
        for after, until in itertools.combinations(looked_at, 2):
            rows = self.movement(after, until)
            balance = self.state(rows, 0, 4)
            closing = self.state(rows, 1, 5)
            for partner, (before, now, direction, _cause, _opening, _closing, change) in rows.items():
                self.assertEqual(direction == "new", before == "absent")
                self.assertEqual(direction == "gone", now == "absent")
                self.assertEqual(direction == "same", before == now)
                balance["customers"][before] -= 1
                balance["customers"][now] = balance["customers"].get(now, 0) + 1
                balance["money"] += change or 0
                self.assertTrue(partner)
            for state in (balance, closing):
                state["customers"] = {
                    code: count for code, count in state["customers"].items() if count and code != "absent"
                }
            with self.subTest(after=after, until=until):
                self.assertEqual(balance, closing)
                self.assertEqual(closings.setdefault(until, closing), closing)
        for after, until in itertools.combinations(looked_at[1:], 2):
            opening = self.state(self.movement(after, until), 0, 4)
            opening["customers"].pop("absent", None)
            with self.subTest(opening=after):
                self.assertEqual(opening, closings[after])

    def state(self, rows, label, value):
        customers = {}
        for row in rows.values():
            customers[row[label]] = customers.get(row[label], 0) + 1
        return {"customers": customers, "money": sum(row[value] or 0 for row in rows.values())}


@tagged("post_install", "-at_install")
class TestMovementOfCompanies(MovementCase):
    def test_companies_have_their_own(self):
        day = {"2026-01-10": "standard", "2026-02-10": "key"}
        for when, value_class in day.items():
            self.score_on(when, [self.worth(self.customer, 1, 1, value_class=value_class)], self.alpha)
            self.score_on(when, [self.worth(self.customer, 5, 5, value_class="growth")], self.beta)
        both = self.as_user("crm.value.movement", self.user, self.alpha, self.beta).with_context(
            movement_from="2026-01-31", movement_to="2026-02-10"
        )
        self.assertEqual(
            {(row.company_id, row.direction, row.closing_value, row.currency_id) for row in both.search([])},
            {
                (self.alpha, "up", 2, self.alpha.currency_id),
                (self.beta, "same", 10, self.beta.currency_id),
            },
        )
        for ticked, seen in ((self.beta, self.beta), (self.branch, self.alpha)):
            records = both.with_context(allowed_company_ids=ticked.ids)
            records.invalidate_model()
            self.assertEqual(records.search([]).company_id, seen)

    def test_days_are_the_companys(self):
        self.alpha.partner_id.tz = "Asia/Tokyo"
        self.score_on("2026-01-10", [self.full(self.customer)])
        override = self.override_on("2026-01-12", self.customer, "key")
        with freeze_time("2026-01-31 16:00:00"):
            override.action_end()
        # In Tokyo it is February by then.
        self.assertEqual(self.movement("2026-01-31", "2026-02-01")[self.customer][:2], ("key", "standard"))
        self.assertEqual(fields.Date.to_string(override.date_until), "2026-12-31")
