"""How long month-ends are kept is said by the policy now, and one job deletes whatever is kept no longer."""

from odoo import SUPERUSER_ID, api
from odoo.tools import sql

DEFAULT_MONTHS = 60
# Within the bounds of the policy; 0 months were for ever.
DAYS_A_MONTH, FEWEST, MOST = 365.25 / 12, 366, 36500


def migrate(cr, version):
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {"active_test": False})
    _move_months(env)
    _remove_job(env)


def _move_months(env):
    """Let the policy of each company that had another than the usual setting say the same as it did."""
    if not sql.column_exists(env.cr, "res_company", "crm_value_snapshot_months"):
        return
    env.cr.execute(
        "SELECT id, crm_value_snapshot_months FROM res_company"
        " WHERE parent_id IS NULL AND crm_value_snapshot_months <> %s",
        [DEFAULT_MONTHS],
    )
    for company_id, months in env.cr.fetchall():
        days = min(max(round(months * DAYS_A_MONTH), FEWEST), MOST) if months > 0 else MOST
        versions = env["crm.value.policy.version"]
        active = versions._get_active(env["res.company"].browse(company_id))
        if "keep_snapshots_days" in active.rule_ids.mapped("key"):
            continue
        # A version does not change: its number is told beside what was scored by it.
        following = active.copy({"note": active.note})
        following.rule_ids = [(0, 0, {"key": "keep_snapshots_days", "value": str(days)})]
        following._activate(env.user)
    # The setting itself goes with its field, once all modules are loaded.


def _remove_job(env):
    """The job of month-ends alone; it was not to be updated, so it would stay and fail every day."""
    job = env.ref("crm_value_addon.ir_cron_forget_snapshots", raise_if_not_found=False)
    if job:
        action = job.ir_actions_server_id
        job.unlink()
        action.exists().unlink()
