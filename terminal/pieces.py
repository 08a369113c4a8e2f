"""Lines of explanations: names and values that stay together, on a narrow terminal below."""

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

_BETWEEN = "  "


class Pieces:
    """A line of pieces, such as a name and its value, of which none is broken where it fits.

    What is too long for the rest of a line goes on below, indented.
    """

    def __init__(self, pieces: Iterable[Text]) -> None:
        self._pieces = tuple(pieces)

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines that fit the width."""
        line = Text()
        for piece in self._pieces:
            wanted = line.cell_len + len(_BETWEEN) + piece.cell_len
            if line and wanted > options.max_width:
                yield line
                line = Text(_BETWEEN)
            elif line:
                line.append(_BETWEEN)
            line.append_text(piece)
        yield line


def named(name: str, value: Text | str) -> Text:
    """Return a value after its name."""
    text = Text().append(f"{name} ", style="dim")
    return text.append_text(value) if isinstance(value, Text) else text.append(value)
