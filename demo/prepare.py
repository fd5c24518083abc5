"""Turns the Complete Journey data set, and a simulated wholesaler, into the CSV files that go into Odoo.

Run with the worker's Python (it has pandas), in the project's folder: `python -m demo.prepare DATA OUT`
The households are a seeded random sample of all that ever bought: picking those with much history would hide
exactly the customers a churn score is about.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from demo import wholesale_document_files, wholesale_files
from simulator import simulate

SEED = 2017
FOOD = {
    "GROCERY", "PRODUCE", "NUTRITION", "MEAT", "MEAT-PCKGD", "DELI", "PASTRY", "SEAFOOD-PCKGD", "SEAFOOD",
    "RESTAURANT", "SALAD BAR", "CHEF SHOPPE", "FROZEN GROCERY",
}  # fmt: skip
PRODUCT_KEY = ["department", "product_category", "product_type", "brand"]


def read(folder: Path, households: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Purchase lines of the sampled households, and the products."""
    lines = pd.read_parquet(folder / "transactions.parquet")
    everyone = pd.Series(np.sort(lines["household_id"].unique()))
    chosen = everyone.sample(min(households, len(everyone)), random_state=SEED)
    lines = lines[lines["household_id"].isin(chosen)]
    return lines, pd.read_parquet(folder / "products.parquet")


def price(lines: pd.DataFrame) -> pd.DataFrame:
    """Quantity, shelf price and discount as a sales line knows them; lines that are no purchase are dropped.

    `sales_value` is what the shop received after its own loyalty discounts; a manufacturer's coupon is paid
    to the shop by the manufacturer and therefore is no discount of the shop. The source has no negative
    lines; returned or cancelled items appear with quantity and value 0 and say nothing but that.
    """
    given = lines["retail_disc"] + lines["coupon_match_disc"]
    shelf = lines["sales_value"] + given
    lines = lines.assign(shelf=shelf)[
        (shelf > 0.004) & ((lines["quantity"] > 0) | (lines["sales_value"] > 0))
    ]
    # Petrol is counted in thousandths of a gallon.
    petrol = lines["quantity"] > 1000
    quantity = np.where(petrol, (lines["quantity"] / 1000).round(2), lines["quantity"].clip(lower=1))
    unit = (lines["shelf"] / quantity).round(2).clip(lower=0.01)
    discount = (100 * (1 - lines["sales_value"] / (unit * quantity))).round(2).clip(lower=0)
    # Rounding of the unit price alone is no discount.
    discount = discount.where(lines["shelf"] - lines["sales_value"] > 0.004, 0.0)
    return lines.assign(quantity=quantity, price_unit=unit, discount=discount)


def tidy(text: str) -> str:
    """`FRZN MEAT/MEAT DINNERS` as people write it."""
    return " ".join(word.capitalize() for word in str(text).replace("/", " / ").split())


def name_products(lines: pd.DataFrame, products: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lines with `product` (number of a product) and the products sold, one for each type and brand.

    The source names no articles: 92,000 of them differ by package size only.
    """
    articles = products[["product_id", *PRODUCT_KEY]].copy()
    articles["department"] = articles["department"].fillna("MISCELLANEOUS")
    articles["product_category"] = articles["product_category"].fillna("VARIOUS")
    articles["product_type"] = articles["product_type"].fillna("VARIOUS ITEMS")
    lines = lines.merge(articles, on="product_id", how="left")
    lines = lines.fillna(
        dict(zip(PRODUCT_KEY, ["MISCELLANEOUS", "VARIOUS", "VARIOUS ITEMS", "National"], strict=True))
    )
    sold = lines.groupby(PRODUCT_KEY, as_index=False).agg(list_price=("price_unit", "median"))
    sold["list_price"] = sold["list_price"].round(2)
    sold["product"] = np.arange(1, len(sold) + 1)
    lines = lines.merge(sold[[*PRODUCT_KEY, "product"]], on=PRODUCT_KEY)
    sold["name"] = sold["product_type"].map(tidy) + np.where(sold["brand"] == "Private", " (own brand)", "")
    sold["taxed"] = ~sold["department"].isin(FOOD)
    for column in ("department", "product_category"):
        sold[column] = sold[column].map(tidy)
    return lines, sold[["product", "department", "product_category", "name", "list_price", "taxed"]]


def number_households(lines: pd.DataFrame) -> pd.DataFrame:
    """Customers of the first company in random order, with kind of customer and salesperson drawn by the seed.

    `kind`: a private household, or a company (some of which order through a contact person).
    """
    rng = np.random.default_rng(SEED)
    ids = rng.permutation(np.sort(lines["household_id"].unique()))
    size = len(ids)
    return pd.DataFrame(
        {
            "customer": np.arange(1, size + 1),
            "household_id": ids,
            "kind": rng.choice(["household", "company", "contact"], size, p=[0.85, 0.09, 0.06]),
            "company": 1,
            "seller": rng.choice(["sam", "alex", "mia"], size, p=[0.4, 0.4, 0.2]),
            "industry": rng.integers(0, 1000, size),
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--households", type=int, default=1000)
    args = parser.parse_args()

    lines, products = read(args.data, args.households)
    lines, sold = name_products(price(lines), products)
    customers = number_households(lines)
    lines = lines.merge(customers[["household_id", "customer", "company"]], on="household_id")
    lines = lines.sort_values(["transaction_timestamp", "basket_id", "product_id"], kind="stable")
    lines["basket"] = pd.factorize(lines["basket_id"])[0] + 1
    orders = lines.drop_duplicates("basket")[["basket", "customer", "company", "transaction_timestamp"]]
    items = lines[["basket", "product", "quantity", "price_unit", "discount"]].assign(cost=0.0)

    args.out.mkdir(parents=True, exist_ok=True)
    customers[["customer", "kind", "seller", "industry"]].to_csv(args.out / "customers.csv", index=False)
    sold.to_csv(args.out / "products.csv", index=False)
    simulation = simulate(wholesale_files.WORLD)
    wholesale = wholesale_files.write(args.out, customers, simulation)
    wholesale_document_files.write(args.out, simulation)
    orders = pd.concat([orders, wholesale["orders"]])
    items = pd.concat([items, wholesale["lines"]])
    orders.to_csv(args.out / "orders.csv", index=False)
    items.to_csv(args.out / "lines.csv", index=False)
    print(
        f"{len(customers)} customers, {len(sold)} products, {len(orders)} orders, {len(items)} lines",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
