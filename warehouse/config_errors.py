"""What pydantic says of a wrong configuration, in plain sentences that say how to mend it."""

import json
import types
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from warehouse.errors import nearest

_LONGEST: Final = 60
_KEY: Final = "[key]"  # pydantic's last place where a name of a table is wrong
_NUMBER: Final = "must be a whole number, without quotes, such as 4."
_SWITCH: Final = "must be true or false, without quotes."
_TEXT: Final = "must be text in quotes."
_PATH: Final = "must be the path of a file, in quotes."
_CONSTANT: Final = {
    "int_type": _NUMBER,
    "int_parsing": _NUMBER,
    "int_parsing_size": _NUMBER,
    "int_from_float": _NUMBER,
    "bool_type": _SWITCH,
    "bool_parsing": _SWITCH,
    "string_type": _TEXT,
    "path_type": _PATH,
}


def explain(error: ValidationError, root: type[BaseModel]) -> str:
    """Turn the first complaint into one line that names the key and says how to mend it.

    Parameters
    ----------
    error : ValidationError
        What the validation of the whole file raised.
    root : type of BaseModel
        The model of the whole file.
    """
    first = error.errors()[0]
    # Places in a list are left out: what stands there is shown.
    place = [part for part in first["loc"] if isinstance(part, str)]
    if first["type"] == "extra_forbidden":
        section = _section(_kind(place[:-1], root)) or root
        known = nearest(place[-1], section.model_fields)
        return _one_line(f'unknown key "{".".join(place)}": {known}')
    if place[-1:] == [_KEY]:
        table = get_args(_kind(place[:-2], root))
        return f'unknown key "{".".join(place[:-1])}": {nearest(place[-2], _choices(table[0]))}'
    say = _SENTENCES.get(first["type"], _as_told)
    sentence = _CONSTANT.get(first["type"]) or say(first, place, _kind(place, root))
    return _one_line(f"{'.'.join(place)}: {sentence}" if place else sentence)


def _kind(place: list[str], root: type[BaseModel]) -> object:
    """Return the type of what stands at a place."""
    kind: object = root
    for part in place:
        section = _section(kind)
        if section is not None:
            kind = section.model_fields[part].annotation
        elif get_origin(kind) is dict:
            kind = get_args(kind)[1]
    return kind


def _section(kind: object) -> type[BaseModel] | None:
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _choices(kind: object) -> list[str]:
    """Return the words that a key, or each entry of its list, may be."""
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return [str(word) for word in kind]
    if get_origin(kind) in {tuple, Union, types.UnionType}:
        return [word for inner in get_args(kind) for word in _choices(inner)]
    return []


def _not_a_section(first: Mapping[str, Any], place: list[str], kind: object) -> str:
    name, section = ".".join(place), _section(kind)
    if section is None:  # [columns] and [columns.LOG]
        example = f"[{name}]" if len(place) > 1 else f"[{name}.signals]"
        return f'must be a section such as {example} with lines such as url = "your column".'
    fields = section.model_fields
    if all(_section(field.annotation) for field in fields.values()):
        return f"must be sections such as {', '.join(f'[{name}.{key}]' for key in fields)}."
    return f"must be a section such as [{name}] with {', '.join(fields)}."


def _unknown_word(first: Mapping[str, Any], place: list[str], kind: object) -> str:
    given, choices = first["input"], _choices(kind)
    if not isinstance(given, str):
        return f"must be in quotes, one of: {', '.join(choices)}."
    return f"{json.dumps(given[:_LONGEST], ensure_ascii=False)} is not known; " + nearest(
        given, choices
    )


def _not_a_list(first: Mapping[str, Any], place: list[str], kind: object) -> str:
    words = [f'"{word}"' for word in _choices(kind)[:2]] or ['"one"', '"another"']
    if "tuple[tuple[" in str(kind):
        words = [f"[{word}]" for word in words]
    return f"must be a list such as [{', '.join(words)}]."


def _too_few(first: Mapping[str, Any], place: list[str], kind: object) -> str:
    return f"is empty; name at least {first['ctx']['min_length']} of: {', '.join(_choices(kind))}."


def _too_small(first: Mapping[str, Any], place: list[str], kind: object) -> str:
    return f"must be {first['ctx']['ge']:,} or more, not {_number(first['input'])}."


def _not_above(first: Mapping[str, Any], place: list[str], kind: object) -> str:
    return f"must be more than {first['ctx']['gt']:,}, not {_number(first['input'])}."


def _too_large(first: Mapping[str, Any], place: list[str], kind: object) -> str:
    return f"must be {first['ctx']['le']:,} or less, not {_number(first['input'])}."


def _number(given: float) -> str:
    """Return a number as it was given, unless it is a line of its own (and str() may refuse it)."""
    return str(given) if abs(given) < 10**20 or given != given else "a number of that many digits"


def _as_told(first: Mapping[str, Any], place: list[str], kind: object) -> str:
    """Return the sentence of a validator of ours, or of pydantic where none of ours fits."""
    return f"{first['msg'].removeprefix('Value error, ')}."


_SENTENCES: Final[Mapping[str, Callable[[Mapping[str, Any], list[str], object], str]]] = {
    "model_type": _not_a_section,
    "dict_type": _not_a_section,
    "enum": _unknown_word,
    "tuple_type": _not_a_list,
    "too_short": _too_few,
    "greater_than_equal": _too_small,
    "greater_than": _not_above,
    "less_than_equal": _too_large,
}


def _one_line(sentence: str) -> str:
    return " ".join(sentence.split())
