import json

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import CustomerValueCase, pack, pack_bytes

STATUSES = ("ok", "missing", "not_commercial", "objecting", "foreign_company", "out_of_range", "duplicate")


@tagged("post_install", "-at_install")
class TestPublish(CustomerValueCase):
    def setUp(self):
        super().setUp()
        self.run = self.claim()

    def staged(self):
        self.env.cr.execute(
            "SELECT batch, partner_id, status FROM crm_value_staging WHERE run_id = %s ORDER BY batch, id",
            [self.run["id"]],
        )
        return self.env.cr.fetchall()

    def assertCounts(self, answer, **counts):
        self.assertEqual(answer, {status: counts.get(status, 0) for status in STATUSES})

    def test_every_status(self):
        gone = self.env["res.partner"].create({"name": "Gone"})
        gone_id = gone.id
        gone.unlink()
        self.env["crm.value.objection"].create({"partner_id": self.customer2.id})
        self.customer3.company_id = self.beta
        rows = [self.full(self.customer), self.full(self.customer), self.full(self.contact)]
        rows += [
            self.full(self.customer2),
            self.full(self.customer3),
            self.full(self.unscored, order_days=-1),
        ]
        rows += [{**self.full(self.customer), "partner_id": gone_id}]
        answer = self.publish(self.run, rows)
        self.assertCounts(
            answer,
            ok=1,
            duplicate=1,
            not_commercial=1,
            objecting=1,
            foreign_company=1,
            out_of_range=1,
            missing=1,
        )

    def test_partner_of_a_branch_is_at_home(self):
        self.customer.company_id = self.branch
        self.assertCounts(self.publish(self.run, [self.full(self.customer)]), ok=1)

    def test_archived_customer_is_published(self):
        self.customer.active = False
        self.assertCounts(self.publish(self.run, [self.full(self.customer)]), ok=1)

    def test_out_of_range(self):
        for name, values in {
            "value_class": ["", "KEY", "a", "key "],
            "value_segment": ["unknown"],
            "churn_risk": ["extreme"],
            "confidence": ["certain"],
            "value_basis": ["turnover"],
            "cause": ["magic", "merge", "override"],
            "churn_probability": [-0.0001, 1.0001, "NaN", "Infinity", "-Infinity"],
            "p_alive": [-1, 2, "nan"],
            "expected_orders": [-1, "NaN", "Infinity", 1e300],
            "current_value": ["NaN", 1e16, -1e16],
            "lifetime_value": ["1e300"],
            "expected_next_order": ["infinity", "-infinity", "0044-03-15 BC", "20000-01-01", "1066-10-14"],
            "last_order_date": ["infinity"],
            "order_days": [-1],
            "usual_gap": [-1],
            "format_id": [2**31 - 1, 0],
            "value_type": ["unheard of", ""],
            "lost_type": ["stolen"],
            "satisfaction": ["happy"],
            "attitude": ["captive"],
            "margin_level": ["medium"],
            "value_trend": ["sideways"],
            "value_slope": ["1e300"],
            "initiator": ["nobody"],
            "anomaly": ["none"],
            "preferred_channel": ["", "By Phone", "x" * 33, "<b>"],
            "value_percentile": [-0.1, 1.1, "NaN"],
            "rating_integrity": [-1, "Infinity"],
            "promise_kept": [100],
            "share_of_customer": [1.5],
            "customisation": [-0.1, 1.1, "NaN"],
            "service_strategy": ["glue", "Hook"],
            "composite_rating": [-1, 100.5, "NaN", "Infinity"],
            "anomaly_percent": [-101, 1000001],
            "response_hours": [-1, 337, "NaN"],
            "cost_to_serve": ["NaN", 1e16],
            "net_value": [-1e16],
            "next_class_gap": ["1e300"],
            "replacement_due": ["infinity", "20000-01-01"],
            "last_contact_date": ["-infinity"],
            "anomaly_since": ["1066-10-14"],
            "recommendations": [
                "{}",
                "null",
                "[1]",
                "[[]]",
                "[{}]",
                *(
                    json.dumps([self.recommendation(), self.recommendation(**wrong)])
                    for wrong in (
                        {"category_id": "3"},
                        {"category_id": 0},
                        {"category_id": 1.5},
                        {"category_id": 2**31},
                        {"category_id": None},
                        {"category_id": True},
                        {"kind": "up_sell"},
                        {"kind": None},
                        {"strength": 1.1},
                        {"strength": -0.1},
                        {"strength": "0.5"},
                        {"strength": None},
                        {"due": "soon"},
                        {"due": 20260101},
                        {"due": "20261-01-01"},
                        {"due": ["2026-01-01"]},
                    )
                ),
            ],
            "reasons": ["[1]", '{"code": "x"}', '"x"', "null", '[{"code": "x"}, null]', '[["code"]]'],
        }.items():
            for value in values:
                with self.subTest(column=name, value=value):
                    # An empty text in quotes is an empty text, not a missing value.
                    cell = '""' if value == "" else '"{}"'.format(str(value).replace('"', '""'))
                    answer = self.contract.publish(
                        run_id=self.run["id"],
                        token=self.run["token"],
                        batch=1,
                        columns=["partner_id", name],
                        data=pack_bytes(f"{self.customer.id},{cell}\n".encode()),
                    )
                    self.assertCounts(answer, out_of_range=1)

    def recommendation(self, **values):
        return {"category_id": 3, "kind": "cross_sell", "strength": 0.5, "due": None, **values}

    def test_edges_of_the_range(self):
        for values in (
            {"composite_rating": 0, "rating_influence": 1, "value_percentile": 0, "anomaly_percent": -100},
            {"composite_rating": 100, "preferred_channel": "a_channel_of_tomorrow_2"},
            {"net_value": -123.45, "cost_to_serve": 0, "next_class_gap": None, "anomaly_percent": 900},
            {"recommendations": []},
            {
                "recommendations": [
                    self.recommendation(kind="replacement", due="2026-12-31", strength=1),
                    {"category_id": 2**31 - 1, "kind": "cross_sell", "strength": 0},
                ]
            },
            {"churn_probability": 0, "p_alive": 1},
            {"churn_probability": 1, "p_alive": 0},
            {"current_value": -123.45, "historical_value": 0},
            {"expected_next_order": "2199-12-31", "last_order_date": "1990-01-01"},
            {"reasons": [{"code": "a code of tomorrow"}], "order_days": 0},
            {name: None for name in self.whole(self.customer) if name != "partner_id"},
        ):
            with self.subTest(**values):
                row = self.whole(self.customer, **values)
                self.assertCounts(self.publish(self.run, [row]), ok=1)

    def test_duplicates_across_batches(self):
        self.publish(self.run, [self.full(self.customer)], batch=1)
        self.publish(
            self.run, [self.full(self.customer, value_class="key"), self.full(self.customer2)], batch=2
        )
        answer = self.close(self.run, 3)
        self.assertEqual((answer["inserted"], answer["refused"]), (2, 1))
        self.assertEqual(self.profile(self.customer).computed_value_class, "standard")

    def test_first_usable_row_counts(self):
        answer = self.publish(
            self.run,
            [
                self.full(self.customer, order_days=-1),
                self.full(self.customer, value_class="key"),
                self.full(self.customer),
                self.full(self.customer2),
            ],
        )
        self.assertCounts(answer, ok=2, out_of_range=1, duplicate=1)
        self.assertEqual(self.close(self.run, 4)["inserted"], 2)
        self.assertEqual(self.profile(self.customer).computed_value_class, "key")

    def test_duplicates_of_a_later_batch_are_refused_though_it_came_first(self):
        self.publish(self.run, [self.full(self.customer)], batch=2)
        self.publish(self.run, [self.full(self.customer, value_class="key")], batch=1)
        self.assertEqual(self.close(self.run, 2)["refused"], 1)
        self.assertEqual(self.profile(self.customer).computed_value_class, "key")

    def test_batch_sent_again_replaces_itself(self):
        self.publish(self.run, [self.full(self.customer), self.full(self.customer2)], batch=1)
        self.publish(self.run, [self.full(self.customer3)], batch=2)
        answer = self.publish(self.run, [self.full(self.customer2, value_class="key")], batch=1)
        self.assertCounts(answer, ok=1)
        self.assertEqual(self.staged(), [(1, self.customer2.id, "ok"), (2, self.customer3.id, "ok")])
        self.assertEqual(self.close(self.run, 2)["inserted"], 2)
        self.assertEqual(self.profile(self.customer2).computed_value_class, "key")

    def test_same_customer_in_another_run(self):
        other = self.claim(self.beta)
        self.publish(self.run, [self.full(self.customer)])
        self.assertCounts(self.publish(other, [self.full(self.customer)]), ok=1)

    def test_malformed_payloads_name_the_row_and_change_nothing(self):
        self.publish(self.run, [self.full(self.customer)], batch=1)
        good = f"{self.customer2.id},0.5,key\n".encode()
        columns = ["partner_id", "churn_probability", "value_class"]
        for bad in (
            b"x,0.5,key\n",
            b"1,half,key\n",
            b"1,0.5\n",
            b"1,0.5,key,more\n",
            b"99999999999,0.5,key\n",
            b"1,0.5,\x00\n",
            b"1,0.5,\xff\xfe\n",
            b"1,1e999,key\n",
            b'1,0.5,"key\n',
            b"True,0.5,key\n",
        ):
            with (
                self.subTest(bad=bad),
                self.assertRaisesRegex(UserError, r"(?s)^\[bad-batch\].*line [23]"),
                self.cr.savepoint(),  # as a request rolls back
            ):
                self.contract.publish(
                    run_id=self.run["id"],
                    token=self.run["token"],
                    batch=1,
                    columns=columns,
                    data=pack_bytes(good + bad),
                )
        self.assertEqual(self.staged(), [(1, self.customer.id, "ok")])

    def test_malformed_cells(self):
        for name, cells in {
            "reasons": ["{", "[" * 20000, r'["\u0000"]', "nan"],
            "burden": ["maybe", "2"],
            "expected_next_order": ["tomorrowish", "2026-13-01", "2026-02-30"],
            "format_id": ["wholesale", "1.5"],
            "order_days": ["99999999999"],
        }.items():
            for cell in cells:
                with (
                    self.subTest(name=name, cell=cell[:20]),
                    self.assertRaisesRegex(UserError, r"^\[bad-batch\]"),
                ):
                    self.contract.publish(
                        run_id=self.run["id"],
                        token=self.run["token"],
                        batch=1,
                        columns=["partner_id", name],
                        data=pack([[self.customer.id, cell]]),
                    )

    def test_booleans_as_text(self):
        for cell, expected in {"t": True, "f": False, "true": True, "1": True, "0": False, "": False}.items():
            with self.subTest(cell=cell):
                run = self.run if cell == "t" else self.claim()
                self.publish(run, [self.full(self.customer, burden=cell or None)])
                self.close(run, 1)
                self.assertEqual(self.profile(self.customer).burden, expected)

    def test_no_base64_of_zlib(self):
        for data in ("", "%%%", "aGVsbG8=", None, 7, pack([[1]])[:-8], "é"):
            with self.subTest(data=data), self.assertRaisesRegex(UserError, r"^\[bad-batch\]"):
                self.contract.publish(
                    run_id=self.run["id"], token=self.run["token"], batch=1, columns=["partner_id"], data=data
                )

    def test_zip_bomb(self):
        bomb = pack_bytes(b"0" * (300 * 1024 * 1024))
        self.assertLess(len(bomb), 1024 * 1024)
        with self.assertRaisesRegex(UserError, r"^\[bad-batch\]"):
            self.contract.publish(
                run_id=self.run["id"], token=self.run["token"], batch=1, columns=["partner_id"], data=bomb
            )

    def test_empty_batch(self):
        answer = self.contract.publish(
            run_id=self.run["id"], token=self.run["token"], batch=1, columns=["partner_id"], data=pack([])
        )
        self.assertCounts(answer)

    def test_rows_without_a_customer(self):
        answer = self.contract.publish(
            run_id=self.run["id"],
            token=self.run["token"],
            batch=1,
            columns=["partner_id", "value_class"],
            data=pack([[None, "key"], [0, "key"], [-1, "key"]]),
        )
        self.assertCounts(answer, missing=3)

    def test_columns(self):
        for columns in (
            ["partner_id", "name"],
            ["value_class"],
            [],
            ["partner_id", "partner_id"],
            ["partner_id", "status"],
            ["partner_id", 'x"; DROP TABLE res_users; --'],
            ["partner_id", "effective_value_class"],
            "partner_id",
        ):
            with self.subTest(columns=columns), self.assertRaisesRegex(UserError, r"^\[contract\]"):
                self.contract.publish(
                    run_id=self.run["id"], token=self.run["token"], batch=1, columns=columns, data=pack([[1]])
                )

    def test_batch_number(self):
        for batch in ("one", None, 2**31, -(2**31) - 1, 1.5):
            with self.subTest(batch=batch), self.assertRaisesRegex(UserError, r"^\[contract\]"):
                self.publish(self.run, [self.full(self.customer)], batch=batch)

    def test_a_backtest_publishes_nothing(self):
        run = self.claim(kind="backtest")
        with self.assertRaisesRegex(UserError, r"^\[not-score\]"):
            self.publish(run, [self.full(self.customer)])
        self.contract.close_run(
            run_id=run["id"], token=run["token"], state="done", rows=0, result={"skill": 0.2}
        )
        self.assertEqual(self.env["crm.value.run"].browse(run["id"]).result, {"skill": 0.2})

    def test_publishing_leaves_the_lease_to_beat(self):
        """Batches sent side by side would stumble over each other if each wrote the run."""
        record = self.env["crm.value.run"].browse(self.run["id"])
        record.lease_until = "2020-01-01 00:00:00"
        self.publish(self.run, [self.full(self.customer)])
        self.assertEqual(str(record.lease_until), "2020-01-01 00:00:00")
        self.contract.beat(run_id=self.run["id"], token=self.run["token"], progress=50)
        self.assertGreater(str(record.lease_until), "2020-01-02")
