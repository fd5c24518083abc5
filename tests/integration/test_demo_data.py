"""The demonstration's bulk copy writes what the ORM would have written, with dates that reach the present.

Builds a small demonstration of its own (three minutes); `CV_DEMO_STATE` names the folder of a built one.
"""

import csv
import json
import os
import stat
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOUSEHOLDS = 150
SHOP = ZoneInfo("America/New_York")
pytestmark = pytest.mark.timeout(900)  # building it, beside other work


def run(*command, stdin=None):
    done = subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (
        f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    )
    return done.stdout


@pytest.fixture(scope="module")
def data():
    folder = Path(os.environ.get("CV_DATA", "/nonexistent")) / "completejourney"
    if not folder.is_dir():
        pytest.skip(
            "no Complete Journey data: run through script/test, or script/bootstrap --data and set CV_DATA"
        )
    return folder


@pytest.fixture(scope="module")
def purchases(data, tmp_path_factory):
    """CSV files of the demonstration in its default size."""
    out = tmp_path_factory.mktemp("purchases")
    run(sys.executable, "-m", "demo.prepare", data, out)
    return out


@pytest.fixture(scope="module")
def state(data):
    """State folder of a built demonstration whose PostgreSQL runs."""
    given = os.environ.get("CV_DEMO_STATE")
    if given:
        yield Path(given)
        return
    # Named as one of tests: script/server gives up its crash safety for speed.
    folder = Path(os.environ.get("CV_STATE", ROOT / ".state" / "test-integration")) / "test-demo"
    command = [ROOT / "script" / "demo", "--state", folder]
    try:
        run(*command, "--reset", "--build-only", "--households", str(HOUSEHOLDS))
        yield folder
    finally:
        run(*command, "--stop")


def query(state, text):
    out = run(
        ROOT / "script" / "server",
        "psql",
        "--state",
        state,
        "--db",
        "demo",
        "-X",
        "-q",
        "-At",
        "-F",
        "\t",
        "-c",
        text,
    )
    return [line.split("\t") for line in out.splitlines()]


def shell(state, statement):
    code = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{statement}\n"
    return run(
        ROOT / "script" / "server",
        "shell",
        "--state",
        state,
        "--db",
        "demo",
        "--",
        "--log-level=warn",
        stdin=code,
    )


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_default_size_is_a_real_year(purchases):
    orders = rows(purchases / "orders.csv")
    assert len({row["customer"] for row in orders}) >= 800
    assert len(orders) >= 40_000
    assert sum(1 for _ in (purchases / "lines.csv").open(encoding="utf-8")) - 1 >= 200_000
    dates = sorted(row["transaction_timestamp"][:10] for row in orders)
    assert dates[0] <= "2017-01-03"
    assert dates[-1] >= "2017-12-31"


def test_bulk_copy_equals_the_orm(state):
    out = shell(state, "from demo import verify\nverify.verify(env, 200)")
    report = json.loads(
        next(line for line in out.splitlines() if line.startswith("VERIFIED "))[len("VERIFIED ") :]
    )
    assert report["orders"] == 200
    assert report["lines"] > 1000
    assert report["columns"] > 60
    assert report["differences"] == []
    assert report["recomputed_fields"] > 30
    assert report["recomputed_differences"] == []
    assert min(report["copied"].values()) == 200


def test_orders_of_every_kind_are_in_the_sample(state):
    kinds = query(
        state,
        """
        select distinct o.company_id, c.name, o.fiscal_position_id is not null
        from sale_order o join res_currency c on c.id = o.currency_id where o.state = 'sale'
        """,
    )
    assert {(company, currency) for company, currency, _position in kinds} == {
        ("1", "USD"),
        ("2", "EUR"),
        ("2", "USD"),
    }
    assert query(state, "select count(*) > 0 from sale_order where currency_rate <> 1") == [["t"]]
    assert query(
        state,
        """
        select count(*) > 0 from sale_order o join res_partner p on p.id = o.partner_id
        where p.parent_id is not null
        """,
    ) == [["t"]]


def test_the_wholesaler_is_the_simulated_one(state, purchases):
    """What Odoo has of the second company is what the files say, moved by whole weeks."""
    files = {name: rows(purchases / f"wholesale_{name}.csv") for name in ("messages", "leads", "ratings")}
    orders = [row for row in rows(purchases / "orders.csv") if row["company"] == "2"]
    last = max(datetime.fromisoformat(row["transaction_timestamp"]) for row in orders)
    ((copied, newest),) = query(
        state, "select count(*), max(date_order) from sale_order where company_id = 2 and state = 'sale'"
    )
    assert int(copied) == len(orders)
    weeks = (datetime.fromisoformat(newest).date() - last.date()).days
    assert weeks % 7 == 0
    assert query(
        state, "select won_status, count(*) from crm_lead where company_id = 2 group by 1 order by 1"
    ) == [
        [outcome, str(count)]
        for outcome, count in sorted(Counter(row["outcome"] for row in files["leads"]).items())
    ]
    ours = Counter(row["direction"] for row in files["messages"])
    sent = query(
        state,
        """
        select case when u.id is null then 'in' else 'out' end, count(*)
        from mail_message m left join res_users u on u.partner_id = m.author_id
        where m.message_id like '<demo-%' group by 1 order by 1
        """,
    )
    assert sent == [[direction, str(count)] for direction, count in sorted(ours.items())]
    given = Counter(int(float(row["rating"])) for row in files["ratings"])
    assert query(state, "select rating::int, count(*) from rating_rating group by 1 order by 1") == [
        [str(value), str(count)] for value, count in sorted(given.items())
    ]
    # of the order it is about: none before, none another customer's
    assert query(
        state,
        """
        select count(*) from rating_rating r join sale_order o on o.id = r.res_id
        where o.partner_id <> r.partner_id or o.date_order::date > r.rated_on::date
        """,
    ) == [["0"]]


def test_documents_are_those_simulated(state, purchases):
    """A delivery for each order, an invoice for each delivery, payments for what was paid, points for members."""
    documents = rows(purchases / "wholesale_documents.csv")
    missing = {row["basket"] for row in rows(purchases / "wholesale_missing.csv")}
    done = [row for row in documents if row["done"]]
    late = [row for row in done if row["promised"] and row["done"][:10] > row["promised"][:10]]
    assert query(
        state,
        """
        select count(*), count(*) filter (where state = 'done'), count(distinct name),
               count(*) filter (where (date_done at time zone 'UTC' at time zone 'Europe/Paris')::date
                   > (date_deadline at time zone 'UTC' at time zone 'Europe/Paris')::date and return_id is null)
        from stock_picking
        """,
    ) == [[str(len(each)) for each in (documents, done, documents, late)]]
    assert query(
        state,
        """
        select count(distinct picking_id) from stock_move
        where picking_id in (select id from stock_picking where state = 'done') and quantity < product_uom_qty
        """,
    ) == [[str(len(missing))]]
    returned = sum(row["origin"] != "0" for row in documents)
    kinds = "select count(*) from account_move where state = 'posted' and move_type = "
    assert query(state, kinds + "'out_invoice'") == [[str(len(done) - returned)]]
    assert query(state, kinds + "'out_refund' and reversed_entry_id is not null") == [[str(returned)]]
    payments = str(len(rows(purchases / "wholesale_payments.csv")))
    for table in ("account_payment", "account_partial_reconcile"):
        assert query(state, f"select count(*) from {table}") == [[payments]]
    points = rows(purchases / "wholesale_points.csv")
    assert query(state, "select count(*) from loyalty_history") == [[str(len(points))]]


def test_documents_add_up(state):
    """Nothing is left over: books, deliveries, what is paid, and what a card holds."""
    nothing = {
        "entries balance": """select 1 from account_move_line group by move_id
            having sum(balance) <> 0 or sum(debit) - sum(credit) <> 0""",
        "an invoice is what its lines are": """select 1 from account_move m join account_move_line l on l.move_id = m.id
            where m.move_type like 'out_%' group by m.id
            having sum(l.amount_currency) filter (where display_type = 'payment_term')
                <> m.amount_total_in_currency_signed""",
        "what was paid is not due": """select 1 from account_move m
            left join (select invoice_id, sum(amount) as paid from account_move__account_payment r
                       join account_payment p on p.id = r.payment_id group by 1) given on given.invoice_id = m.id
            where m.move_type like 'out_%' and amount_residual <> amount_total - coalesce(paid, 0)""",
        "delivered is what was sold": """select 1 from sale_order_line l join stock_move m on m.sale_line_id = l.id
            where abs(l.qty_delivered) <> case when m.state = 'done' then m.quantity else 0 end""",
        "a return of the same customer's": """select 1 from stock_picking p join stock_picking o on o.id = p.return_id
            where o.partner_id <> p.partner_id or o.date_done > p.date_done""",
        "a card holds its history": """select 1 from loyalty_card c join loyalty_history h on h.card_id = c.id
            group by c.id having sum(issued - used) <> points or points < 0""",
    }
    for what, text in nothing.items():
        assert query(state, f"select count(*) from ({text}) wrong") == [["0"]], what
    ((overdue, partial),) = query(
        state,
        """
        select count(*) filter (where invoice_date_due < now()), count(*) filter (where payment_state = 'partial')
        from account_move where move_type = 'out_invoice' and amount_residual > 0
        """,
    )
    assert int(overdue) > 100
    assert int(partial) > 10
    assert query(
        state,
        """
        select count(*) from (select date_done from stock_picking union all select create_date from account_move) t
        where date_done > now() at time zone 'UTC' + interval '1 day'
        """,
    ) == [["0"]]


def test_books_go_on_after_the_copied_invoices(state):
    """The next order is delivered, invoiced and paid like any other."""
    ((last,),) = query(state, "select max(name) from account_move where name like 'INV/%'")
    out = shell(
        state,
        "old = env['sale.order'].search([('company_id.name', '=', 'Harbour Wholesale'), ('state', '=', 'sale')],"
        " limit=1)\n"
        "order = old.with_company(old.company_id).with_context(allowed_company_ids=old.company_id.ids).copy()\n"
        "order.action_confirm()\n"
        "order.picking_ids.button_validate()\n"
        "invoice = order._create_invoices()\n"
        "invoice.action_post()\n"
        "register = env['account.payment.register'].with_context(active_model='account.move', active_ids=invoice.ids)\n"
        "register.create({})._create_payments()\n"
        "print('NEXT', invoice.name, order.delivery_status, invoice.payment_state)\nenv.cr.rollback()",
    )
    following = next(line for line in out.splitlines() if line.startswith("NEXT")).split()
    assert following[1:] == [f"INV/{int(last.split('/')[1]) + 1:06d}", "full", "paid"]


def test_the_truth_is_kept_beside_it(state):
    truth = rows(state / "truth.csv")
    known = {ref for (ref,) in query(state, "select ref from res_partner where ref is not null")}
    assert {row["ref"] for row in truth} <= known
    assert len(truth) > 400


def last_order(state):
    ((last,),) = query(state, "select max(date_order) from sale_order where state = 'sale'")
    return datetime.fromisoformat(last)


def is_of_the_past_week(moment):
    """Two hours are to spare, a clock change takes one, and making the demonstration takes minutes."""
    age = datetime.now(UTC).replace(tzinfo=None) - moment
    return timedelta(0) <= age <= timedelta(days=7, hours=4)


def test_last_order_is_of_the_past_week(state):
    assert is_of_the_past_week(last_order(state))


def test_weekdays_and_hours_are_those_of_the_source(state, data, tmp_path):
    ((households,),) = query(state, "select count(*) from res_partner where ref like 'CJ%'")
    run(sys.executable, "-m", "demo.prepare", data, tmp_path, "--households", households)
    source = Counter()
    for row in rows(tmp_path / "orders.csv"):
        local = datetime.fromisoformat(row["transaction_timestamp"]).replace(tzinfo=UTC).astimezone(SHOP)
        source[(row["company"], local.isoweekday(), local.hour)] += 1
    copied = query(
        state,
        """
        select company_id, extract(isodow from local), extract(hour from local), count(*)
        from (select o.company_id, date_order at time zone 'UTC' at time zone p.tz as local
              from sale_order o
              join res_company c on c.id = o.company_id join res_partner p on p.id = c.partner_id
              where o.state = 'sale') orders
        group by 1, 2, 3
        """,
    )
    found = Counter({(company, int(day), int(hour)): int(count) for company, day, hour, count in copied})
    # The hour that is skipped or doubled on the two nights of the clock change may move a handful.
    assert sum((source - found).values()) <= 5
    assert found.total() == source.total()


def test_sequence_goes_on_after_the_copied_orders(state):
    ((orders, names, last),) = query(
        state, "select count(*), count(distinct name), max(substr(name, 2)::int) from sale_order"
    )
    assert orders == names
    out = shell(
        state,
        "order = env['sale.order'].create({'partner_id': env.user.partner_id.id})\n"
        "print('NEXT', order.name)\nenv.cr.rollback()",
    )
    following = next(line for line in out.splitlines() if line.startswith("NEXT"))
    assert int(following.split("S")[-1]) > int(last)


def test_worker_account_has_nothing_but_its_group(state, tmp_path):
    key = tmp_path / "key"
    out = shell(
        state,
        f"from demo import worker_user\nworker_user.write_key(env, {str(key)!r})\n"
        "bot = env['res.users'].search([('login', '=', 'sync-worker')])\n"
        "print('SEES', bot.has_group('sales_team.group_sale_salesman'), bot.has_group('base.group_system'),"
        " env['sale.order'].with_user(bot).has_access('read'))",
    )
    assert "SEES False False False" in out
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_text().strip()) >= 40


def test_an_old_demonstration_moves_to_the_present(state):
    """Everything by the same whole weeks: three, or one more or less where the hour of the week wants it."""
    orders = "select id, date_order, validity_date from sale_order order by id limit 500"
    contacts = {
        ("mail_message", "date"): "message_id like '<demo-%'",
        ("rating_rating", "rated_on"): "true",
        ("mail_activity", "date_done"): "not active",
        ("product_product", "create_date"): "default_code like 'W%'",
        ("res_currency_rate", "name"): "company_id is not null",
        ("stock_picking", "date_done"): "true",
        ("stock_move", "date"): "true",
        ("account_move", "invoice_date_due"): "true",
        ("account_move_line", "date"): "true",
        ("account_payment", "date"): "true",
        ("account_partial_reconcile", "max_date"): "true",
        ("loyalty_history", "create_date"): "true",
    }

    def moments():
        """Of each order, when it was placed and until when it was offered; of all else the newest."""
        newest = [
            query(state, f"select '{table}', max({column}), null from {table} where {which}")
            for (table, column), which in contacts.items()
        ]
        rows = query(state, orders) + [row for (row,) in newest]
        return [datetime.fromisoformat(text) for row in rows for text in row[1:] if text]

    last, before = last_order(state), moments()
    aged = "date_order = date_order - interval '21 days', validity_date = validity_date - 21"
    query(state, f"update sale_order set {aged}")
    for (table, column), which in contacts.items():
        query(state, f"update {table} set {column} = {column} - interval '21 days' where {which}")
    shell(state, "from demo import redate\nredate.move(env)")
    assert is_of_the_past_week(last_order(state))
    weeks = round((last_order(state) - last) / timedelta(weeks=1))
    assert weeks in {-1, 0, 1}
    hour = timedelta(hours=1)  # of a clock change between then and now
    assert [
        (old, new)
        for old, new in zip(before, moments(), strict=True)
        if abs(new - old - weeks * timedelta(weeks=1)) > hour
    ] == []
