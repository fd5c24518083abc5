"""Files that are there whole or not at all."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


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


def write_text(path: Path, text: str) -> None:
    """The same for a text that everybody may read. Raises `OSError`."""
    write(path, lambda file: file.write(text.encode()), 0o644)
