"""What adscribe shows on a terminal.

``console`` has the two streams, the progress bar, and how a command ends; ``tables`` prints frames
``evaluations`` figures and ``trees`` explanations; ``values`` writes a single value.
"""

from terminal.console import (
    err,
    guard,
    out,
    progress_bar,
    save,
    show_json,
    show_note,
    show_written,
)
from terminal.evaluations import show_blocking, show_evaluation, show_held_out
from terminal.models import show_model
from terminal.signal_trees import show_signal
from terminal.tables import show_frame
from terminal.trees import show_conversion

__all__ = [
    "err",
    "guard",
    "out",
    "progress_bar",
    "save",
    "show_blocking",
    "show_conversion",
    "show_evaluation",
    "show_frame",
    "show_held_out",
    "show_json",
    "show_model",
    "show_note",
    "show_signal",
    "show_written",
]
