"""Run a command as a child process and read its wall time and peak memory."""

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """What one child process took.

    Attributes
    ----------
    seconds : float
        Wall time.
    peak_gib : float
        Most memory held at once (resident), in GiB.
    output : str
        What it printed.
    """

    seconds: float
    peak_gib: float
    output: str


def measured(command: Sequence[str], **environment: str) -> Measured:
    """Run `command` to its end; a failure is an error that shows what it printed."""
    started = time.monotonic()
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **environment},
    ) as child:
        assert child.stdout is not None  # noqa: S101 -- told to Popen above
        output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}:\n{output}")
    return Measured(time.monotonic() - started, usage.ru_maxrss / 1024**2, output)
