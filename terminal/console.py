"""The two streams, the progress bar, files, and how a command ends."""

import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from warehouse.errors import AdscribeError, ConfigError

_WIDTH_OF_FILES = 200


def out() -> Console:
    """Return the console for results, standard output.

    A file or pipe has no width: it is that of the variable COLUMNS, else wide enough for most.
    """
    console = Console(highlight=False)
    if not console.is_terminal and not os.environ.get("COLUMNS", "").isdigit():
        console.width = _WIDTH_OF_FILES
    return console


def err() -> Console:
    """Return the console for everything else, standard error."""
    return Console(stderr=True, highlight=False)


def guard(command_line: Callable[[], object]) -> None:
    """Run a command line so that whatever ends it early is one line and an exit code.

    Errors made on purpose end with 1, an interrupt or termination with 128 and the signal's number.
    Under ADSCRIBE_TRACEBACK a defect shows its traceback.
    """
    stopped = []

    def stop(number: int, _frame: object) -> None:
        stopped.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        command_line()
    except AdscribeError as error:
        _tell(" ".join(str(error).split()))
        raise SystemExit(1) from error
    except BaseException as error:
        if stopped:  # DuckDB and click turn an interrupt into errors of their own
            _tell(
                "stopped. Finished stages are kept, nothing of the one at work; run the command "
                "again."
            )
            raise SystemExit(128 + stopped[0]) from error
        if isinstance(error, SystemExit) or "ADSCRIBE_TRACEBACK" in os.environ:
            raise
        # The message and the traceback may hold rows of the logs.
        _tell(
            f"{type(error).__name__}: a defect of adscribe. Please report it with what the command "
            "prints under ADSCRIBE_TRACEBACK=1, after a look that it holds no secret."
        )
        raise SystemExit(1) from error


def _tell(message: str) -> None:
    sys.stderr.write(f"adscribe: {message}\n")


class _ConsoleHandler(logging.Handler):
    """Print log lines above a progress bar that may be on the same console."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(Text(self.format(record)), soft_wrap=True)


@contextmanager
def progress_bar() -> Iterator[Callable[[str, float], None]]:
    """Print what is logged and, on a terminal, show a bar; give a function that moves it.

    The function takes what is being done and the share done, from 0 to 1.
    """
    console = err()
    columns = (TextColumn("{task.description:<28}"), BarColumn(40), TimeElapsedColumn())
    handler, log = _ConsoleHandler(console), logging.getLogger("adscribe")
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        hidden = not console.is_terminal
        with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
            task = bar.add_task("", total=1.0)
            yield lambda text, share: bar.update(task, description=text, completed=share)
    finally:
        log.removeHandler(handler)


def show_written(folder: Path, rows: Mapping[str, int]) -> None:
    """Print how many rows of each table were written to a folder."""
    console = out()
    for table, count in rows.items():
        console.print(f"{table:<14} {count:>12,} rows")
    console.print(f"written to {folder}", soft_wrap=True)


def show_note(text: str) -> None:
    """Print what must be known beside a result that is a file, on standard error."""
    _tell(f"note: {text}")


def show_json(value: object) -> None:
    """Print plain values as JSON; times and decimals as text."""
    sys.stdout.write(json.dumps(value, default=str, indent=2) + "\n")


def save(path: Path, content: bytes) -> None:
    """Write a file.

    Raises
    ------
    ConfigError
        If it cannot be written.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}. Name a file that can be written.") from error
