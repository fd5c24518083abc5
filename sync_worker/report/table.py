"""A back-test on the terminal."""

from typing import Any

from rich.markup import escape
from rich.table import Table

from sync_worker import terminal
from sync_worker.report import words
from sync_worker.report.subject import Subject

# Characters that the headings and a column of figures take, borders included.
HEADING, COLUMN = 24, 19
_COLOURS = {"A": "green", "B": "green", "C": "yellow", "D": "red", None: "dim"}


def show(result: dict[str, Any], subject: Subject) -> None:
    """Prints grades with their stories, the models compared, and warnings."""
    out = terminal.out
    out.print(f"[bold]Back-test of {escape(subject.name)}[/]", soft_wrap=True)
    out.print(escape(words.heading(result, subject)), soft_wrap=True)
    if any(grade["grade"] for grade in result["grades"]):
        beside = max(1, (out.width - HEADING) // COLUMN)
        for first in range(0, len(result["grades"]), beside):
            out.print(_grades(result["grades"][first : first + beside], subject))
    for grade in result["grades"]:
        colour = _COLOURS[grade["grade"]]
        scope = escape(subject.scope(grade["format"]))
        out.print(f"[{colour}]{scope}:[/] {escape(words.verdict(grade))}", soft_wrap=True)
        if story := words.story(grade, subject.currency, result["sample"]):
            out.print(f"  {escape(story)}", soft_wrap=True)
    if result["tiers"]:
        out.print(_tiers(result["tiers"]))
    for warning in result["warnings"]:
        terminal.err.print(f"[yellow]warning:[/] {escape(warning)}", soft_wrap=True)


def _grades(grades: list[dict[str, Any]], subject: Subject) -> Table:
    """Figures as rows and business formats as columns: their intervals need more room than their names."""
    table = Table(title="Grades", title_justify="left")
    table.add_column("Customers of")
    for grade in grades:
        table.add_column(escape(subject.scope(grade["format"])), justify="right")
    letters = (f"[{_COLOURS[each['grade']]}]{each['grade'] or words.DASH}[/]" for each in grades)
    table.add_row("Grade", *letters)
    for heading, *cells in zip(words.HEADINGS, *map(words.figures, grades), strict=True):
        table.add_row(heading, *cells)
    return table


def _tiers(tiers: list[dict[str, Any]]) -> Table:
    table = Table(
        title="Models compared", title_justify="left", caption=escape(words.CHOICE), caption_justify="left"
    )
    for place, heading in enumerate(words.TIER_HEADINGS):
        table.add_column(heading, justify="right" if place in (1, 2) else "left")
    for tier in tiers:
        table.add_row(*(escape(cell) for cell in words.tier(tier)))
    return table
