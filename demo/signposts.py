"""Addresses that open what a visitor should see: actions with a path of their own and the filter set.

Each is in a menu of the app, or it would open under whichever app comes first.
"""

AT_RISK = "demo-at-risk"
SALES = "demo-sales-by-value"
MOVEMENT = "demo-movement"
# Path, section of the app's menu, and name there.
MENUS = (
    (AT_RISK, "crm_value_customers_menu", "At Risk"),
    (SALES, "crm_value_analysis_menu", "Sales by Value Class"),
    (MOVEMENT, "crm_value_analysis_menu", "Movement since Four Month-Ends"),
)


def make(env):
    actions = env["ir.actions.act_window"].create(
        [
            {
                "name": "Customers at risk",
                "path": AT_RISK,
                "res_model": "res.partner",
                "view_mode": "list,form",
                # The largest first, with the reason beside each.
                "view_id": env.ref("crm_value_addon.res_partner_view_list_key_at_risk").id,
                "search_view_id": env.ref("base.view_res_partner_filter").id,
                "domain": ["|", ("parent_id", "=", False), ("is_company", "=", True)],
                "context": {"search_default_churn_risk_high": 1, "search_default_value_key_at_risk": 1},
            },
            {
                "name": "Sales of three months by value class",
                "path": SALES,
                "res_model": "sale.report",
                "view_mode": "pivot,graph,list",
                "search_view_id": env.ref("sale.view_order_product_search").id,
                "context": {
                    "pivot_measures": ["price_subtotal", "__count"],
                    "pivot_column_groupby": ["date:month"],
                    "pivot_row_groupby": ["value_class"],
                },
                # The report joins every line: a year of them takes seconds, with or without our fields.
                "domain": [("state", "=", "sale"), ("date", ">=", "today -3m")],
            },
            {
                "name": "Value classes, moved since four month-ends ago",
                "path": MOVEMENT,
                "res_model": "crm.value.movement",
                "view_mode": "pivot,list,graph",
                "context": (
                    "{'movement_label': 'value_class', 'movement_from': "
                    "(context_today() + relativedelta(months=-3, day=1, days=-1)).strftime('%Y-%m-%d')}"
                ),
            },
        ]
    )
    by_path = {action.path: action for action in actions}
    env["ir.ui.menu"].create(
        [
            {
                "name": name,
                "parent_id": env.ref(f"crm_value_addon.{section}").id,
                "action": f"ir.actions.act_window,{by_path[path].id}",
                "sequence": 200,
            }
            for path, section, name in MENUS
        ]
    )
