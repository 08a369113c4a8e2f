"""How an explanation looks on a terminal."""

import io
from datetime import date, datetime

import pytest
from rich.console import Console

from matching import SignalExplanation
from terminal import show_signal

SIGNAL = {
    "signal_id": "s515bd705df891612", "day": date(2026, 1, 11),
    "event_time": datetime(2026, 1, 11, 19, 1, 57), "advertiser_id": "adv_04",  # noqa: DTZ001
    "event_name": "purchase", "order_id": "ord-0001", "source_file": "signals.parquet",
    "source_row": 12, "user_id": "u0019125", "method": "email", "match_probability": 1.0,
    "model_version": "deterministic-2", "conversion_id": "sa84224864342bfb3", "role": "repeat",
}  # fmt: skip
NAMED = {
    "users": 1, "user_id": "u0019125", "first_day": date(2026, 1, 5),
    "last_day": date(2026, 1, 9), "sources": "activity, signals",
}  # fmt: skip
SEVERAL = {**NAMED, "users": 3, "user_id": None, "sources": None}
NOBODY = {**SEVERAL, "users": 0, "first_day": None, "last_day": None}
IDENTIFIERS = [
    {"method": "click_id", **SEVERAL, "outcome": "too_many_users"},
    {"method": "email", **NAMED, "outcome": "followed"},
    {"method": "phone", **NOBODY, "outcome": "impossible_number"},
    {"method": "device_id", **NAMED, "last_day": date(2026, 1, 5), "outcome": "agrees"},
    {"method": "cookie_id", **NAMED, "outcome": "too_many_identifiers"},
    {"method": "external_id", **NOBODY, "outcome": "unknown"},
]
EXPECTED = """\
└── identifiers (6)
    ├── click_id  too_many_users  users 3
    │   └── seen 2026-01-05 to 2026-01-09
    ├── email  followed  user u0019125
    │   └── seen 2026-01-05 to 2026-01-09 in activity, signals
    ├── phone  impossible_number
    ├── device_id  agrees  user u0019125
    │   └── seen 2026-01-05 in activity, signals
    ├── cookie_id  too_many_identifiers  user u0019125
    │   └── seen 2026-01-05 to 2026-01-09 in activity, signals
    └── external_id  unknown
"""


def shown(signal: dict[str, object], identifiers: list[dict[str, object]], width: int) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show_signal(SignalExplanation(signal, identifiers), console=console)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


@pytest.mark.parametrize("width", [80, 100, 200])
def test_a_match_is_explained_within_the_width_of_a_terminal(width: int) -> None:
    text = shown(SIGNAL, IDENTIFIERS, width)
    assert text.endswith(EXPECTED)
    assert len(text.splitlines()) == EXPECTED.count("\n") + 6


def test_a_signal_without_a_match_says_why() -> None:
    nobody = {**SIGNAL, "user_id": None}
    assert "none of its identifiers names one" in shown(nobody, IDENTIFIERS, 80)
    vetoed = [{"method": "email", **NAMED, "outcome": "vetoed"}]
    assert "an identifier that is unique names somebody else" in shown(nobody, vetoed, 80)
