"""Fills a fresh Odoo database with our addon installed; run in `odoo shell` by script/demo."""

import time
from pathlib import Path

from demo import orders, people, pipeline, policy, signposts, worker_user


def fill(env, folder):
    """Makes everything. `folder` holds the CSV files of `prepare.py`."""
    folder = Path(folder)
    started = time.monotonic()

    def say(text):
        print(f"  [{time.monotonic() - started:5.1f} s] {text}", flush=True)

    env = env(context={**env.context, **people.QUIET, "tz": people.ZONES[people.HOME]})
    customer_rows = orders.read_csv(folder / "customers.csv")
    say("companies and users")
    companies = people.make_companies(env)
    users = people.make_users(env, companies)
    ids = [company.id for company in companies.values()]
    env.user.write({"company_ids": [(4, company_id) for company_id in ids]})
    env = env(context={**env.context, "allowed_company_ids": ids})
    worker_user.make(env, env["res.company"].browse(ids))
    policy.make(env, env["res.company"].browse(ids))
    signposts.make(env)
    say(f"{len(customer_rows)} customers")
    buyers = people.make_customers(env, customer_rows, companies, users)
    say("products")
    products = people.make_products(env, orders.read_csv(folder / "products.csv"))
    counts = orders.load(env, folder, companies=companies, buyers=buyers, products=products, say=say)
    people.backdate_customers(env)
    say("prospects, quotations and leads")
    known = [(buyers[int(row["customer"])], people.home_of(row)) for row in customer_rows]
    pipeline.make(env, companies, users, products, known)
    env.cr.commit()
    env.cr.execute("ANALYZE")
    env.cr.commit()
    say(f"{counts[0]:,} orders with {counts[1]:,} lines")
