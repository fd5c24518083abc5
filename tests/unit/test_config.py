"""Settings: precedence, one sentence for whatever is wrong, and a key that stays secret."""

import io
import logging
from pathlib import Path

import pytest

from sync_worker import config, logs
from sync_worker.errors import InputError

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_options_before_environment_before_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = write(tmp_path / "c.toml", 'url = "https://file"\ndatabase = "file"\ntimeout = 11\n')
    monkeypatch.setenv("SYNC_WORKER_DATABASE", "environment")
    monkeypatch.setenv("SYNC_WORKER_URL", "https://environment")
    settings = config.load(file, url="https://option", database=None)
    assert (settings.url, settings.database, settings.timeout) == ("https://option", "environment", 11)


def test_file_from_the_environment_and_the_usual_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    usual = write(tmp_path / "sync-worker.toml", 'url = "https://usual"')
    assert config.load().url == "https://usual"
    assert config.find_file(None).resolve() == usual
    named = write(tmp_path / "named.toml", 'url = "https://named"')
    monkeypatch.setenv("SYNC_WORKER_CONFIG", str(named))
    assert config.load().url == "https://named"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "`url` is missing"),
        ('url = "odoo.example.com"', "`url` is wrong: must begin with http"),
        ('url = "https://x"\ncolour = 1', "no setting `colour`"),
        ('url = "https://x"\ntimeout = 0', "`timeout` is wrong"),
        ('url = "https://x"\ntransport = "xml"', "`transport` is wrong"),
        ("url = ", "not valid TOML"),
    ],
)
def test_one_sentence_for_what_is_wrong(tmp_path: Path, text: str, words: str):
    with pytest.raises(InputError) as caught:
        config.load(write(tmp_path / "c.toml", text))
    assert words in caught.value.message
    assert caught.value.exit_code == 2
    assert caught.value.mend


def test_missing_file(tmp_path: Path):
    with pytest.raises(InputError, match="no configuration file"):
        config.load(tmp_path / "absent.toml")


def test_key_from_environment_file_and_key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    key_file = write(tmp_path / "key", f"{KEY}\n")
    assert config.load(url="https://x", api_key_file=key_file).key() == KEY
    file = write(tmp_path / "c.toml", 'url = "https://x"\napi_key = "from the file"')
    assert config.load(file).key() == "from the file"
    monkeypatch.setenv("SYNC_WORKER_API_KEY", "from the environment")
    assert config.load(file).key() == "from the environment"


def test_no_key(tmp_path: Path):
    with pytest.raises(InputError, match="No API key"):
        config.load(url="https://x").key()
    with pytest.raises(InputError, match="cannot be read: No such file"):
        config.load(url="https://x", api_key_file=tmp_path / "absent").key()


def test_secrets_others_can_read_are_warned_of(tmp_path: Path):
    file = write(tmp_path / "c.toml", f'url = "https://x"\napi_key = "{KEY}"')
    file.chmod(0o644)
    [warning] = config.warnings(config.load(file), file)
    assert "chmod 600" in warning
    file.chmod(0o600)
    assert config.warnings(config.load(file), file) == []
    key_file = write(tmp_path / "key", KEY)
    key_file.chmod(0o644)
    [warning] = config.warnings(config.load(url="https://x", api_key_file=key_file))
    assert str(key_file) in warning


@pytest.mark.parametrize(
    ("url", "count"), [("http://odoo.lan:8069", 1), ("http://localhost:8069", 0), ("https://o", 0)]
)
def test_a_key_in_clear_over_a_network_is_warned_of(url: str, count: int):
    assert len(config.warnings(config.load(url=url, api_key=KEY))) == count


def test_the_key_is_not_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SYNC_WORKER_API_KEY", KEY)
    settings = config.load(url="https://x")
    assert KEY not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_the_key_is_not_logged():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(logs.redaction)
    logger = logging.getLogger("test_the_key_is_not_logged")
    logger.addHandler(handler)
    logger.propagate = False
    logs.redaction.hide(KEY)
    logger.warning("sent %s", {"password": KEY})
    try:
        raise ValueError(f"bad {KEY}")
    except ValueError:
        logger.exception("failed")
    assert KEY not in stream.getvalue()
    assert stream.getvalue().count(logs.HIDDEN) == 2
    assert "ValueError" in stream.getvalue()
