"""The account of the sync worker: its one group, both companies, and a key in a file of its owner."""

import os
from datetime import datetime, timedelta
from pathlib import Path

from odoo import Command

LOGIN = "sync-worker"


def make(env, companies):
    return env["res.users"].create(
        {
            "name": "Sync worker",
            "login": LOGIN,
            "company_id": companies[0].id,
            "company_ids": [Command.set(companies.ids)],
            "group_ids": [Command.set([env.ref("crm_value_addon.group_sync").id])],
        }
    )


def write_key(env, path):
    """A new key in place of all former ones of the account; the file is replaced at once."""
    bot = env["res.users"].search([("login", "=", LOGIN)])
    env["res.users.apikeys"].search([("user_id", "=", bot.id)]).sudo()._remove()
    expires = datetime.now() + timedelta(days=89)
    key = env["res.users.apikeys"].with_user(bot)._generate("rpc", "script/demo", expires)
    env.cr.commit()
    new = Path(f"{path}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(key + "\n")
    new.rename(path)
