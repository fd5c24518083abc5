"""The command line. Commands load what they need when they run, so that `--help` and `health` are quick."""

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from sync_worker import __version__, config, logs, terminal
from sync_worker.errors import InputError, WorkerError
from sync_worker.memory import give_back_large_arrays
from sync_worker.transport import connect

# Numerical libraries read these when they load: on a machine shared with Odoo, more threads are slower.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
# Arrow's own allocator would keep the pages that were read for more to come (`memory`).
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

logger = logging.getLogger(__name__)
#: Set by SIGTERM.
_stopping = threading.Event()

EXIT_CODES = """\
Exit codes: 0 done; 1 unexpected; 2 usage, configuration or input file; 3 Odoo cannot be reached;
4 key or rights refused; 5 addon, contract or database; 6 another worker is at it;
7 run failed or lease lost; 130 stopped."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Reads sales from Odoo, scores customers, and writes value, loyalty and churn back.",
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="Configuration file (TOML).", show_default=False)
]
UrlOption = Annotated[str | None, typer.Option(help="Address of Odoo.", show_default=False)]
DatabaseOption = Annotated[str | None, typer.Option("--database", "-d", help="Database.", show_default=False)]
LoginOption = Annotated[
    str | None, typer.Option(help="Login of the sync user (odoorpc only).", show_default=False)
]
TransportOption = Annotated[str | None, typer.Option(help="json2 (default) or odoorpc.", show_default=False)]
CompanyOption = Annotated[list[int] | None, typer.Option(help="Only this company (id); may be repeated.")]
ColumnsOption = Annotated[
    str, typer.Option("--map", help="Our names for its columns: customer_id=CustomerID,date=InvoiceDate")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for machines.")]
VerboseOption = Annotated[
    int,
    typer.Option("--verbose", "-v", count=True, help="Log more; twice for everything.", show_default=False),
]


def main() -> None:
    """Entry point of the `sync-worker` command."""
    give_back_large_arrays()
    app()


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True)
    ] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def check(
    *,
    config_file: ConfigOption = None,
    url: UrlOption = None,
    database: DatabaseOption = None,
    login: LoginOption = None,
    transport: TransportOption = None,
    confirm_database: Annotated[
        bool,
        typer.Option("--confirm-database", help="Accept the database that answers now as the right one."),
    ] = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Look whether a run would work: connection, versions, contract, database, rights, companies."""
    from sync_worker import check as checking  # noqa: PLC0415

    with _reporting(verbose, as_json):
        settings = _settings(config_file, url=url, database=database, login=login, transport=transport)
        with contextlib.closing(connect(settings)) as connection:
            findings = checking.check(settings, connection, config_file, confirm_database=confirm_database)
            if as_json:
                terminal.show_json({"findings": [vars(finding) for finding in findings], "exit_code": 0})
            else:
                terminal.show_findings(findings)


@app.command()
def run(
    *,
    config_file: ConfigOption = None,
    url: UrlOption = None,
    database: DatabaseOption = None,
    login: LoginOption = None,
    transport: TransportOption = None,
    company: CompanyOption = None,
    month_ends: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="First the last N month-ends, from what was known then; not if scored since.",
            show_default=False,
        ),
    ] = None,
    as_of: Annotated[
        list[str] | None,
        typer.Option(help="As of this past day, YYYY-MM-DD, instead; may be repeated.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Score every company now (or those named) and write the scores to Odoo."""
    outcomes = []
    with _reporting(verbose, as_json):
        if month_ends and as_of:
            raise InputError("--month-ends and --as-of are both given.", "Leave one of them out.")
        days = sorted(map(_day, as_of or [])) or [None]
        from sync_worker.handshake import describe, pick_companies  # noqa: PLC0415
        from sync_worker.months import run_days, run_month_ends  # noqa: PLC0415

        settings = _settings(config_file, url=url, database=database, login=login, transport=transport)
        with contextlib.closing(connect(settings)) as connection:
            described = describe(settings, connection)
            companies = pick_companies(described, company)
            if not companies:
                raise InputError(
                    "The account belongs to no company that could be scored.",
                    "Give it its companies in Odoo.",
                )
            with terminal.ProgressView(quiet=as_json) as view:
                for each in companies:
                    outcomes += (
                        run_month_ends(settings, connection, described, each, month_ends, view.show)
                        if month_ends
                        else run_days(settings, connection, described, each, days, view.show)
                    )
        exit_code = next((each.exit_code for each in outcomes if each.exit_code), 0)
        if as_json:
            terminal.show_json({"runs": [each.as_dict() for each in outcomes], "exit_code": exit_code})
        else:
            terminal.show_outcomes(outcomes)
        raise typer.Exit(exit_code)


@app.command()
def serve(
    *,
    config_file: ConfigOption = None,
    url: UrlOption = None,
    database: DatabaseOption = None,
    login: LoginOption = None,
    transport: TransportOption = None,
    company: CompanyOption = None,
    poll_seconds: Annotated[
        float | None, typer.Option(help="Seconds between two questions for work.", show_default="2")
    ] = None,
    health_file: Annotated[
        Path | None, typer.Option(help="File that tells monitors how it goes.", show_default=False)
    ] = None,
    verbose: VerboseOption = 0,
) -> None:
    """Wait for runs requested in Odoo or due by its schedule, and do them, until stopped."""
    from sync_worker.serve import serve as serving  # noqa: PLC0415

    with _reporting(verbose):
        settings = _settings(
            config_file,
            url=url,
            database=database,
            login=login,
            transport=transport,
            poll_seconds=poll_seconds,
            health_file=health_file,
        )
        logging.getLogger("sync_worker.steps").setLevel(logging.INFO)
        with contextlib.closing(connect(settings)) as connection, terminal.ProgressView() as view:
            serving(settings, connection, company, view.show, stopping=_stopping.is_set)


@app.command()
def health(
    config_file: ConfigOption = None,
    health_file: Annotated[
        Path | None, typer.Option(help="The file `serve` writes.", show_default=False)
    ] = None,
    max_age: Annotated[float, typer.Option(help="Seconds of silence that are still well.")] = 60,
    as_json: JsonOption = False,
) -> None:
    """Tell monitors whether `serve` is well: exit code 0 or 1."""
    from sync_worker.health import judge  # noqa: PLC0415

    with _reporting(0, as_json):
        path = health_file or config.health_file(config_file)
        if path is None:
            raise InputError("No health file is named.", "Name the one `serve` writes with --health-file.")
        well, sentence = judge(path, max_age)
        if as_json:
            terminal.show_json({"healthy": well, "message": sentence})
        else:
            typer.echo(sentence)
        raise typer.Exit(0 if well else 1)


@app.command()
def score(
    *,
    file: Annotated[
        Path, typer.Argument(help="Purchase history: a CSV or Parquet file, or a folder (docs/history.md).")
    ],
    as_of: Annotated[str, typer.Option(help="Only what was known by this day, YYYY-MM-DD.")],
    out: Annotated[Path, typer.Option(help="Scores to write, .parquet or .csv.")],
    horizon: Annotated[
        int | None, typer.Option(help="Churn horizon in days; default 90, or that of --policy.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Rules to score by, a JSON file as runs keep it (docs/worker.md).")
    ] = None,
    columns: ColumnsOption = "",
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Score the customers of a file, without Odoo."""
    from sync_worker.score_file import score_file  # noqa: PLC0415

    with _reporting(verbose, as_json):
        with terminal.ProgressView(quiet=as_json) as view:
            result = score_file(
                file,
                as_of,
                horizon,
                out,
                mapping=columns,
                policy_file=policy,
                progress=lambda percent, step: view.show(file.name, percent, step),
            )
        if as_json:
            terminal.show_json({"summary": result.summary, "warnings": result.warnings, "out": str(out)})
        else:
            terminal.show_summary(f"{file.name} as of {as_of}", result.summary, result.warnings)
            typer.echo(f"{len(result.customers):,} customers written to {out}")


@app.command()
def backtest(
    *,
    file: Annotated[
        Path | None, typer.Argument(help="Purchase history, CSV or Parquet; without it --company is read.")
    ] = None,
    company: Annotated[
        int | None,
        typer.Option(help="Company (id) to read from Odoo and judge by its policy.", show_default=False),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            help="Only what was known by this day, YYYY-MM-DD.",
            show_default="the last day in the file, or the company's today",
        ),
    ] = None,
    horizon: Annotated[
        int | None, typer.Option(help="Churn horizon in days.", show_default="90, or that of the policy")
    ] = None,
    columns: ColumnsOption = "",
    cutoffs: Annotated[
        int | None,
        typer.Option(min=1, help="How many days of the past to forecast from.", show_default=False),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Report with figures to write, one file.", show_default=False)
    ] = None,
    config_file: ConfigOption = None,
    url: UrlOption = None,
    database: DatabaseOption = None,
    login: LoginOption = None,
    transport: TransportOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Forecast the past of a file, or of a company in Odoo, and grade it by what came. Writes nothing to Odoo."""
    with _reporting(verbose, as_json):
        if (file is None) == (company is None):
            raise InputError(
                "Both a file and a company are named." if file else "Neither a file nor a company is named.",
                "Name a file, or with --company ID a company in Odoo.",
            )
        if company is not None and columns:
            raise InputError("--map is for files; Odoo's columns have their names.", "Leave --map out.")
        from sync_worker import back_test  # noqa: PLC0415

        target = None
        if html:
            from sync_worker.report import page  # noqa: PLC0415

            target = page.check_target(html)
        with terminal.ProgressView(quiet=as_json) as view:
            show = partial(view.show, file.name if file else f"company {company}")
            if file:
                result, subject = back_test.of_file(
                    file, as_of, horizon, mapping=columns, cutoffs=cutoffs, progress=show
                )
            else:
                settings = _settings(
                    config_file, url=url, database=database, login=login, transport=transport
                )
                with contextlib.closing(connect(settings)) as connection:
                    result, subject = back_test.of_company(
                        settings, connection, company, as_of, horizon, cutoffs=cutoffs, progress=show
                    )
            if target:
                show(100, "drawing")
                page.write(page.render(result, subject), target)
        if as_json:
            terminal.show_json(result)
        else:
            from sync_worker.report import table  # noqa: PLC0415

            table.show(result, subject)
            if target:
                typer.echo(f"Report written to {html}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"“{text}” is not a day.", "Write it as YYYY-MM-DD.") from None


def _settings(config_file: Path | None, **options: Any) -> config.Settings:
    settings = config.load(config_file, **options)
    logs.redaction.hide(settings.key())
    return settings


@contextlib.contextmanager
def _reporting(verbose: int, as_json: bool = False) -> Iterator[None]:
    """Turns every failure into one sentence, its mend and an exit code; SIGTERM ends like Ctrl-C."""
    logs.configure(verbose)
    _stopping.clear()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    except WorkerError as error:
        terminal.show_error(error, as_json=as_json)
        logger.debug("where it happened", exc_info=True)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        terminal.show_error(WorkerError("Stopped by operator."), as_json=as_json)
        raise typer.Exit(130) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:  # the last resort: a sentence, not a traceback
        logger.info("unexpected", exc_info=True)
        terminal.show_error(
            WorkerError(
                f"Unexpected {type(error).__name__}: {error}", "Run again with -v and report what it prints."
            ),
            as_json=as_json,
        )
        raise typer.Exit(1) from None


def _interrupt(signum: int, frame: Any) -> None:
    _stopping.set()
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
