"""What a worker tells of its run: sentences by code and figures, rendered for the reader, or as plain text."""

import json
import math
from datetime import date
from pathlib import Path

from odoo.tools.i18n import format_list
from odoo.tools.misc import format_date

from .formatting import number_text, percent_text
from .policy_schema import POLICY_SCHEMA
from .policy_texts import policy_label
from .sentence_texts import basis_label, dataset_label, sentence_text, standing_label

SENTENCE_SCHEMA = json.loads(
    (Path(__file__).parent / "data" / "sentence_schema.json").read_text(encoding="utf-8")
)
LONGEST = 500


def plain_text(told):
    """What a worker told, in its own English words.

    :param told: a sentence, or ``{"code", "params", "text"}``
    """
    text = told.get("text") if isinstance(told, dict) else told
    return str(text or "")[:LONGEST]


def coded(told):
    """Code and figures of what a worker told, None where it told words alone, or what this version cannot say."""
    if not isinstance(told, dict):
        return None
    code, params = told.get("code"), told.get("params")
    if not isinstance(code, str) or code not in SENTENCE_SCHEMA or not isinstance(params, dict):
        return None
    kept = {name: params.get(name) for name in SENTENCE_SCHEMA[code]}
    usable = all(_fits(kept[name], kind) for name, kind in SENTENCE_SCHEMA[code].items())
    return {"code": code, "params": kept} if usable else None


def told_text(env, told, text):
    """A sentence in the reader's language, the worker's own words where it told no more.

    :param told: what ``coded`` made of it
    :param text: what ``plain_text`` made of it
    """
    if not told:
        return text or ""
    kinds = SENTENCE_SCHEMA.get(told["code"])
    if kinds is None or set(kinds) != set(told["params"]):  # kept by another version of the addon
        return text or ""
    figures = {name: _words(env, value, kinds[name]) for name, value in told["params"].items()}
    if told["code"] == "policy_key_value_missing":
        figures["label"] = policy_label(env, "key_value_minimum")
    return sentence_text(env, told["code"], figures)


def _fits(value, kind):
    if kind in ("integer", "number", "share"):
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if kind == "standing":
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if kind == "date":
        return isinstance(value, str) and _day(value) is not None
    return isinstance(value, str)


def _day(text):
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _words(env, value, kind):
    words = {
        "integer": lambda: number_text(env, value),
        "number": lambda: f"{value:g}",
        "share": lambda: percent_text(env, value),
        "date": lambda: format_date(env, _day(value)),
        "dataset": lambda: dataset_label(env, value),
        "basis": lambda: basis_label(env, value),
        "sales": lambda: basis_label(env, value),
        "rule": lambda: policy_label(env, value) if value in POLICY_SCHEMA else value,
        "standing": lambda: format_list(env, [standing_label(env, each) for each in value]),
        "text": lambda: value,
    }
    return words[kind]()
