"""Odoo's JSON-2 protocol over httpx: `POST /json/2/<model>/<method>` with a bearer key."""

import logging
import ssl
from typing import Any

import httpx

from sync_worker.config import Settings
from sync_worker.errors import NotOdooError, UnreachableError, WorkerError
from sync_worker.transport import base

logger = logging.getLogger(__name__)


class Json2Transport:
    """One pooled client; safe for the run and its heartbeat thread together."""

    name = "json2"

    def __init__(self, settings: Settings):
        self._attempts = settings.attempts
        self._timeout = settings.timeout
        self._where = f"{settings.url}" + (f" (database {settings.database})" if settings.database else "")
        headers = {"Authorization": f"bearer {settings.key()}", "User-Agent": settings.user_agent}
        if settings.database:
            headers["X-Odoo-Database"] = settings.database
        self._client = httpx.Client(
            base_url=settings.url,
            headers=headers,
            timeout=self._limits(self._timeout),
            verify=ssl.create_default_context(cafile=str(settings.ca_file)) if settings.ca_file else True,
        )

    @staticmethod
    def _limits(timeout: float) -> httpx.Timeout:
        return httpx.Timeout(timeout, connect=min(base.CONNECT_TIMEOUT, timeout))

    def server_version(self) -> str:
        def ask() -> Any:
            # Before a login: no key, no database.
            request = self._client.build_request("GET", "/web/version")
            request.headers.pop("Authorization", None)
            return self._answer(request)

        answer = base.retrying(ask, attempts=self._attempts)
        if not isinstance(answer, dict) or "version" not in answer:
            raise NotOdooError(f"{self._where} answers, but not as Odoo 19.")
        return str(answer["version"])

    def call(
        self, method: str, params: dict[str, Any], *, timeout: float | None = None, once: bool = False
    ) -> Any:
        def send() -> Any:
            return self._answer(
                self._client.build_request(
                    "POST",
                    f"/json/2/{base.MODEL}/{method}",
                    json=params,
                    timeout=self._limits(timeout or self._timeout),
                )
            )

        repeatable = method in base.REPEATABLE and not once
        return base.retrying(send, attempts=self._attempts if repeatable else 1)

    def close(self) -> None:
        self._client.close()

    def _answer(self, request: httpx.Request) -> Any:
        try:
            response = self._client.send(request)
        except httpx.TimeoutException as error:
            raise UnreachableError(f"{self._where} did not answer in time.") from error
        except httpx.HTTPError as error:
            raise UnreachableError(f"{self._where} cannot be reached: {_reason(error)}.") from error
        if response.is_success:
            try:
                return response.json()
            except ValueError as error:
                raise self._not_odoo(response) from error
        raise self._failure(response)

    def _failure(self, response: httpx.Response) -> WorkerError:
        status = response.status_code
        if status in base.RETRIED_STATUSES:
            return base.unavailable(status, response.headers.get("Retry-After"))
        if response.is_redirect:
            return NotOdooError(
                f"{self._where} redirects to {response.headers.get('Location', 'another address')}.",
                "Set `url` to the address it redirects to (https instead of http, most often).",
            )
        try:
            body = response.json()
            name, message = str(body["name"]), str(body["message"])
        except (ValueError, KeyError, TypeError):
            # Refusals before a database is chosen, and those of proxies, are pages for people.
            return base.key_refused() if status == 401 else self._not_odoo(response)
        return base.from_odoo(name, message, status)

    def _not_odoo(self, response: httpx.Response) -> WorkerError:
        kind = response.headers.get("Content-Type", "no content type").split(";")[0]
        return NotOdooError(
            f"{self._where} answers HTTP {response.status_code} with {kind} where Odoo's JSON was expected: "
            "wrong address, unknown database, or something between that is not Odoo."
        )


def _reason(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message})"
        cause = cause.__cause__ or cause.__context__
    return str(error).rstrip(".") or type(error).__name__
