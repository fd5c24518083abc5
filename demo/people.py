"""Companies, users, customers and products of the demonstration, made through the ORM."""

from datetime import timedelta

from odoo import Command, fields

PASSWORD = "demo"
HOME, WHOLESALE = 1, 2  # as `company` in the CSV files
# Neither mails nor log notes: nobody reads the history of a demonstration.
QUIET = {
    "tracking_disable": True,
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "mail_notrack": True,
    "no_reset_password": True,
}
# Login -> name, group, companies.
USERS = {
    "sam": ("Sam Seller", "sales_team.group_sale_salesman", [HOME]),
    "alex": ("Alex Allround", "sales_team.group_sale_salesman_all_leads", [HOME, WHOLESALE]),
    "mia": ("Mia Manager", "sales_team.group_sale_manager", [HOME, WHOLESALE]),
    "nora": ("Nora North", "sales_team.group_sale_manager", [WHOLESALE]),
    "otto": ("Otto East", "sales_team.group_sale_salesman_all_leads", [WHOLESALE]),
    "pia": ("Pia South", "sales_team.group_sale_salesman", [WHOLESALE]),
    "wim": ("Wim West", "sales_team.group_sale_salesman", [WHOLESALE]),
}
ZONES = {HOME: "America/New_York", WHOLESALE: "Europe/Paris"}
# Dollars for a euro, month by month of the years the orders are from.
DOLLARS = [
    *(1.11, 1.10, 1.10, 1.11, 1.12, 1.12, 1.12, 1.07, 1.09, 1.09, 1.09, 1.11, 1.13, 1.13, 1.12, 1.11, 1.12),
    *(1.12, 1.10, 1.08, 1.06, 1.06, 1.07, 1.07, 1.11, 1.12, 1.15, 1.18, 1.19, 1.18, 1.17, 1.18, 1.20),
]


def make_companies(env):
    """Answers {1: the company that was there, 2: a second one in euros}, with currency rates for all the time."""
    home = env.company
    home.write({"name": "Corner Market"})
    home.partner_id.tz = ZONES[HOME]
    euro, dollar = (
        env["res.currency"].with_context(active_test=False).search([("name", "=", name)])
        for name in ("EUR", "USD")
    )
    (euro | dollar).active = True
    home.currency_id = dollar
    # install_mode: not the whole French accounting, which Odoo else installs for a French company.
    wholesale = (
        env["res.company"]
        .with_context(install_mode=True)
        .create({"name": "Harbour Wholesale", "currency_id": euro.id, "country_id": env.ref("base.fr").id})
    )
    wholesale.partner_id.tz = ZONES[WHOLESALE]
    env["account.chart.template"].try_loading("generic_coa", company=wholesale, install_demo=False)
    wholesale.currency_id = euro
    _make_books(env, wholesale)
    today = fields.Date.today()
    env["res.currency.rate"].create(
        [
            {
                "company_id": wholesale.id,
                "currency_id": dollar.id,
                "rate": rate,
                "name": today - timedelta(days=30 * months),
            }
            for months, rate in enumerate(reversed(DOLLARS))
        ]
    )
    companies = {HOME: home, WHOLESALE: wholesale}
    # Pricelists, so that a few customers of the euro company are billed in dollars.
    env.ref("base.group_user")._apply_group(env.ref("product.group_product_pricelist"))
    env["product.pricelist"].with_context(active_test=False).search([]).active = False
    for number, company in companies.items():
        env["product.pricelist"].create(
            {
                "name": f"Shelf prices {company.currency_id.name}",
                "company_id": company.id,
                "currency_id": company.currency_id.id,
            }
        )
        if number == WHOLESALE:
            env["product.pricelist"].create(
                {
                    "name": "Shelf prices USD",
                    "company_id": company.id,
                    "currency_id": dollar.id,
                    "sequence": 99,
                }
            )
    return companies


def _make_books(env, company):
    """The general chart of accounts knows nothing of France: who is at home there, and what the tax is."""
    sales = [("company_id", "=", company.id)]
    domestic = env["account.fiscal.position"].search([*sales, ("country_id", "!=", False)])
    domestic.country_id = company.country_id
    taxes = env["account.tax"].search([*sales, ("amount", ">", 0)])
    taxes.write({"name": "20%", "amount": 20, "invoice_label": "20%", "description": False})
    taxes.tax_group_id.name = "Tax 20%"
    # install_mode: nor has such a company a warehouse
    env["stock.warehouse"].create({"name": company.name, "code": "HW", "company_id": company.id})


def _groups(group, companies):
    """Who sees all documents of the wholesaler may read its books too: Odoo shows no form of an invoice to others."""
    if WHOLESALE in companies and group != "sales_team.group_sale_salesman":
        return [group, "account.group_account_readonly"]
    return [group]


def make_users(env, companies):
    """Answers {login: user} of the people who sell."""
    users = {}
    for login, (name, group, allowed) in USERS.items():
        users[login] = env["res.users"].create(
            {
                "name": name,
                "login": login,
                "email": f"{login}@example.com",
                "password": PASSWORD,
                "tz": ZONES[allowed[0]],
                "company_id": companies[allowed[0]].id,
                "company_ids": [Command.set([companies[number].id for number in allowed])],
                "group_ids": [Command.set([env.ref(each).id for each in _groups(group, allowed)])],
            }
        )
    # Whoever signs in as administrator sees both companies as well.
    env.ref("base.user_admin").write(
        {"company_ids": [Command.set([company.id for company in companies.values()])], "tz": ZONES[HOME]}
    )
    env["crm.team"].create(
        [
            {"name": "Business customers", "sequence": 20, "member_ids": [Command.set([users["alex"].id])]},
            # Of no company: Mia also sells at home, and Odoo would give those orders a foreign team.
            {
                "name": "Wholesale",
                "sequence": 30,
                "member_ids": [
                    Command.set([users[login].id for login in ("mia", "nora", "otto", "pia", "wim")])
                ],
            },
        ]
    )
    return users


def make_customers(env, rows, users):
    """Customers of the first company by number: {number: the partner who orders}. `rows` are those of
    customers.csv.
    """
    industries = env["res.partner.industry"].search([], order="id")
    households = env.ref("base.res_partner_industry_T", raise_if_not_found=False)
    vals_list = []
    for row in rows:
        number = int(row["customer"])
        business = row["kind"] != "household"
        industry = industries[int(row["industry"]) % len(industries)] if business else households
        vals_list.append(
            {
                "name": f"{'Company' if business else 'Household'} {number:04d}",
                "ref": f"CJ{number:04d}",
                "is_company": business,
                "user_id": users[row["seller"]].id,
                "industry_id": industry.id if industry else False,
                "country_id": env.ref("base.us").id,
            }
        )
    # As the Customers menu does it: the ORM then ranks them as customers.
    partners = env["res.partner"].with_context(res_partner_search_mode="customer").create(vals_list)
    buyers = dict(zip((int(row["customer"]) for row in rows), partners, strict=True))
    with_contact = [int(row["customer"]) for row in rows if row["kind"] == "contact"]
    contacts = env["res.partner"].create(
        [
            {"name": f"Purchasing {number:04d}", "parent_id": buyers[number].id, "type": "contact"}
            for number in with_contact
        ]
    )
    buyers.update(zip(with_contact, contacts, strict=True))
    return buyers


def make_products(env, rows, company):
    """Products of the first company by number, in categories of two levels. Food bears no tax, the rest the
    default tax.
    """
    categories = {}

    def category(name, parent):
        key = (name, parent and parent.id)
        if key not in categories:
            categories[key] = env["product.category"].create(
                {"name": name, "parent_id": parent and parent.id}
            )
        return categories[key]

    top = env.ref("product.product_category_goods", raise_if_not_found=False) or env["product.category"]
    vals_list = []
    for row in rows:
        vals = {
            "name": row["name"],
            "default_code": f"P{int(row['product']):04d}",
            "list_price": float(row["list_price"]),
            "categ_id": category(row["product_category"], category(row["department"], top)).id,
            "type": "consu",
            "company_id": company.id,
            # Paid at the till: an order of the past is not still to be invoiced.
            "invoice_policy": "delivery",
        }
        if row["taxed"] != "True":
            vals["taxes_id"] = [Command.clear()]
        vals_list.append(vals)
    products = env["product.product"].create(vals_list)
    return dict(zip((int(row["product"]) for row in rows), products, strict=True))


def backdate_customers(env):
    """A customer exists since the first order at the latest."""
    env.flush_all()
    env.cr.execute(
        """
        UPDATE res_partner p SET create_date = least(p.create_date, first.date)
        FROM (SELECT commercial_partner_id AS id, min(date_order) AS date
              FROM sale_order o JOIN res_partner c ON c.id = o.partner_id
              WHERE o.state = 'sale' GROUP BY 1) first
        WHERE p.commercial_partner_id = first.id
        """
    )
    env.invalidate_all()
