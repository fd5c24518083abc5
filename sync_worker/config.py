"""Typed configuration: file (TOML), environment (`SYNC_WORKER_*`), options, in rising precedence.

The API key comes from the environment, from `api_key_file` or from the configuration file, never from the
command line.
"""

import os
import socket
import stat
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from sync_worker import __version__
from sync_worker.errors import InputError

PREFIX = "SYNC_WORKER_"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"
WHERE = "docs/worker.md lists every setting."


def _address(url: str) -> str:
    url = url.strip().rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return url


def _worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


class Settings(BaseSettings):
    """Everything a command may be told: keys of the file and, prefixed, of the environment."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    url: Annotated[str, AfterValidator(_address)] = Field(description="Address people open Odoo with")
    database: str | None = Field(None, description="Database; may be left out where the server has only one")
    login: str | None = Field(None, description="Login of the sync user; odoorpc only")
    api_key: SecretStr | None = Field(None, description="API key of the sync user")
    api_key_file: Path | None = Field(None, description="File that holds the API key")
    transport: Literal["json2", "odoorpc"] = Field("json2", description="Protocol")
    ca_file: Path | None = Field(None, description="Certificates to trust, PEM")
    timeout: float = Field(120, ge=1, le=3600, description="Seconds to wait for an answer")
    attempts: int = Field(6, ge=1, le=20, description="Tries of a call that may be repeated")
    page_rows: int = Field(500_000, ge=100, le=1_000_000, description="Rows of a page read from Odoo")
    batch_rows: int = Field(25_000, ge=1, le=100_000, description="Rows of a batch written to Odoo")
    poll_seconds: float = Field(
        2,
        ge=0.2,
        le=3600,
        description="serve: seconds between two questions for work; for previews at most one",
    )
    health_file: Path | None = Field(None, description="serve: file that tells monitors how it goes")
    state_directory: Path | None = Field(
        None, description="Where confirmed databases and what previews need are kept"
    )
    kept_exports: int = Field(
        3, ge=0, le=1000, description="How many runs of a company keep what they read, to be scored again"
    )
    worker: str = Field(default_factory=_worker_name, description="Name shown in Odoo")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def key(self) -> str:
        """The API key in clear. Raises `InputError` when none was given."""
        if self.api_key and self.api_key.get_secret_value().strip():
            return self.api_key.get_secret_value().strip()
        if self.api_key_file:
            try:
                key = self.api_key_file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise InputError(
                    f"The API key file {self.api_key_file} cannot be read: {_os_reason(error)}.",
                    "Name a file that holds the key and that the worker may read.",
                ) from None
            if key:
                return key
        raise InputError(
            "No API key is given.",
            f"Set {PREFIX}API_KEY, or {PREFIX}API_KEY_FILE, or `api_key_file` in the configuration file.",
        )

    @property
    def user_agent(self) -> str:
        return f"sync-worker/{__version__}"


def find_file(named: Path | None) -> Path | None:
    """The configuration file: the one named by option or environment, else the first usual one, else none."""
    if named is None and os.environ.get(CONFIG_VARIABLE):
        named = Path(os.environ[CONFIG_VARIABLE])
    if named is not None:
        if not named.is_file():
            raise InputError(
                f"There is no configuration file {named}.", "Name an existing one with --config."
            )
        return named
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    usual = [
        Path("sync-worker.toml"),
        home / "sync-worker" / "config.toml",
        Path("/etc/sync-worker/config.toml"),
    ]
    return next((path for path in usual if path.is_file()), None)


def load(config: Path | None = None, **options: Any) -> Settings:
    """Settings from file, environment and the options that are not None. Raises `InputError`."""
    path = find_file(config)
    if path:
        _parse(path)

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=path)

    try:
        return FromFile(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        raise _first_problem(error, path) from None


def warnings(settings: Settings, config: Path | None = None) -> list[str]:
    """What is allowed but unwise: secrets readable by others, a key sent in clear over a network."""
    found = []
    path = find_file(config)
    if path and _readable_by_others(path) and "api_key" in _parse(path):
        found.append(f"{path} holds the API key and can be read by others: chmod 600 {path}")
    if not settings.api_key and settings.api_key_file and _readable_by_others(settings.api_key_file):
        found.append(f"{settings.api_key_file} can be read by others: chmod 600 {settings.api_key_file}")
    host = settings.url.split("://", 1)[1].split("/", 1)[0].rsplit(":", 1)[0]
    if settings.url.startswith("http://") and host not in ("localhost", "127.0.0.1", "[::1]"):
        found.append(f"the API key travels unencrypted to {host}: use https")
    return found


def health_file(config: Path | None = None) -> Path | None:
    """The health file alone: monitors need neither address nor key."""
    if os.environ.get(f"{PREFIX}HEALTH_FILE"):
        return Path(os.environ[f"{PREFIX}HEALTH_FILE"])
    path = find_file(config)
    named = _parse(path).get("health_file") if path else None
    return Path(named) if named else None


def _parse(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {_os_reason(error)}.", "Give the worker the right to read it."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}.", WHERE) from None


def _first_problem(error: ValidationError, path: Path | None) -> InputError:
    problem = error.errors(include_input=False, include_url=False)[0]
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return InputError(
            f"The setting `{name}` is missing.",
            f"Set it in the configuration file or as {PREFIX}{name.upper()}. {WHERE}",
        )
    if problem["type"] == "extra_forbidden":
        return InputError(f"There is no setting `{name}`{f' (in {path})' if path else ''}.", WHERE)
    text = problem["msg"].removeprefix("Value error, ")
    return InputError(f"The setting `{name}` is wrong: {text[0].lower()}{text[1:]}.", WHERE)


def _readable_by_others(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def _os_reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or "it is not text"
