"""Files that are there whole or not at all."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

#: Nobody writes a file for so long: whoever began it is gone.
STALE = 3600


def write(path: Path, contents: Callable[[BinaryIO], object], mode: int = 0o600) -> None:
    """Writes a file so that a reader sees the old one or the new one, never a half. Raises `OSError`.

    Args:
        contents: is given the file to write to.
        mode: who may read it, nobody else unless given.
    """
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            contents(file)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:  # Ctrl-C leaves nothing behind either
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise


def sweep(folder: Path) -> None:
    """Removes what writers that were killed have left half written in a folder, `STALE` seconds ago or earlier."""
    for left in folder.glob(".*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE:
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def write_text(path: Path, text: str) -> None:
    """The same for a text that everybody may read. Raises `OSError`."""
    write(path, lambda file: file.write(text.encode()), 0o644)
