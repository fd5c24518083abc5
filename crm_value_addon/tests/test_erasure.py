import json

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL

from .common import CustomerValueCase
from .test_reasons import reason

# Nobody else's number, so that it can be looked for in texts too.
NUMBER, NAME = 987_654_321, "Zebedee Objecting Ltd"


@tagged("post_install", "-at_install")
class TestErasure(CustomerValueCase):
    """A customer of whom every table of the product tells something objects: none of it is left anywhere."""

    def setUp(self):
        super().setUp()
        objector = self.env["res.partner"].create({"name": NAME, "is_company": True})
        self.env.flush_all()
        self.cr.execute(
            "UPDATE res_partner SET id = %(number)s, commercial_partner_id = %(number)s WHERE id = %(id)s",
            {"number": NUMBER, "id": objector.id},
        )
        self.env.invalidate_all()
        self.objector = self.env["res.partner"].browse(NUMBER)

    # ------------------------------------------------------------------ what there is

    def kept_models(self):
        """Models of the product whose rows stay, by their tables."""
        models = [self.env[name] for name in self.env.registry if name.startswith("crm.value.")]
        return {
            model._table: model
            for model in models
            if model._auto and not model._transient and not model._abstract
        }

    def columns(self):
        """``[(table, column, type)]`` of all tables of the product, those between many and many too."""
        return self.env.execute_query(
            SQL(
                """
                SELECT table_name, column_name, data_type
                  FROM information_schema.columns
                  JOIN information_schema.tables USING (table_schema, table_name)
                 WHERE table_schema = current_schema AND table_type = 'BASE TABLE'
                   AND table_name LIKE 'crm\\_value\\_%%'
                 ORDER BY 1, 2
                """
            )
        )

    def traces(self):
        """``{table: columns}`` in which the objector is named, by its number or its name."""
        found = {}
        for table, column, kind in self.columns():
            name = SQL.identifier(column)
            if kind in ("integer", "bigint"):
                named = SQL("%s = %s", name, NUMBER)
            elif kind in ("json", "jsonb", "text", "character varying"):
                named = SQL("%s::text LIKE ANY (%s)", name, [f"%{NUMBER}%", f"%{NAME}%"])
            else:
                continue
            if self.env.execute_query(SQL("SELECT 1 FROM %s WHERE %s LIMIT 1", SQL.identifier(table), named)):
                found.setdefault(table, set()).add(column)
        return found

    # ------------------------------------------------------------------ how it comes to be

    def told(self):
        """Two months of runs in two companies, an override, a preview, and runs under way."""
        self.env["crm.value.winback"].create({"name": "Spring", "company_id": self.alpha.id})
        others = [reason("group_of_branches", record_ids=[self.objector.id, self.customer3.id])]
        rows = [self.full(self.objector), self.full(self.customer2, reasons=others)]
        for company in (self.alpha, self.beta):
            self.score_on("2026-01-10", rows, company)
        scope = {
            **dict.fromkeys(("top_1", "top_5", "top_10", "hhi", "gini"), 0.5),
            "customers_for_80_percent": 2,
            "lorenz": [[0.0, 0.0], [1.0, 1.0]],
            "losses": [{"id": self.objector.id, "value": 500.0, "percent": 50.0}],
        }
        result = {"concentration": {"basis": "revenue", "customers": scope, "groups": scope}}
        self.override_on("2026-01-20", self.objector, "key")
        run = self.claim()
        changed = [self.full(self.objector, value_class="growth"), self.full(self.customer2, reasons=others)]
        self.publish(run, changed)
        self.close(run, 2, result=result)
        draft = self.env["crm.value.policy.version"].create({"company_id": self.alpha.id})
        labels = {"value_class": "key", "before_value_class": "standard"}
        for state in ("done", "under way"):
            draft.action_preview()
            run = self.contract.claim_run(worker="test:1", company_id=self.alpha.id, kind="preview")["run"]
            self.publish(run, [{"partner_id": self.objector.id, **labels}])
            if state == "done":
                self.close(run, 1, result={"preview": {}})
        self.publish(self.claim(), rows)

    def fill(self, model):
        """A row about the objector, whatever else it needs."""
        values = {"partner_id": self.objector.id}
        for name, field in model._fields.items():
            if field.store and field.column_type and field.required and name not in values:
                values[name] = self.some(field)
        self.env.cr.execute(
            SQL(
                "INSERT INTO %s (%s) VALUES %s",
                SQL.identifier(model._table),
                SQL(", ").join(map(SQL.identifier, values)),
                tuple(values.values()),
            )
        )

    def some(self, field):
        if field.type == "many2one":
            return self.env[field.comodel_name].sudo().search([], limit=1).id
        if field.type == "selection":
            return field.get_values(self.env)[0]
        if field.type == "json":
            return json.dumps({})
        of_type = {"date": fields.Date.today(), "datetime": fields.Datetime.now(), "boolean": False}
        return of_type.get(field.type, "1" if field.type in ("char", "text", "html") else 1)

    # ------------------------------------------------------------------ that nothing is left

    def test_nothing_remains_in_any_table(self):
        self.told()
        about = [model for model in self.kept_models().values() if "partner_id" in model._fields]
        about = [model for model in about if model._name != "crm.value.objection"]
        by_runs = self.traces()
        for model in about:
            if model._table not in by_runs:
                self.fill(model)
        before = self.traces()
        self.assertEqual({model._table for model in about} - set(before), set(), "all tell something")
        self.assertIn("reasons", before["crm_value_profile"], "so do reasons of another customer")
        self.env["crm.value.objection"].create({"partner_id": self.objector.id})
        # An agreement is a contract and no profile.
        stays = {"crm_value_objection": {"partner_id"}, "crm_value_agreement": {"partner_id"}}
        self.assertEqual(self.traces(), {**stays, "crm_value_staging": {"partner_id"}})
        # Of rows under way the number alone stays until their run ends, which counts them.
        self.env.cr.execute("SELECT * FROM crm_value_staging WHERE partner_id = %s", [NUMBER])
        for row in self.env.cr.dictfetchall():
            left = {name for name, value in row.items() if value is not None}
            self.assertLessEqual(left, {"id", "run_id", "batch", "partner_id", "status"})
        self.env["crm.value.run"].search([("state", "=", "running")]).action_cancel()
        self.assertEqual(set(self.traces()), set(stays))

    def test_every_table_names_a_customer_where_an_erasure_looks(self):
        """By the one field that is looked at, and without messages or activities, which it would not see.

        But those of cases, which it looks for by name; see ``TestCase``.
        """
        for model in self.kept_models().values():
            for name, field in model._fields.items():
                if field.store and field.comodel_name == "res.partner":
                    self.assertEqual((model._name, name), (model._name, "partner_id"))
            with self.subTest(model=model._name):
                if model._name != "crm.value.case":
                    self.assertFalse({"message_ids", "activity_ids"} & set(model._fields))
