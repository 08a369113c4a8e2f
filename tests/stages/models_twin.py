"""The rule models in plain Python: a path's weights, and whole millionths by largest remainder."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import lcm
from typing import Final, TypeVar

from tests.stages.identity_twin import Row
from warehouse.attribution_config import AttributionConfig, Model

MICROS: Final = 1_000_000
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Path:
    """The touches of one user that may earn one conversion, none of them refused.

    Attributes
    ----------
    by_time : list of Row
        The earliest first.
    by_precedence : list of Row
        The winner first.
    """

    conversion: Row
    by_time: list[Row]
    by_precedence: list[Row]


# the weight of each touch of a path, by touch_id, and under None the weight of organic
Weights = dict[str | None, Fraction]


def weights(model: Model, path: Path, rules: AttributionConfig) -> Weights:
    """Return what a model gives to each touch of a path; all is organic's where there is none."""
    found = _MODELS[model](path, rules) if path.by_time else {}
    earning = {touch_id: weight for touch_id, weight in found.items() if weight}
    return earning or {None: Fraction(1)}


def apportion(
    whole: int, shares: Mapping[Key, Fraction], order: Callable[[Key], object]
) -> dict[Key, int]:
    """Divide a whole number: each share is rounded down, the largest remainders get what is left.

    Equal remainders are served by `order`.
    """
    # over one denominator the division is exact in whole numbers, and far quicker
    common = lcm(*(share.denominator for share in shares.values()))
    scaled = {key: share.numerator * (common // share.denominator) for key, share in shares.items()}
    total = sum(scaled.values())
    parts = {key: whole * share // total for key, share in scaled.items()}
    remainders = {key: whole * share % total for key, share in scaled.items()}
    turns = sorted(shares, key=order)
    turns.sort(key=remainders.__getitem__, reverse=True)
    for key in turns[: whole - sum(parts.values())]:
        parts[key] += 1
    return parts


def rounded(number: float) -> int:
    """Return the nearest whole number, halves away from zero."""
    return int(Decimal(number).quantize(Decimal(1), ROUND_HALF_UP))


def _last_touch(path: Path, rules: AttributionConfig) -> Weights:
    return {path.by_precedence[0]["touch_id"]: Fraction(1)}


def _last_click(path: Path, rules: AttributionConfig) -> Weights:
    clicks = [touch for touch in path.by_time if touch["kind"] == "click"]
    clicks.sort(key=lambda touch: touch["event_time"], reverse=True)
    return {touch["touch_id"]: Fraction(1) for touch in clicks[:1]}


def _first_touch(path: Path, rules: AttributionConfig) -> Weights:
    return {path.by_time[0]["touch_id"]: Fraction(1)}


def _linear(path: Path, rules: AttributionConfig) -> Weights:
    return {touch["touch_id"]: Fraction(1) for touch in path.by_time}


def _time_decay(path: Path, rules: AttributionConfig) -> Weights:
    """Return billionths, at least one, for a sum of roots has no exact value."""
    found, half_life = {}, timedelta(hours=rules.half_life_hours)
    for touch in path.by_time:
        half_lives = (path.conversion["time"] - touch["event_time"]) / half_life
        found[touch["touch_id"]] = Fraction(max(1, rounded(1e9 * 2.0**-half_lives)))
    return found


def _position_based(path: Path, rules: AttributionConfig) -> Weights:
    first = Fraction(rounded(rules.first_share * MICROS))
    last = Fraction(rounded(rules.last_share * MICROS))
    *_, last_id = ids = [touch["touch_id"] for touch in path.by_time]
    if len(ids) == 1:
        return {last_id: Fraction(1)}
    between = ids[1:-1]
    found = {touch_id: (MICROS - first - last) / len(between) for touch_id in between}
    return {ids[0]: first, **found, last_id: last}


_MODELS: Final[Mapping[Model, Callable[[Path, AttributionConfig], Weights]]] = {
    Model.LAST_TOUCH: _last_touch,
    Model.LAST_CLICK: _last_click,
    Model.FIRST_TOUCH: _first_touch,
    Model.LINEAR: _linear,
    Model.TIME_DECAY: _time_decay,
    Model.POSITION_BASED: _position_based,
}
