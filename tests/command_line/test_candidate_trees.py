"""How the candidates of a model look on a terminal."""

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from matching import Candidacy, Outcome, SignalExplanation
from terminal import show_signal
from tests.command_line.test_explanations import UNMATCHED

BEST: dict[str, object] = {
    "rank": 1, "user_id": "u1", "match_probability": 0.25, "kept_probability": 0.25,
    "declared": False, "log_odds": 1.0, "alone": 0.731, "contacts": {"email": False},
    "contact_log_odds": -1.9, "start": -2.0,
    "contributions": [
        {"feature": "address_users", "value": 2.0, "contribution": 4.0},
        {"feature": "device_count", "value": 0.0, "contribution": -1.0},
    ],
    "shared": [
        {"kind": "address", "times": 3, "days": 1, "hours_before": 0.5, "users": 3,
         "of_users": 48_120},
        {"kind": "device", "times": 1, "days": 1, "hours_before": -50.0, "users": 900,
         "of_users": 48_120},
    ],
}  # fmt: skip
LIMIT: dict[str, object] = {
    "rule": "probability", "target": 0.5, "threshold": 0.5, "held_out": 120,
    "expected_precision": 0.8,
}  # fmt: skip
TOKENS: list[dict[str, object]] = [
    {"kind": "address", "users": 3, "of_users": 48_120, "sought": True},
    {"kind": "network", "users": 0, "of_users": 48_120, "sought": False},
    {"kind": "network_device", "users": 3_000, "of_users": 48_120, "sought": False},
    {"kind": "agent", "users": 9_000, "of_users": 48_120, "sought": None},
]
COMPETED = Candidacy(Outcome.NOT_DECLARED, "pairs-1", LIMIT, 2, 0.7, [BEST], TOKENS)
CANDIDATES = """\
└── candidates (2, the best 1 shown)
    ├── not declared: .250 is below .500 (probability)
    │   └── expected to be right: .800 of what is declared (120 held out)
    ├── nobody .700
    ├── the signal shows no screen, no town, no language, no timezone
    └── 1  user u1  .250
        ├── shared with the signal, the rarest first
        │   address  3 times  1 day  30 min before    3 of 48,120 users
        │   device    1 time  1 day      2 d after  900 of 48,120 users
        ├── not shared: network, user agent
        ├── why, in log-odds of this user against nobody
        │   start           -2.00 ┃
        │   address users 2 +4.00 ██████████████████████████
        │   device count  0 -1.00                    ▒▒▒▒▒▒▒
        │   log-odds        +1.00                    ┃
        └── email differs  (-1.90)  alone .731  beside 1 other candidate .250
"""


def competed(**changes: Any) -> str:
    """Return what is told of the candidates of a signal, without spaces at the ends of lines."""
    console = Console(file=io.StringIO(), width=80, highlight=False)
    found = replace(COMPETED, **changes)
    show_signal(SignalExplanation(UNMATCHED, [], [], found), console=console)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    whole = "\n".join(line.rstrip() for line in text.splitlines())
    return whole[whole.index("└── candidates") :] + "\n"


def verdict(declared: bool = False, **limit: object) -> str:
    outcome = Outcome.DECLARED if declared else Outcome.NOT_DECLARED
    text = competed(outcome=outcome, threshold={**LIMIT, **limit})
    return text.splitlines()[1].removeprefix("    ├── ")


def test_candidates_are_explained_within_80_columns() -> None:
    assert competed() == CANDIDATES


def test_bars_stand_without_colour() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="standard")
    show_signal(SignalExplanation(UNMATCHED, [], [], COMPETED), console=console)
    coloured: str = console.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b[32m█" in coloured
    assert "\x1b[31m▒" in coloured


@pytest.mark.parametrize(
    ("declared", "limit", "says"),
    [
        (True, {"threshold": 0.2}, "declared: .250 is at least .200 (probability)"),
        (False, {}, "not declared: .250 is below .500 (probability)"),
        (
            False,
            {"rule": "precision", "target": 0.9},
            "not declared: .250 is below .500 (precision .900)",
        ),
        (
            False,
            {"rule": "precision", "target": 0.99, "threshold": 1.01, "expected_precision": None},
            "not declared: no probability is expected to reach the precision .990",
        ),
        (
            False,
            {"threshold": 0.2},
            "not declared: by another threshold than today's .200 (probability)",
        ),
    ],
)
def test_a_verdict_names_the_rule(declared: bool, limit: dict[str, object], says: str) -> None:
    assert verdict(declared, **limit) == says


def test_a_day_without_thresholds_says_so() -> None:
    assert "not declared: no threshold is stored for its log day" in competed(threshold=None)


def test_whatever_keeps_candidates_away_is_told() -> None:
    text = competed(outcome=Outcome.NO_CANDIDATE, candidates=[], competing=0)
    told = " ".join(text.split()).removeprefix("└── candidates (0) └── no candidate: it shows ")
    assert told == (
        "no screen, no town, no language, no timezone; no user shows its network; too many users "
        "share its network + device (3,000 of 48,120)"
    )


@pytest.mark.parametrize("outcome", [Outcome.NO_MODEL, Outcome.BOT, Outcome.FORGOTTEN])
def test_a_signal_that_looks_for_nobody_says_why(outcome: Outcome) -> None:
    text = competed(outcome=outcome, candidates=[], tokens=[], competing=0)
    assert text.startswith("└── candidates\n    └── no")


def test_changes_and_lost_models_are_told_in_a_line() -> None:
    text = competed(changed=True, problem="folder: no model can be read there.", nobody=None)
    assert "    ├── folder: no model can be read there.\n" in text
    assert "    ├── no longer as kept: logs, model or configuration have changed since\n" in text
    assert "nobody .700" not in text
