"""The legacy protocol (`/jsonrpc`) through the odoorpc library, for those who still need it.

The module has the library's name: imports are absolute, so `import odoorpc` is the library.
"""

import json
import logging
import ssl
import urllib.error
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit
from urllib.request import HTTPSHandler, build_opener

import odoorpc

from sync_worker.config import Settings
from sync_worker.errors import InputError, NotOdooError, UnreachableError, WorkerError
from sync_worker.transport import base

# The library writes whole requests, the key among them, to its debug log.
logging.getLogger("odoorpc").setLevel(logging.WARNING)


class OdooRpcTransport:
    """Logs in with the first call, and again after a failed login only."""

    name = "odoorpc"

    def __init__(self, settings: Settings):
        if not settings.database or not settings.login:
            raise InputError(
                "The odoorpc transport needs `database` and `login`.",
                "Set both, or leave `transport` at json2, where the key alone names the user.",
            )
        self._settings = settings
        self._where = f"{settings.url} (database {settings.database})"
        self._odoo: odoorpc.ODOO | None = None

    def server_version(self) -> str:
        return base.retrying(
            lambda: self._guard(lambda: str(self._connect().version)), attempts=self._settings.attempts
        )

    def call(
        self, method: str, params: dict[str, Any], *, timeout: float | None = None, once: bool = False
    ) -> Any:
        def send() -> Any:
            odoo = self._session()
            odoo.config["timeout"] = timeout or self._settings.timeout
            return odoo.execute_kw(base.MODEL, method, [], params)

        repeatable = method in base.REPEATABLE and not once
        return base.retrying(lambda: self._guard(send), attempts=self._settings.attempts if repeatable else 1)

    def close(self) -> None:
        # An API key has no session to end.
        self._odoo = None

    def _connect(self) -> odoorpc.ODOO:
        parts = urlsplit(self._settings.url)
        if parts.path.strip("/"):
            raise InputError(
                "The odoorpc transport cannot use a `url` with a path.", "Use the json2 transport."
            )
        secure = parts.scheme == "https"
        opener = None
        if secure and self._settings.ca_file:
            opener = build_opener(
                HTTPSHandler(context=ssl.create_default_context(cafile=str(self._settings.ca_file)))
            )
        return odoorpc.ODOO(
            parts.hostname or "",
            protocol="jsonrpc+ssl" if secure else "jsonrpc",
            port=parts.port or (443 if secure else 80),
            timeout=self._settings.timeout,
            opener=opener,
        )

    def _session(self) -> odoorpc.ODOO:
        if self._odoo is None:
            odoo = self._connect()
            odoo.login(self._settings.database, self._settings.login, self._settings.key())
            self._odoo = odoo
        return self._odoo

    def _guard(self, send: Any) -> Any:
        try:
            return send()
        except odoorpc.error.RPCError as error:
            raise self._refusal(error) from None
        except odoorpc.error.InternalError as error:
            raise NotOdooError(f"{self._where} answers, but not as Odoo: {error}.") from error
        except urllib.error.HTTPError as error:
            raise self._http_failure(error) from error
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise NotOdooError(
                f"{self._where} answers with something else than Odoo's JSON: wrong address?"
            ) from error
        except TimeoutError as error:
            raise UnreachableError(f"{self._where} did not answer in time.") from error
        except urllib.error.URLError as error:
            raise UnreachableError(f"{self._where} cannot be reached: {error.reason}.") from error
        except (OSError, HTTPException) as error:
            raise UnreachableError(
                f"{self._where} cannot be reached: {error or type(error).__name__}."
            ) from error

    def _refusal(self, error: odoorpc.error.RPCError) -> WorkerError:
        info = error.info if isinstance(error.info, dict) else {}
        data = info.get("data") or {}
        name, message = str(data.get("name", "")), str(data.get("message") or error.args[0])
        if not info and self._odoo is None:
            return base.key_refused()  # the library's own wording for a login that answers false
        if "database" in message and "does not exist" in message:
            return NotOdooError(f"{self._settings.url} has no database {self._settings.database}.")
        return base.from_odoo(name, message)

    def _http_failure(self, error: urllib.error.HTTPError) -> WorkerError:
        if error.code in base.RETRIED_STATUSES:
            return base.unavailable(error.code, error.headers.get("Retry-After"))
        return NotOdooError(
            f"{self._where} answers HTTP {error.code} where Odoo's JSON was expected: wrong address?"
        )
