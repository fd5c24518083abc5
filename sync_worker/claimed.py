"""The policies that a claimed run carries."""

from typing import Any

from sync_worker.errors import RunError
from sync_worker.policy import Policy, PolicyError


def policy_in(described: dict[str, Any]) -> Policy:
    """A policy as the addon describes it. Raises `PolicyError` where it cannot be used."""
    return Policy(described["rules"], described.get("version_id"))


def policy_of(run: dict[str, Any]) -> Policy:
    """The policy of a run. Raises `RunError` where it cannot be used."""
    try:
        return policy_in(run["policy"])
    except PolicyError as error:
        raise RunError(str(error), "Mend the policy of the company in Odoo.") from error


def policy_before(run: dict[str, Any]) -> Policy | None:
    """The policy of the run before, where it was another that can still be read."""
    try:
        return policy_in(run["compared_policy"]) if run["compared_policy"] else None
    except PolicyError:  # made under bounds that are narrower now
        return None
