"""Options of the public functions, each kind of them checked in one place."""

from enum import StrEnum
from operator import index
from typing import SupportsIndex, TypeVar

from calibration.errors import CalibrationError

Choice = TypeVar("Choice", bound=StrEnum)


def require_level(level: float, name: str = "level") -> None:
    """Refuse a level that is not between 0 and 1.

    Raises
    ------
    CalibrationError
        If it is not.
    """
    if not (_is_number(level) and 0 < level < 1):
        raise CalibrationError(f"{name} = {level!r}: give a share between 0 and 1, such as 0.95")


def require_whole(value: SupportsIndex, name: str, *, least: int = 1) -> int:
    """Return a whole number of at least so many.

    Raises
    ------
    CalibrationError
        If it is none: text, a fraction, true, or a smaller one.
    """
    try:
        number = None if isinstance(value, bool) else index(value)
    except TypeError:
        number = None
    if number is None or number < least:
        raise CalibrationError(f"{name} = {value!r}: give a whole number of at least {least}")
    return number


def require_choice(kind: type[Choice], value: str, name: str) -> Choice:
    """Return the choice that is meant, which may be given as its text or its name.

    Raises
    ------
    CalibrationError
        If it is none of them.
    """
    wanted = str(value).lower().replace("_", " ")
    for choice in kind:
        if wanted in (choice.value.replace("_", " "), choice.name.lower().replace("_", " ")):
            return choice
    told = ", ".join(repr(choice.value) for choice in kind)
    raise CalibrationError(f"{name} = {value!r}: give one of {told}")


def _is_number(value: object) -> bool:
    return not isinstance(value, bool | str) and hasattr(value, "__float__")
