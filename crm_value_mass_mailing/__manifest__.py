{
    "name": "Customer Value: Mailing Lists",
    "summary": "Puts customers chosen in a list on a mailing list",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "author": "Customer Value for Odoo contributors",
    "license": "LGPL-3",
    "depends": ["crm_value_addon", "mass_mailing"],
    "data": ["views/res_partner_views.xml"],
    "auto_install": True,
}
