"""Customers and products of the second company, made through the ORM as the simulation has them."""

from collections import defaultdict

from odoo import Command
from odoo.tools import SQL

#: By the salesperson of the simulation, in turn.
SELLERS = ("nora", "otto", "pia", "wim", "alex", "mia")
FORMATS = {
    "chain": "Chain",
    "catering": "Catering",
    "grocery": "Grocery",
    "wholesale": "Wholesale",
    "other": "Offices and institutions",
}


def _by(rows, column):
    """Numbers of the customers by the value of a column, those without one left out."""
    found = defaultdict(list)
    for row in rows:
        if row[column] not in ("", "False"):
            found[row[column]].append(int(row["customer"]))
    return found


def make_customers(env, rows, company, users, buyers):
    """Customers and prospects by number. `rows` are those of wholesale_customers.csv, `buyers` the customers of the
    first company: a few are customers of both.
    """
    tags = {code: env["res.partner.category"].create({"name": name}) for code, name in FORMATS.items()}
    for code, tag in tags.items():
        env["crm.value.format"].search([("code", "=", code)]).category_ids = [Command.link(tag.id)]
    new = [row for row in rows if row["household"] == "0"]
    created = (
        env["res.partner"]
        .with_context(res_partner_search_mode="customer")
        .create([_values(env, row, company, users, tags) for row in new])
    )
    partners = dict(zip((int(row["customer"]) for row in new), created, strict=True))
    for row in rows:
        if row["household"] != "0":
            partner = buyers[int(row["household"])].commercial_partner_id
            partners[int(row["customer"])] = partner
            partner.category_id = [Command.link(tags[row["format"]].id)]
    for group, members in _by(rows, "group").items():
        head = int(group)
        branches = [each for each in members if each != head]
        if branches and head in partners:
            env["res.partner"].browse([partners[each].id for each in branches]).parent_id = partners[head]
    _standing(env, rows, partners, company)
    return partners


def _values(env, row, company, users, tags):
    number = int(row["customer"])
    return {
        "name": row["name"],
        "ref": row["ref"],
        "is_company": True,
        "company_id": company.id,
        "user_id": users[SELLERS[int(row["salesperson"]) % len(SELLERS)]].id,
        "category_id": [Command.set([tags[row["format"]].id])],
        "country_id": env.ref("base.fr").id,
        "vat": f"FR00{number:09d}" if row["has_tax_id"] == "True" else False,
    }


def _standing(env, rows, partners, company):
    """What the company's books say of its customers today: credit limits, bad debtors, bills in dollars."""

    def of(numbers):
        return env["res.partner"].browse([partners[number].id for number in numbers]).with_company(company)

    company.account_use_credit_limit = True
    for days, numbers in _by(rows, "terms").items():
        term = {
            "name": f"{days} days",
            "company_id": company.id,
            "line_ids": [
                Command.create({"value": "percent", "value_amount": 100, "nb_days": int(days)}),
            ],
        }
        of(numbers).property_payment_term_id = env["account.payment.term"].create(term)
    for limit, numbers in _by(rows, "credit_limit").items():
        of(numbers).credit_limit = float(limit)
    of(_by(rows, "blocked")["True"]).trust = "bad"
    dollars = env["product.pricelist"].search(
        [("company_id", "=", company.id), ("currency_id.name", "=", "USD")]
    )
    of(_by(rows, "in_dollars")["True"]).specific_property_product_pricelist = dollars


def archive(env, rows, partners):
    """Archives those whom the company's books have no more; after their orders were made."""
    gone = [partners[number].id for number in _by(rows, "archived")["True"]]
    env["res.partner"].browse(gone).active = False


def make_products(env, rows, company):
    """Products by number, with what they cost today."""
    top = env.ref("product.product_category_goods", raise_if_not_found=False)
    names = dict.fromkeys(row["product_category"] for row in rows)
    categories = env["product.category"].create(
        [{"name": name, "parent_id": top and top.id} for name in names]
    )
    by_name = dict(zip(names, categories, strict=True))
    products = (
        env["product.product"]
        .with_company(company)
        .create(
            [
                {
                    "name": row["name"],
                    "default_code": f"W{int(row['product']):05d}",
                    "list_price": float(row["list_price"]),
                    "standard_price": float(row["cost"]),
                    "categ_id": by_name[row["product_category"]].id,
                    "type": "consu",
                    "company_id": company.id,
                    "invoice_policy": "delivery",
                }
                for row in rows
            ]
        )
    )
    return dict(zip((int(row["product"]) for row in rows), products, strict=True))


def backdate_products(env, rows, products, weeks):
    """A product exists since it was introduced."""
    env.flush_all()
    ids = [products[int(row["product"])].id for row in rows]
    for table, key in (("product_product", "id"), ("product_template", "product_tmpl_id")):
        env.cr.execute(
            SQL(
                """
                UPDATE %s t SET create_date = given.introduced::timestamp + %s * interval '7 days'
                FROM unnest(%s, %s) AS given(id, introduced) JOIN product_product p ON p.id = given.id
                WHERE t.id = p.%s
                """,
                SQL.identifier(table),
                weeks,
                ids,
                [row["introduced"] for row in rows],
                SQL.identifier(key),
            )
        )
    env.invalidate_all()
