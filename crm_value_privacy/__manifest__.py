{
    "name": "Customer Value: Privacy",
    "summary": "Lets Odoo's privacy lookup find and erase what is kept of a customer's value",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "author": "Customer Value for Odoo contributors",
    "license": "LGPL-3",
    "depends": ["crm_value_addon", "privacy_lookup"],
    "auto_install": True,
}
