"""The keys of a policy with unit, bounds, default and meaning.

The file is the same as the worker's, which a test of the repository keeps so.
"""

import json
from pathlib import Path

POLICY_SCHEMA = json.loads(
    (Path(__file__).parent / "data" / "policy_schema.json").read_text(encoding="utf-8")
)
