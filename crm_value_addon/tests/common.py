import base64
import csv
import io
import json
import zlib

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import TransactionCase, new_test_user

from ..publish_columns import COLUMN_TYPES

JSON_COLUMNS = {name for name, kind in COLUMN_TYPES.items() if kind == "json"}
MONEY_FIELDS = ("historical_value", "current_value", "potential_value", "lifetime_value")


def pack(rows):
    """Rows as a worker sends them: base64 of zlib of CSV; None is an empty cell."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return pack_bytes(text.getvalue().encode())


def pack_bytes(payload):
    return base64.b64encode(zlib.compress(payload)).decode()


def unpack(page):
    """The rows of an exported page as lists of strings."""
    text = zlib.decompress(base64.b64decode(page["data"])).decode()
    return list(csv.reader(io.StringIO(text)))


class CustomerValueCase(TransactionCase):
    """Two companies, one of them with a branch, an account for the worker, and people of every kind."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "tracking_disable": True, "no_reset_password": True})
        usd, eur = cls.env.ref("base.USD"), cls.env.ref("base.EUR")
        (usd | eur).active = True
        companies = cls.env["res.company"].create(
            [{"name": "Alpha", "currency_id": usd.id}, {"name": "Beta", "currency_id": eur.id}]
        )
        companies.crm_value_interval_hours = 0
        cls.alpha, cls.beta = companies
        cls.branch = cls.env["res.company"].create({"name": "Alpha North", "parent_id": cls.alpha.id})
        cls.env.user.company_ids |= companies | cls.branch
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": [cls.alpha.id, cls.branch.id, cls.beta.id]}
        )
        cls.sync = cls._user("cv_sync", "crm_value_addon.group_sync", companies)
        cls.viewer = cls._user("cv_viewer", "crm_value_addon.group_viewer", companies | cls.branch)
        cls.user = cls._user("cv_user", "crm_value_addon.group_user", companies | cls.branch)
        cls.manager = cls._user("cv_manager", "crm_value_addon.group_manager", companies | cls.branch)
        cls.employee = cls._user("cv_employee", "base.group_user", companies)
        cls.portal = cls._user("cv_portal", "base.group_portal", companies)
        cls.partners = cls.env["res.partner"].create(
            [{"name": f"Customer {i}", "is_company": True} for i in range(4)]
        )
        cls.customer, cls.customer2, cls.customer3, cls.unscored = cls.partners
        cls.contact = cls.env["res.partner"].create({"name": "Buyer", "parent_id": cls.customer.id})

    @classmethod
    def _user(cls, login, groups, companies):
        return new_test_user(
            cls.env,
            login=login,
            groups=groups,
            company_id=companies[0].id,
            company_ids=[Command.set(companies.ids)],
        )

    def as_user(self, model, user, *companies):
        """A model in the environment of a user who ticked the companies, all of theirs if none is named."""
        ids = [company.id for company in companies] or user.company_ids.ids
        return self.env[model].with_user(user).with_context(allowed_company_ids=ids)

    # ------------------------------------------------------------------ worker

    @property
    def contract(self):
        return self.as_user("crm.value.sync", self.sync)

    def claim(self, company=None, kind="score"):
        answer = self.contract.claim_run(
            worker="test:1", company_id=(company or self.alpha).id, kind=kind, request=True
        )
        return answer["run"]

    def publish(self, run, records, batch=1, columns=None):
        """Publish dicts; the columns are those of the first unless given."""
        columns = columns or list(records[0])
        rows = [
            [
                json.dumps(record[name])
                if name in JSON_COLUMNS and record.get(name) is not None
                else record.get(name)
                for name in columns
            ]
            for record in records
        ]
        return self.contract.publish(
            run_id=run["id"], token=run["token"], batch=batch, columns=columns, data=pack(rows)
        )

    def close(self, run, rows, **values):
        return self.contract.close_run(
            run_id=run["id"], token=run["token"], state="done", rows=rows, **values
        )

    def score(self, records, company=None):
        """A whole run; the answer of its closing."""
        run = self.claim(company)
        self.publish(run, records)
        return self.close(run, len(records))

    def score_on(self, day, records, company=None):
        """A whole run at noon of a day; the answer of its closing."""
        with freeze_time(f"{day} 12:00:00"):
            return self.score(records, company)

    def override_on(self, day, partner, value, label="value_class", company=None, **values):
        """An override of 2026 made at noon of a day."""
        with freeze_time(f"{day} 12:00:00"):
            override = self.env["crm.value.override"].create(
                {
                    "partner_id": partner.id,
                    "company_id": (company or self.alpha).id,
                    "label": label,
                    "value": value,
                    "reason": "known better",
                    "date_from": day,
                    "date_until": "2026-12-31",
                    **values,
                }
            )
        # A test is one transaction, whose time stands still.
        self.env.cr.execute(
            "UPDATE crm_value_override SET create_date = %s WHERE id = %s", [f"{day} 12:00:00", override.id]
        )
        override.invalidate_recordset()
        return override

    def full(self, partner, **values):
        """A complete row about a customer."""
        return {
            "partner_id": partner.id,
            "value_class": "standard",
            "value_segment": "standard",
            "loyalty_stage": "approval",
            "lifecycle_stage": "retention",
            "churn_risk": "low",
            "confidence": "enough",
            "value_basis": "revenue",
            "burden": "f",
            "churn_withheld": "f",
            "churn_probability": 0.25,
            "p_alive": 0.9,
            "expected_orders": 2.5,
            "expected_value": 300,
            "expected_value_low": 200,
            "expected_value_high": 400,
            "expected_next_order": "2026-03-10",
            "expected_next_order_low": "2026-03-01",
            "expected_next_order_high": "2026-03-20",
            "historical_value": 1000,
            "current_value": 500,
            "potential_value": 250,
            "lifetime_value": 1750,
            "last_order_date": "2026-02-01",
            "order_days": 9,
            "usual_gap": 37,
            "format_id": None,
            "reasons": [],
            "cause": None,
            **values,
        }

    def whole(self, partner, **values):
        """A complete row with what is known of a customer besides its forecast."""
        return self.full(
            partner,
            **{
                "value_type": "value_for_money",
                "lost_type": None,
                "cost_to_serve": 40,
                "net_value": 160,
                "next_class_gap": 77,
                "value_slope": -12,
                "value_trend": "falling",
                "value_percentile": 0.82,
                "margin_level": "high",
                "composite_rating": 74,
                "rating_contribution": 0.91,
                "rating_compliance": 0.8,
                "rating_integrity": 0.63,
                "rating_influence": None,
                "percentile_compliance": 0.5,
                "percentile_integrity": 0.08,
                "percentile_influence": None,
                "percentile_frequency": 0.97,
                "percentile_volume": 0.71,
                "percentile_margin": 0.31,
                "percentile_loyalty": 0.6,
                "recommendations": [],
                "replacement_due": None,
                "share_of_customer": 0.42,
                "customisation": 0.34,
                "service_strategy": "zipper",
                "satisfaction": "unsatisfied",
                "attitude": "loyal_unsatisfied",
                "promise_kept": 0.71,
                "last_contact_date": "2026-02-03",
                "initiator": "customer",
                "response_hours": 5.5,
                "preferred_channel": "salesperson",
                "anomaly": "drop",
                "anomaly_percent": -61,
                "anomaly_since": "2026-05-11",
                **values,
            },
        )

    # --------------------------------------------------------------- back-test

    def grade(self, business_format=None, **values):
        """A grade as a worker sends it."""
        return {
            "format": business_format and business_format.id,
            "grade": "A",
            "horizon_days": 90,
            "missing": None,
            "cutoff": "2026-08-24",
            "customers": 412,
            "churned": 61,
            "listed": 50,
            "found": 23,
            "found_value": 81234.5,
            "rule": {"code": "recency", "params": {"days": 60}},
            "rule_found": 15,
            "rule_found_value": 52100.0,
            "chance_found": 7.4,
            "auc": 0.781,
            "auc_low": 0.75,
            "auc_high": 0.81,
            "rule_auc": 0.741,
            "gain": 0.04,
            "gain_low": 0.012,
            "gain_high": 0.068,
            "brier": 0.101,
            "base_brier": 0.126,
            "ece": 0.021,
            "value_log_bias": 0.04,
            "coverage": 0.81,
            "calibration": [{"predicted": 0.1, "actual": 0.12, "customers": 41}],
            "lift": [
                {
                    "share": 0.1,
                    "found": 0.35,
                    "found_value": 0.3,
                    "rule_found": 0.25,
                    "rule_found_value": 0.22,
                }
            ],
            "deciles": [{"predicted_value": 10.0, "actual_value": 11.0}],
            **values,
        }

    def no_grade(self, missing, business_format=None, **values):
        """A grade that cannot be given: nothing in it can be told."""
        empty = {name: [] if isinstance(value, list) else None for name, value in self.grade().items()}
        own = {"format": business_format and business_format.id, "missing": missing}
        return {**empty, **own, **values}

    def backtest(self, *grades, company=None, **values):
        """A whole run that looks back; the run."""
        run = self.claim(company, kind="backtest")
        result = {"horizon_days": 90, "cutoffs": ["2026-08-24"], "grades": list(grades), **values}
        self.close(run, 0, result={"backtest": result})
        return self.env["crm.value.run"].browse(run["id"])

    def profile(self, partner, company=None):
        return self.env["crm.value.profile"].search(
            [("partner_id", "=", partner.id), ("company_id", "=", (company or self.alpha).id)]
        )

    def history(self, partner, company=None):
        return self.env["crm.value.history"].search(
            [("partner_id", "=", partner.id), ("company_id", "=", (company or self.alpha).id)], order="id"
        )

    # ------------------------------------------------------------------- sales

    @classmethod
    def _product(cls, name="Thing", **values):
        return cls.env["product.product"].create(
            {"name": name, "list_price": 100.0, "taxes_id": False, **values}
        )

    def order(self, partner, amount=100.0, company=None, day="2026-01-15 12:00:00", state="sale", **values):
        """An order of one line."""
        company = company or self.alpha
        product = values.pop("product", None) or self.product
        line = {
            "product_id": product.id,
            "product_uom_qty": -1 if amount < 0 else 1,
            "price_unit": abs(amount),
            "tax_ids": False,
            **values.pop("line", {}),
        }
        return (
            self.env["sale.order"]
            .with_company(company)
            .create(
                {
                    "partner_id": partner.id,
                    "company_id": company.id,
                    "date_order": day,
                    "state": state,
                    "order_line": [Command.create(line)],
                    **values,
                }
            )
        )
