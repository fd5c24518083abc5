"""What a run came to, for the terminal, for `--json` and for the health file."""

from dataclasses import asdict, dataclass, field
from typing import Any

from sync_worker.errors import WorkerError


@dataclass
class Outcome:
    """A run of a company, and what came of it; a failed one says why in `error` and what to do in `mend`."""

    company_id: int
    company: str
    run_id: int | None = None
    kind: str = "score"
    state: str = "failed"
    as_of: str | None = None
    seconds: float = 0.0
    orders: int = 0
    customers: int = 0
    sent: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    error: str | None = None
    mend: str | None = None
    exit_code: int = 0

    def fail(self, error: WorkerError) -> None:
        self.state, self.error, self.mend, self.exit_code = (
            "failed",
            error.message,
            error.mend or None,
            error.exit_code,
        )

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
