"""Company-level results of a run as a worker sends them: what of them is kept, and what is left out.

Their shapes are documented in docs/contract.md. An entry with anything that is not as documented is left out
as a whole; what is about a business format, category or customer that is gone is passed over.
"""

from dataclasses import dataclass, field

from .labels import VALUE_CLASSES
from .result_values import LARGEST_AMOUNT, is_id, read_count, read_kind, read_number, read_text

AMOUNT = (-LARGEST_AMOUNT, LARGEST_AMOUNT)
PORTRAIT_FIGURES = {
    "basket": AMOUNT,
    "rhythm_days": (0, 1e6),
    "margin_rate": (-1e6, 1e6),
    "discount_share": (-1e6, 1),
    "breadth": (0, 1e6),
}
# What sets the customers of a portrait apart from their format, and the figure it is told of.
APART = {
    "larger_basket": "basket",
    "smaller_basket": "basket",
    "orders_less_often": "rhythm_days",
    "orders_more_often": "rhythm_days",
    "higher_margin": "margin_rate",
    "lower_margin": "margin_rate",
    "more_discount": "discount_share",
    "less_discount": "discount_share",
    "broader": "breadth",
    "narrower": "breadth",
}
# The steps of the bridge, in the order people read them, and with which sign each is told.
EQUITY_STEPS = {
    "opening": 1,
    "acquired": 1,
    "won_back": 1,
    "growth": 1,
    "decline": -1,
    "lost": -1,
    "closing": 1,
}
CONCENTRATION_FIGURES = {name: (0, 1) for name in ("top_1", "top_5", "top_10", "hhi", "gini")}
SCOPES = ("customers", "groups")
PROMISES = ("late", "short", "overcharged")
# What may separate bad ratings from good ones, and within which bounds its mean lies.
FACTORS = {"late": (0, 1), "short": (0, 1), "returns": (0, 1), "answer": (0, 1e6), "discount": (-1e6, 100)}
# Of a run that sends more, the first: people read the largest.
MOST = {"portraits": 1000, "losses": 100, "rows": 5000, "lorenz": 1001}
MOST |= {"promises_by_salesperson": 1000, "satisfaction_factors": 100, "ids": 100}


@dataclass
class AnalysisReader:
    """Reads the results of one run.

    Attributes:
        formats, categories, users: identifiers that rows may refer to.
        partners: likewise; a function, since only those a run names are looked up.
        rows: what is kept, ``{model: [{column: value}]}``.
        faults: what is left out, in words.
    """

    formats: set
    categories: set
    users: set
    partners: object
    rows: dict = field(default_factory=dict)
    faults: list = field(default_factory=list)

    def take(self, result):
        """Take what is there of a result, of whatever shape."""
        for name, kind, read in (
            ("portraits", list, self._portraits),
            ("equity", dict, self._equity),
            ("concentration", dict, self._concentration),
            ("demand", dict, self._demand),
            ("promises_by_salesperson", list, self._promises),
            ("satisfaction_factors", list, self._factors),
        ):
            given = result.get(name) if isinstance(result, dict) else None
            if given is not None:
                self._try(
                    name,
                    lambda read=read, kind=kind, name=name, given=given: read(read_kind(kind, given, name)),
                )

    def _try(self, name, read):
        try:
            return read()
        except (KeyError, TypeError, ValueError) as error:
            self.faults.append(f"{name}.{error}" if str(error) and str(error) != name else name)
        return None

    def _each(self, name, given, read):
        """Read entry for entry, so that a bad one takes no other with it."""
        entries = self._try(name, lambda: read_kind(list, given, name)) or []
        rows = [
            self._try(f"{name}[{position}]", lambda entry=entry: read(read_kind(dict, entry, "entry")))
            for position, entry in enumerate(entries[: MOST[name.split(".")[-1]]])
        ]
        return [row for row in rows if row]

    def _known(self, value, among):
        """Whether there is what is referred to; nothing at all is as good."""
        return value is None or (type(value) is int and value in among)

    # ---------------------------------------------------------------- sections

    def _portraits(self, given):
        self.rows["crm.value.portrait"] = self._each("portraits", given, self._portrait)

    def _portrait(self, given):
        value_class = given.get("value_class")
        if value_class not in (None, *dict(VALUE_CLASSES)):
            raise ValueError("value_class")
        if not self._known(given.get("format"), self.formats):
            return None
        row = {name: read_number(given.get(name), name, *bounds) for name, bounds in PORTRAIT_FIGURES.items()}
        return {
            "format_id": given.get("format"),
            "value_class": value_class,
            "customers": read_count(given["customers"], "customers"),
            **row,
            "untold": [name for name, value in row.items() if value is None],
            "apart": [self._apart(each) for each in read_kind(list, given.get("apart") or [], "apart")],
        }

    def _apart(self, given):
        code = read_kind(dict, given, "apart").get("code")
        # Of a code of a newer worker there are no words; it is kept and not told.
        figures = {name: read_number(given.get(name), "apart", *AMOUNT) for name in ("value", "format_value")}
        return {"code": read_kind(str, code, "apart")[:64], **figures}

    def _equity(self, given):
        counts = read_kind(dict, given.get("customers") or {}, "customers")
        rows = [
            {
                "step": step,
                "amount": read_number(given[step], step, *AMOUNT),
                "customers": read_count(counts.get(step), "customers"),
            }
            for step in EQUITY_STEPS
        ]
        told = [row for row in rows if row["amount"] is not None]
        for row in told:
            row["amount"] *= EQUITY_STEPS[row["step"]]
        self.rows["crm.value.equity"] = told

    def _concentration(self, given):
        figures, losses = [], []
        for scope in SCOPES:
            described = given.get(scope)
            if described is None:
                continue
            row = self._try(
                f"concentration.{scope}",
                lambda scope=scope, described=described: self._figures(
                    scope, read_kind(dict, described, scope)
                ),
            )
            if row:
                figures.append(row)
                losses += self._each(
                    f"concentration.{scope}.losses",
                    described.get("losses") or [],
                    lambda each, scope=scope: self._loss(scope, each),
                )
        there = self.partners({row["partner_id"] for row in losses})
        self.rows["crm.value.concentration"] = figures
        self.rows["crm.value.concentration.loss"] = [row for row in losses if row["partner_id"] in there]

    def _figures(self, scope, given):
        row = {
            name: read_number(given.get(name), name, *bounds)
            for name, bounds in CONCENTRATION_FIGURES.items()
        }
        carriers = read_count(given.get("customers_for_80_percent"), "customers_for_80_percent")
        if carriers is None:
            return None
        return {"scope": scope, "carriers": carriers, **row, "lorenz": self._lorenz(given.get("lorenz"))}

    def _lorenz(self, given):
        """Points of the curve, each a share of all and the share of the value they carry, both rising."""
        points = [
            [read_number(each, "lorenz", 0, 1) for each in read_kind(list, point, "lorenz")]
            for point in read_kind(list, given or [], "lorenz")[: MOST["lorenz"]]
        ]
        told = all(len(point) == 2 and None not in point for point in points)
        if not told or any(axis != sorted(axis) for axis in map(list, zip(*points, strict=True))):
            raise ValueError("lorenz")
        return points

    def _loss(self, scope, given):
        if type(given.get("id")) is not int:
            raise ValueError("id")
        return {
            "scope": scope,
            "partner_id": given["id"],
            "amount": read_number(given["value"], "value", *AMOUNT),
            "share": (read_number(given.get("percent"), "percent", *AMOUNT) or 0) / 100,
        }

    def _demand(self, given):
        horizon = read_count(given["horizon_days"], "horizon_days")

        def row(entry):
            known = self._known(entry.get("format"), self.formats) and self._known(
                entry.get("category_id"), self.categories
            )
            figures = {name: read_number(entry.get(name), name, *AMOUNT) for name in ("low", "high")}
            expected = read_number(entry["expected"], "expected", *AMOUNT)
            if not known or expected is None:
                return None
            return {
                "format_id": entry.get("format"),
                "category_id": entry.get("category_id"),
                "horizon_days": horizon,
                "expected": expected,
                **figures,
                "untold": [name for name, value in figures.items() if value is None],
            }

        self.rows["crm.value.demand"] = self._each("demand.rows", given["rows"], row)

    def _promises(self, given):
        self.rows["crm.value.promise"] = self._each("promises_by_salesperson", given, self._promise)

    def _promise(self, given):
        user = given["salesperson_id"]
        if not is_id(user):
            raise ValueError("salesperson_id")
        if user not in self.users:
            return None
        counts = {name: read_count(given.get(name), name) for name in PROMISES}
        share = read_number(given.get("share"), "share", 0, 1)
        return {
            "user_id": user,
            "promises": read_count(given["promises"], "promises"),
            "kept": read_count(given["kept"], "kept"),
            **counts,
            "share": share,
            "untold": [name for name, value in {**counts, "share": share}.items() if value is None],
            "delivery_ids": self._ids(given, "delivery_ids"),
            "order_ids": self._ids(given, "order_ids"),
        }

    def _factors(self, given):
        self.rows["crm.value.factor"] = self._each("satisfaction_factors", given, self._factor)

    def _factor(self, given):
        factor = read_text(given["factor"], "factor")
        if factor not in FACTORS:
            return None  # of a newer worker: there are no words for it
        effect = read_number(given.get("effect"), "effect", -1, 1)
        means = {
            name: read_number(given.get(name), name, *FACTORS[factor]) for name in ("good_mean", "bad_mean")
        }
        return {
            "factor": factor,
            "effect": effect,
            **means,
            "good": read_count(given["good"], "good"),
            "bad": read_count(given["bad"], "bad"),
            "customers": read_count(given["customers"], "customers"),
            "matters": read_kind(bool, given["matters"], "matters"),
            "untold": [name for name, value in {"effect": effect, **means}.items() if value is None],
            "rating_ids": self._ids(given, "rating_ids"),
        }

    def _ids(self, given, name):
        """Ids of records that people may open, under their own rights."""
        ids = read_kind(list, given.get(name) or [], name)
        return [each for each in ids if is_id(each)][: MOST["ids"]]


def forget_named(result):
    """Take the customers and records a result names out of it, in place: an objection erases them from the tables
    alone."""
    for name in ("promises_by_salesperson", "satisfaction_factors"):
        given = result.get(name) if isinstance(result, dict) else None
        for entry in given if isinstance(given, list) else ():
            for ids in ("delivery_ids", "order_ids", "rating_ids") if isinstance(entry, dict) else ():
                entry.pop(ids, None)
    concentration = result.get("concentration") if isinstance(result, dict) else None
    for scope in concentration.values() if isinstance(concentration, dict) else ():
        if isinstance(scope, dict):
            scope.pop("losses", None)
