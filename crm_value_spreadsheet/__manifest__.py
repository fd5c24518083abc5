{
    "name": "Customer Value: Spreadsheet Dashboard",
    "summary": "Customers by segment, class, risk and business format among Odoo's dashboards",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "author": "Customer Value for Odoo contributors",
    "license": "LGPL-3",
    "depends": ["crm_value_addon", "spreadsheet_dashboard"],
    "data": ["data/dashboards.xml"],
    "auto_install": True,
}
