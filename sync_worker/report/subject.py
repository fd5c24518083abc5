"""What a back-test was made of, which its result does not say: titles, units and names need it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Subject:
    """The history that was judged.

    Attributes:
        name: file or company.
        as_of: last day known, ISO.
        as_of_origin: where that day comes from, if nobody named it: `the last day in orders.csv`.
        currency: code, or nothing where it is not known.
        formats: names of the business formats by what the result calls them; one that is missing is its own name.
    """

    name: str
    as_of: str
    as_of_origin: str = ""
    currency: str = ""
    formats: Mapping[Any, str] = field(default_factory=dict)

    def scope(self, format_id: Any) -> str:
        """A business format in words; None is everybody."""
        return "All customers" if format_id is None else str(self.formats.get(format_id, format_id))
