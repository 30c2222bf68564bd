"""Files that something else writes while a command runs, by their name."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from hauberk.cli import files
from hauberk.cli.failure import Failure


def is_standard(output: Path) -> bool:
    """Tell whether a name means standard output."""
    return output in {files.STANDARD, Path("/dev/stdout")}


@contextmanager
def written(output: Path) -> Generator[Path, None, None]:
    """
    Give a file to write to, and make its content the output's once it is whole; after an error the output is what it was.

    Links, pipes and devices are written directly. Standard output cannot be opened by name, as a file there would lose what it has: it
    gets its content at the end.

    Raises:
        Failure: If the output cannot be written.
    """
    with ExitStack() as stack:
        if is_standard(output):
            file = Path(stack.enter_context(NamedTemporaryFile(prefix="hauberk-")).name)
        elif files.is_plain(output):
            # Beside the target and renamed, so that an error does not spoil what is there.
            file = output.with_name(f".{output.name}.{os.getpid()}")
            stack.callback(file.unlink, missing_ok=True)
        else:
            file = output
        try:
            yield file
            if is_standard(output):
                with file.open(encoding="utf-8") as content:
                    shutil.copyfileobj(content, sys.stdout)
            elif file != output:
                file.replace(output)
        except BrokenPipeError:  # whoever reads along has read enough
            raise
        except OSError as error:
            raise Failure(f"{output}: cannot be written: {error.strerror or error}") from None
