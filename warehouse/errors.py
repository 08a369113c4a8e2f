"""The errors that adscribe raises on purpose.

::

    AdscribeError
    ├── ConfigError        a configuration file or option that cannot be used
    ├── InputFileError     a log file or folder that cannot be read at all
    ├── WarehouseError     a warehouse file that cannot be opened or does not fit this version
    │   └── WarehouseBusyError   another process is writing to it
    ├── UnknownNameError   a report, signal, conversion or model that does not exist
    └── InsufficientDataError    too few rows for the figure asked for

Each message is one line that says what is wrong, where, and how to mend it. The command line prints
it and exits with 1; anything else that escapes is a defect of adscribe.
"""

import difflib
from collections.abc import Iterable


class AdscribeError(Exception):
    """The root of every error that adscribe raises on purpose."""


class ConfigError(AdscribeError):
    """A configuration file or an option that cannot be used."""


class InputFileError(AdscribeError):
    """A log file or folder that cannot be read at all."""


class WarehouseError(AdscribeError):
    """A warehouse file that cannot be opened or does not fit this version."""


class WarehouseBusyError(WarehouseError):
    """Another process holds the warehouse open for writing."""


class UnknownNameError(AdscribeError):
    """A name that stands for nothing: a report, a signal, a conversion, a model."""


class InsufficientDataError(AdscribeError):
    """Too few rows for the figure that was asked for."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name most like `name` as the mend of an error, or the list of them all.

    Parameters
    ----------
    name : str
        What was given.
    known : iterable of str
        What would have been valid.

    Returns
    -------
    str
        A clause such as ``did you mean "match_rate"?``.
    """
    choices = sorted(known)
    close = difflib.get_close_matches(name, choices, n=1, cutoff=0.6)
    return f'did you mean "{close[0]}"?' if close else "one of: " + ", ".join(choices) + "."
