"""Protocols against a small real HTTP server: what is retried, and what each kind of answer means."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import tenacity

from sync_worker import config
from sync_worker.errors import (
    ContractError,
    LeaseLostError,
    NotOdooError,
    RefusedError,
    RunError,
    ServerError,
    UnreachableError,
    WorkerError,
)
from sync_worker.transport import Transport, connect

KEY = "0123456789abcdef0123456789abcdef"


class Server:
    """Answers requests with what the test queued; the last answer stays."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length) or b"null")
                outer.requests.append((self.path, dict(self.headers), body))
                status, headers, content = (
                    outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                )
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST  # noqa: N815

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def queue(self, status: int, value: Any, **headers: str) -> "Server":
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        kind = "text/html" if isinstance(value, bytes) else "application/json"
        self.answers.append((status, {"Content-Type": kind, **given}, content))
        return self

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hardly any pauses, but for what the server asks for."""
    monkeypatch.setattr(tenacity, "wait_exponential", lambda **_: tenacity.wait_none())
    monkeypatch.setattr(tenacity, "wait_random", lambda *_: tenacity.wait_fixed(0.01))


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def json2(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Transport]:
    monkeypatch.setenv("SYNC_WORKER_API_KEY", KEY)
    transport = connect(config.load(url=server.url, database="db", attempts=3, timeout=2))
    yield transport
    transport.close()


def odoo_error(name: str, message: str) -> dict[str, Any]:
    return {
        "name": name,
        "message": message,
        "arguments": [message],
        "context": {},
        "debug": f"Traceback: {KEY}",
    }


def failure(call: Callable[[], Any]) -> WorkerError:
    with pytest.raises(WorkerError) as caught:
        call()
    text = f"{caught.value.message} {caught.value.mend}"
    assert "Traceback" not in text
    assert KEY not in text
    assert caught.value.mend
    return caught.value


def test_request_is_what_json2_expects(server: Server, json2: Transport):
    server.queue(200, {"contract": 1})
    assert json2.call("describe", {"a": 1}) == {"contract": 1}
    [(path, headers, body)] = server.requests
    assert path == "/json/2/crm.value.sync/describe"
    assert headers["Authorization"] == f"bearer {KEY}"
    assert headers["X-Odoo-Database"] == "db"
    assert headers["Content-Type"] == "application/json"
    assert body == {"a": 1}


def test_version_is_asked_without_the_key(server: Server, json2: Transport):
    server.queue(200, {"version": "19.0", "version_info": [19, 0, 0, "final", 0, ""]})
    assert json2.server_version() == "19.0"
    [(path, headers, _)] = server.requests
    assert path == "/web/version"
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("status", "name", "message", "kind", "code"),
    [
        (401, "werkzeug.exceptions.Unauthorized", "Invalid apikey", RefusedError, 4),
        (403, "odoo.exceptions.AccessError", "Only users of the group may do this.", RefusedError, 4),
        (404, "werkzeug.exceptions.NotFound", "the model 'crm.value.sync' does not exist", ContractError, 5),
        (422, "odoo.exceptions.UserError", "[lease-lost] Run #3 is no longer yours.", LeaseLostError, 7),
        (422, "odoo.exceptions.UserError", "[contract] Unknown column x.", ContractError, 5),
        (422, "odoo.exceptions.UserError", "[count-mismatch] 3 rows arrived of 4.", RunError, 7),
        (422, "odoo.exceptions.ValidationError", "A constraint.", RunError, 7),
        (500, "builtins.ValueError", "Invalid field", ServerError, 1),
    ],
)
def test_refusals(server: Server, json2: Transport, *, status, name, message, kind, code):
    server.queue(status, odoo_error(name, message))
    error = failure(lambda: json2.call("describe", {}))
    assert type(error) is kind
    assert error.exit_code == code
    assert len(server.requests) == 1, "a refusal is not asked for again"


def test_the_code_of_a_refusal_is_for_machines(server: Server, json2: Transport):
    server.queue(422, odoo_error("odoo.exceptions.UserError", "[lease-lost] Run #3 is no longer yours."))
    assert failure(lambda: json2.call("beat", {})).message == "Run #3 is no longer yours."


@pytest.mark.parametrize("status", [200, 404, 500])
def test_html_is_not_odoo(server: Server, json2: Transport, status: int):
    server.queue(status, b"<html>shop</html>")
    error = failure(lambda: json2.call("describe", {}))
    assert type(error) is NotOdooError
    assert "text/html" in error.message
    assert len(server.requests) == 1


def test_redirect_is_named(server: Server, json2: Transport):
    server.queue(301, b"", Location="https://odoo.example.com/json")
    error = failure(lambda: json2.call("describe", {}))
    assert "https://odoo.example.com/json" in error.message
    assert error.exit_code == 3


@pytest.mark.parametrize("method", ["describe", "export_history", "publish", "close_run", "beat"])
@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (503, b"<html>busy</html>"),
        (429, b"slowly"),
        (500, odoo_error("psycopg2.errors.SerializationFailure", "could not serialize access")),
    ],
)
def test_what_passes_is_tried_again(server: Server, json2: Transport, method, status, answer):
    server.queue(status, answer).queue(200, {"fine": True})
    assert json2.call(method, {}) == {"fine": True}
    assert len(server.requests) == 2


def test_claims_are_never_repeated(server: Server, json2: Transport):
    server.queue(503, b"busy").queue(200, {})
    assert failure(lambda: json2.call("claim_run", {})).exit_code == 3
    assert len(server.requests) == 1


def test_a_call_can_be_sent_once(server: Server, json2: Transport):
    server.queue(503, b"busy").queue(200, {})
    failure(lambda: json2.call("beat", {}, once=True))
    assert len(server.requests) == 1


def test_retries_end(server: Server, json2: Transport):
    server.queue(502, b"bad gateway")
    error = failure(lambda: json2.call("describe", {}))
    assert error.exit_code == 3
    assert len(server.requests) == 3


def test_the_server_says_how_long_to_wait(server: Server, json2: Transport):
    server.queue(429, b"", Retry_After="2").queue(200, {})
    started = time.monotonic()
    json2.call("describe", {})
    assert time.monotonic() - started >= 2


@pytest.mark.parametrize("transport", ["json2", "odoorpc"])
def test_nobody_listens(monkeypatch: pytest.MonkeyPatch, transport: str):
    monkeypatch.setenv("SYNC_WORKER_API_KEY", KEY)
    settings = config.load(
        url="http://127.0.0.1:9", database="db", login="me", transport=transport, attempts=1
    )
    error = failure(lambda: connect(settings).call("describe", {}))
    assert type(error) is UnreachableError
    assert "refused" in error.message


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (200, b"<html>shop</html>", NotOdooError),
        (404, b"<html>", NotOdooError),
        (503, b"busy", UnreachableError),
    ],
)
def test_legacy_protocol_meets_something_else(server: Server, monkeypatch, status, answer, kind):
    monkeypatch.setenv("SYNC_WORKER_API_KEY", KEY)
    settings = config.load(url=server.url, database="db", login="me", transport="odoorpc", attempts=1)
    server.queue(status, answer)
    assert type(failure(lambda: connect(settings).call("describe", {}))) is kind
