"""Addon and worker carry the same machine-readable schemas; neither can read the other's when installed."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["policy_schema.json", "reason_schema.json", "sentence_schema.json"])
def test_addon_and_worker_have_the_same_schema(name: str) -> None:
    addon = json.loads((ROOT / "crm_value_addon" / "data" / name).read_text(encoding="utf-8"))
    worker = json.loads((ROOT / "sync_worker" / name).read_text(encoding="utf-8"))
    assert addon == worker
    assert list(addon) == list(worker)
