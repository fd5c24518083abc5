"""Sentences that people read in Odoo, with a code and figures by which Odoo tells them in the reader's language.

`sentence_schema.json` names the codes and the figures of each; the addon has the same file and the words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

#: What is counted, and what follows it, of several and of one.
COUNTED = {
    "activities": "activity",
    "conversations": "conversation",
    "customers": "customer",
    "days": "day",
    "deliveries": "delivery",
    "hours": "hour",
    "invoices": "invoice",
    "lines": "line",
    "messages": "message",
    "months": "month",
    "order-days": "order-day",
    "orders": "order",
    "points": "point",
    "ratings": "rating",
    "rows": "row",
}
VERBS = {"are": "is", "have": "has", "were": "was"}
_OF_ONE = re.compile(rf"(?<![\d.,/-])1 ({'|'.join(COUNTED)})\b(?: ({'|'.join(VERBS)})\b)?")
#: A sentence as it travels: as itself, or with its code and figures.
Told = str | dict[str, Any]


class Sentence(str):
    """A sentence in English, for the terminal and for whom its code says nothing."""

    code: str
    params: dict[str, Any]

    def __new__(cls, text: str, code: str = "", params: dict[str, Any] | None = None) -> Sentence:
        told = super().__new__(cls, text)
        told.code, told.params = code, params or {}
        return told


def sentence(code: str, text: str, **params: Any) -> Sentence:
    """An English sentence with the code and the figures it is told by in other languages."""
    return Sentence(of_one(text), code, {name: _plain(value) for name, value in params.items()})


def of_one(text: str) -> str:
    """An English sentence in which nothing is counted as *1 days*."""
    return _OF_ONE.sub(_singular, text)


def _singular(found: re.Match[str]) -> str:
    noun, verb = found.groups()
    return f"1 {COUNTED[noun]}" + (f" {VERBS[verb]}" if verb else "")


def _plain(value: Any) -> Any:
    """A figure as JSON knows it, numpy's too."""
    return value.item() if hasattr(value, "item") else value


def teller(described: dict[str, Any]) -> Callable[[str], Told]:
    """What makes of a sentence what an addon is told: code and figures beside the words, where it knows the code.

    Args:
        described: the addon's description of itself; one without `sentence_codes` gets words alone.
    """
    known = frozenset(described.get("sentence_codes", ()))

    def told(text: str) -> Told:
        if isinstance(text, Sentence) and text.code in known:
            return {"code": text.code, "params": text.params, "text": str(text)}
        return str(text)

    return told
