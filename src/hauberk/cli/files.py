"""Reading and writing the files that commands are given: nothing is overwritten unasked, keys are for their owner alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from hauberk.cli.failure import Failure

STANDARD = Path("-")
"""Stands for standard input or output."""

_LARGEST = 64 * 2**20


def read_bytes(file: Path) -> bytes:
    """
    Read a whole file, or standard input for `-`.

    Raises:
        Failure: If it cannot be read or is larger than 64 MiB.
    """
    try:
        if file == STANDARD:
            content = sys.stdin.buffer.read(_LARGEST + 1)
        else:
            with file.open("rb") as stream:
                content = stream.read(_LARGEST + 1)
    except FileNotFoundError:
        raise Failure(f"{file}: there is no such file") from None
    except OSError as error:
        raise Failure(f"{file}: cannot be read: {error.strerror}") from None
    if len(content) > _LARGEST:
        raise Failure(f"{file}: is larger than {_LARGEST // 2**20} MiB")
    return content


def read_text(file: Path) -> str:
    """
    Read a whole text file in UTF-8, or standard input for `-`.

    Raises:
        Failure: If it cannot be read or is no text.
    """
    try:
        return read_bytes(file).decode("utf-8")
    except UnicodeDecodeError:
        raise Failure(f"{file}: is not text in UTF-8", "a PEM or YAML file is expected; 'openssl … -inform DER' converts DER") from None


def refuse_existing(files: list[Path], *, force: bool) -> None:
    """
    Check that files may be written, before anything is done that cannot be undone.

    Raises:
        Failure: If one exists and `force` was not given.
    """
    for file in files:
        if file.is_dir():
            raise Failure(f"{file}: is a folder; a file's name is expected")
        if file.exists() and not force:
            raise Failure(f"{file}: exists already, so nothing was done", "--force overwrites it, or choose another name")


def refuse_inputs(output: Path, inputs: Iterable[Path]) -> None:
    """
    Check that what is written does not take the place of what it is made from, also not by another name.

    Raises:
        Failure: If it would.
    """
    for file in inputs:
        if file.is_file() and output.is_file() and output.samefile(file):
            raise Failure(f"{output}: is read as well, so nothing was written", "give -o another name", status=2)


def is_plain(file: Path) -> bool:
    """Tell whether a file is, or would be, an ordinary one. Links, pipes and devices are written through, never replaced."""
    return not file.is_symlink() and (file.is_file() or not file.exists())


def write(file: Path, content: bytes | str, *, force: bool = False, private: bool = False) -> None:
    """
    Write a file, making its folder.

    Args:
        file: Where.

        content: What.

        force: Overwrite a file that is there.

        private: Only the owner may read it (mode 0600), from the first byte on.

    Raises:
        Failure: If it exists and `force` was not given, or it cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    if force and not private and not is_plain(file):
        _write_into(file, data)
        return
    # Beside the target and renamed, so that neither a full disk nor a mode that was too wide spoils a file that is there.
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600 if private else 0o644)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            if force:
                temporary.replace(file)
            else:
                os.link(temporary, file)
        finally:
            temporary.unlink(missing_ok=True)
    except FileExistsError:
        if not os.path.lexists(file):  # then it is its folder that is a file
            raise Failure(f"{file}: cannot be written: {file.parent} is not a folder") from None
        raise Failure(f"{file}: exists already, so nothing was written", "--force overwrites it, or choose another name") from None
    except OSError as error:
        raise Failure(f"{file}: cannot be written: {error.strerror}") from None


def _write_into(file: Path, data: bytes) -> None:
    try:
        file.write_bytes(data)
    except OSError as error:
        raise Failure(f"{file}: cannot be written: {error.strerror}") from None
