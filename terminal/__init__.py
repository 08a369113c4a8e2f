"""What adscribe shows on a terminal.

``console`` has the two streams, the progress bar, and how a command ends; ``tables`` prints frames
and ``trees`` explanations; ``values`` writes a single value.
"""

from terminal.console import err, guard, out, progress_bar, save, show_json, show_written
from terminal.tables import show_evaluation, show_frame
from terminal.trees import show_conversion, show_signal

__all__ = [
    "err",
    "guard",
    "out",
    "progress_bar",
    "save",
    "show_conversion",
    "show_evaluation",
    "show_frame",
    "show_json",
    "show_signal",
    "show_written",
]
