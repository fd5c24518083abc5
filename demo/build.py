"""Fills a fresh Odoo database with our addon installed; run in `odoo shell` by script/demo."""

import time
from pathlib import Path

from demo import (
    document_patterns,
    documents,
    orders,
    people,
    pipeline,
    policy,
    signposts,
    wholesale_contacts,
    wholesale_people,
    worker_user,
)


def fill(env, folder):
    """Makes everything. `folder` holds the CSV files of `prepare.py`."""
    folder = Path(folder)
    started = time.monotonic()

    def say(text):
        print(f"  [{time.monotonic() - started:5.1f} s] {text}", flush=True)

    env = env(context={**env.context, **people.QUIET, "tz": people.ZONES[people.HOME]})
    customer_rows = orders.read_csv(folder / "customers.csv")
    wholesale_rows = orders.read_csv(folder / "wholesale_customers.csv")
    say("companies and users")
    companies = people.make_companies(env)
    home, wholesale = companies[people.HOME], companies[people.WHOLESALE]
    users = people.make_users(env, companies)
    ids = [company.id for company in companies.values()]
    env.user.write({"company_ids": [(4, company_id) for company_id in ids]})
    env = env(context={**env.context, "allowed_company_ids": ids})
    worker_user.make(env, env["res.company"].browse(ids))
    policy.make(env, home | wholesale)
    signposts.make(env)
    say(f"{len(customer_rows)} and {len(wholesale_rows)} customers")
    buyers = people.make_customers(env, customer_rows, users)
    partners = wholesale_people.make_customers(env, wholesale_rows, wholesale, users, buyers)
    say("products")
    product_rows = orders.read_csv(folder / "wholesale_products.csv")
    products = {
        people.HOME: people.make_products(env, orders.read_csv(folder / "products.csv"), home),
        people.WHOLESALE: wholesale_people.make_products(env, product_rows, wholesale),
    }
    say("learning what the ORM writes into deliveries and invoices")
    some = next(partner for partner in partners.values() if partner.country_id == wholesale.country_id)
    patterns = document_patterns.learn(env, wholesale, some, next(iter(products[people.WHOLESALE].values())))
    loaded = orders.load(
        env, folder, companies=companies, buyers=buyers | partners, products=products, say=say
    )
    people.backdate_customers(env)
    say("prospects, quotations and leads")
    pipeline.make(env, companies, users, products[people.HOME], list(buyers.values()))
    made = (env, folder, wholesale, partners)
    wholesale_people.backdate_products(env, product_rows, products[people.WHOLESALE], loaded.weeks)
    wholesale_contacts.make_leads(*made, loaded.weeks)
    wholesale_contacts.make_quotations(*made, products[people.WHOLESALE], loaded.weeks)
    say("messages, activities and ratings")
    wholesale_contacts.make_messages(*made, loaded.weeks)
    wholesale_contacts.make_activities(env, folder, partners, loaded.weeks)
    wholesale_contacts.make_ratings(env, folder, partners, loaded.weeks, loaded.base)
    documents.make(env, folder, wholesale, partners, loaded, patterns, say)
    wholesale_people.archive(env, wholesale_rows, partners)
    env.cr.commit()
    env.cr.execute("ANALYZE")
    env.cr.commit()
    say(f"{loaded.orders:,} orders with {loaded.lines:,} lines")
