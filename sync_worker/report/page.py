"""The report as one HTML file that needs nothing else: style and figures are inside, and no script."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from sync_worker import __version__
from sync_worker.errors import InputError
from sync_worker.report import charts, words
from sync_worker.report.subject import Subject
from sync_worker.whole_file import write_text


def render(result: dict[str, Any], subject: Subject) -> str:
    """The page of a back-test: a function of the result and of what it was made of, nothing else."""
    environment = Environment(
        loader=PackageLoader("sync_worker", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["tier_cells"] = words.tier
    return environment.get_template("page.html.jinja").render(
        result=result,
        subject=subject,
        words=words,
        grades=[
            {
                **grade,
                "scope": subject.scope(grade["format"]),
                "anchor": f"scope-{place}",
                "charts": charts.of_grade(grade, f"scope-{place}", subject.currency),
            }
            for place, grade in enumerate(result["grades"])
        ],
        tracking=charts.tracking(result["tracking"], result["cutoffs"], subject.currency, result["sample"]),
        version=__version__,
    )


def check_target(path: Path) -> Path:
    """Where the page will be written, looked at before the work is done. Raises `InputError`."""
    path = path.resolve()
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{path.name} does not end in .html.", "Name the report with .html.")
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent} to write to.", "Make it, or name another output.")
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is not an ordinary file.", "Name another output.")
    return path


def write(html: str, path: Path) -> None:
    """Writes the page, whole or not at all. Raises `InputError`."""
    try:
        write_text(path, html)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror or error}.", "Name an output in a folder of yours."
        ) from None
