"""Runs in Odoo's shell: the worker's account and the keys the benchmark calls with, kept in the state folder."""

import os
from datetime import datetime, timedelta
from pathlib import Path

STATE = Path(os.environ.get("CV_STATE") or Path(odoo.tools.config["data_dir"]).parent)
users = env["res.users"]
worker = users.search([("login", "=", "sync")]) or users.create(
    {
        "name": "Sync worker",
        "login": "sync",
        "group_ids": [(6, 0, [env.ref("crm_value_addon.group_sync").id])],
    }
)
for user in (worker, env.ref("base.user_admin")):
    key = (
        env["res.users.apikeys"]
        .with_user(user)
        ._generate(None, "benchmark", datetime.now() + timedelta(days=30))
    )
    path = STATE / f"{user.login}.key"
    path.touch(mode=0o600)
    path.write_text(key)
env.cr.commit()
