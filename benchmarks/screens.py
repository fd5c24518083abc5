"""What the web client asks of the partner's screens, with and without this addon's fields."""

import ast
import statistics
from functools import cache, partial

import httpx
from rich.table import Table

from benchmarks.database import DATABASE, STATE, URL, median_time, psql, timed

FORMS = 20


@cache
def _client() -> httpx.Client:
    headers = {"Authorization": f"bearer {(STATE / 'admin.key').read_text()}", "X-Odoo-Database": DATABASE}
    return httpx.Client(headers=headers, timeout=120)


def call(method: str, model: str = "res.partner", **params: object) -> object:
    """The answer of a method of a model, as the web client gets it."""
    answer = _client().post(f"{URL}/json/2/{model}/{method}", json=params)
    answer.raise_for_status()
    return answer.json()


def partner_list() -> Table:
    """Milliseconds of what the web client asks: our joined field beside a native stored one."""
    # What autovacuum does within a minute of a run.
    psql("VACUUM ANALYZE crm_value_profile")
    specification = {name: {} for name in ("complete_name", "email", "phone")}
    rows = {}
    for name, field, value in (
        ("native stored field", "type", "contact"),
        ("value class", "value_class", "key"),
    ):
        shown = specification | {field: {}}
        for what, action in {
            "filter": lambda f=field, v=value, s=shown: call(
                "web_search_read", domain=[[f, "=", v]], specification=s, limit=80
            ),
            "sort": lambda f=field, s=shown: call(
                "web_search_read", domain=[], specification=s, limit=80, order=f"{f} desc"
            ),
            "group": lambda f=field: call(
                "formatted_read_group", domain=[], groupby=[f], aggregates=["__count"]
            ),
        }.items():
            action()
            rows[f"{what}: {name}"] = 1000 * median_time(action)
    table = Table(title="Partner list of 120,000 contacts")
    for name in ("what", "native stored field, ms", "value class, ms", "ratio"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for what in ("filter", "sort", "group"):
        native, ours = rows[f"{what}: native stored field"], rows[f"{what}: value class"]
        table.add_row(what, f"{native:.0f}", f"{ours:.0f}", f"{ours / native:.2f}")
    return table


def working_lists() -> Table:
    """Milliseconds of the first page of each working list, and of the customers in columns with their panel."""
    psql("VACUUM ANALYZE crm_value_profile")
    steps = {}
    for name in ("overdue", "key_at_risk", "promising", "won_back", "not_loyal"):
        number = psql(
            "SELECT res_id FROM ir_model_data WHERE module = 'crm_value_addon'"
            f" AND name = 'res_partner_action_{name}'"
        )
        (action,) = call("read", "ir.actions.act_window", ids=[int(number)], fields=["domain", "views"])
        specification = _shown("res.partner", action["views"][0])
        order = "potential_value desc" if name == "promising" else "current_value desc"
        steps[f"list {name}"] = partial(
            call,
            "web_search_read",
            domain=ast.literal_eval(action["domain"]),
            specification=specification,
            order=order,
            limit=80,
            count_limit=10001,
        )
    customers = partial(call, model="crm.value.profile")
    specification = _shown("crm.value.profile", [False, "kanban"])
    for stage in ("effective_loyalty_stage", "effective_lifecycle_stage"):
        steps[f"columns by {stage}"] = partial(
            customers,
            "web_read_group",
            domain=[],
            groupby=[stage],
            auto_unfold=True,
            unfold_read_specification=specification,
            unfold_read_default_limit=20,
            order="lifetime_value desc",
            context={"read_group_expand": True},
        )
    for field in ("effective_value_segment", "format_id", "user_id"):
        steps[f"panel {field}"] = partial(
            customers, "search_panel_select_multi_range", field_name=field, enable_counters=True
        )
    table = Table(title="Working lists and customers in columns")
    table.add_column("what")
    table.add_column("ms", justify="right")
    for what, action in steps.items():
        action()
        table.add_row(what, f"{1000 * median_time(action):.0f}")
    return table


def _shown(model: str, view: list[object]) -> dict[str, dict[str, object]]:
    """What a view reads, many2one with their names."""
    shown = call("get_views", model, views=[view])["models"][model]["fields"]
    named = {"fields": {"display_name": {}}}
    return {name: named if field["type"] == "many2one" else {} for name, field in shown.items()}


def partner_form() -> Table:
    """Milliseconds of reading a partner for its form, with and without the fields of this addon."""
    shown = set(call("get_views", views=[[False, "form"]])["models"]["res.partner"]["fields"]) - {"id"}
    ours = set(
        psql(
            "SELECT replace(name, 'field_res_partner__', '') FROM ir_model_data"
            " WHERE module = 'crm_value_addon' AND model = 'ir.model.fields' AND name LIKE 'field_res_partner__%'"
        ).split()
    )
    scored = f"SELECT partner_id FROM crm_value_profile ORDER BY md5(partner_id::text) LIMIT {2 * FORMS}"
    partners = [int(line) for line in psql(scored).split()]

    def median(names: set[str]) -> float:
        specification = {name: {} for name in names}
        times = [
            timed(partial(call, "web_read", ids=[partner], specification=specification))
            for partner in partners
        ]
        return 1000 * statistics.median(times[FORMS:])

    without, complete = median(shown - ours), median(shown)
    table = Table(title=f"Opening a partner: {len(shown & ours)} fields of this addon among {len(shown)}")
    for name in ("without them, ms", "with them, ms", "more, ms", "bar"):
        table.add_column(name, justify="right")
    table.add_row(f"{without:.0f}", f"{complete:.0f}", f"{complete - without:.0f}", "100")
    return table
