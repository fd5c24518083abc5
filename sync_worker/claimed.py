"""The policies that a claimed run carries."""

from typing import Any

from sync_worker.errors import RunError
from sync_worker.policy import Policy, PolicyError, policy_before


def policy_in(described: dict[str, Any], before: Policy | None = None) -> Policy:
    """A policy as the addon describes it. Raises `PolicyError` where it cannot be used."""
    return Policy(described["rules"], described.get("version_id"), before)


def policy_of(run: dict[str, Any]) -> Policy:
    """The policy of a run, with that of the run before. Raises `RunError` where it cannot be used."""
    try:
        return policy_in(run["policy"], policy_before(run["compared_policy"]))
    except PolicyError as error:
        raise RunError(error.args[0], "Mend the policy of the company in Odoo.") from error
