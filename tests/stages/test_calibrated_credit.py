"""Laws of calibrated_last_touch, over worlds in which ads are withheld."""

import random
from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Final

import pytest

from attribution.holdouts.calibrated_touch import ANY_CAMPAIGN, recency_of
from tests.stages.histories import Processed, Starter, credit_of, process_in_turn, restated, table
from tests.stages.models_twin import MICROS, apportion
from tests.stages.processing import hashes, process
from tests.stages.settings import ATTRIBUTION, CONFIG, DAYS
from tests.stages.spellings import sha256
from tests.stages.worlds import Day, change_day, make_logs
from warehouse.attribution_config import Model, TouchKind
from warehouse.config import IdentityRule
from warehouse.database import Warehouse

LAST, CALIBRATED = "last_touch", "calibrated_last_touch"
TWO_WEEKS: Final = DAYS[:3]  # a Sunday, a Monday and a Tuesday
# most users are known by an e-mail of their own
RULES: Final = CONFIG.model_copy(
    update={
        "attribution": ATTRIBUTION.model_copy(
            update={"models": (Model.LAST_TOUCH, Model.CALIBRATED_LAST_TOUCH)}
        ),
        "identities": CONFIG.identities.model_copy(
            update={"email": IdentityRule(days=1, users=2, per_user=9)}
        ),
    }
)
_OF_ITS_OWN: Final = {"order_id": None, "adjustment": None, "consent": None}
MICROSECOND: Final = timedelta(microseconds=1)
Stored = dict[str, Any]  # one row of a table
Outcome = tuple[object, ...]  # outcome, user_id, touch_id, reason
Rates = dict[tuple[object, ...], int]  # permille by week, campaign_id, kind, recency and path


def make_known(content: Day, day: date) -> Day:
    """Return the logs of a day with more signals whose e-mail names a user, and more ads withheld.

    A world has three users, w000u0 to w000u2.
    """
    rng = random.Random(day.toordinal())  # noqa: S311
    seen = [
        {
            "user_id": row["user_id"],
            "event_time": row["event_time"],
            "email_sha256": sha256(_email(row["user_id"])),
        }
        for row in content.touchpoints
    ]
    known = [
        {**row, **_OF_ITS_OWN, "email": _email(f"{str(row['signal_id'])[:4]}u{rng.randrange(3)}")}
        for row in content.signals
    ]
    if day == TWO_WEEKS[-1]:  # too late to say anything of Sunday
        shared = [row for row in seen if str(row["user_id"]).endswith("1")]
        seen += [{**row, "user_id": f"{str(row['user_id'])[:-1]}0"} for row in shared]
    touches = [
        {**row, "arm": "control"} if row["kind"] == "impression" and rng.random() < 0.3 else row
        for row in content.touchpoints
    ]
    return Day(
        content.activity + seen,
        touches,
        [
            new if rng.random() < 0.7 else old
            for old, new in zip(content.signals, known, strict=True)
        ],
    )


def withhold_more(content: Day) -> Day:
    """Return other logs of the same day, with ads withheld from users whom the day has not now."""
    withheld = [
        {
            **row,
            "touch_id": f"{row['touch_id']}w",
            "user_id": f"{str(row['user_id'])[:-1]}{number}",
            "kind": "impression",
            "arm": "control",
        }
        for row in content.touchpoints
        for number in range(3)
    ]
    return Day(content.activity, content.touchpoints + withheld, content.signals)


def _email(user: object) -> str:
    return f"{user}@example.com"


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Processed:
    """Return worlds whose days were processed in turn with the model on."""
    made = make_logs(worlds=40, seed=31, sent_again=False, days=TWO_WEEKS)
    logs = {day: make_known(content, day) for day, content in made.items()}
    return process_in_turn(logs, tmp_path_factory.mktemp("calibrated"), RULES)


def state(warehouse: Warehouse) -> dict[str, object]:
    """Return the hash of each table, and what was shown on which day."""
    shown = table(warehouse, "holdout_days").sort("day", "campaign_id").rows()
    return {**hashes(warehouse), "holdout_days": shown}


def causes_at_work(warehouse: Warehouse) -> set[str]:
    return set(table(warehouse, "work_conversions")["cause"])


def test_worlds_meet_every_role_kind_and_path(start: Starter, calibrated: Processed) -> None:
    warehouse = start(RULES, copy=calibrated).warehouse
    told = table(warehouse, "holdout_conversions").select("role", "kind", "path").rows()
    assert set(told) == {
        ("treatment", None, None),
        ("control", None, None),
        *(
            (role, str(kind), path)
            for role in ("touched", "ghost")
            for kind in TouchKind
            for path in ("alone", "shared")
        ),
    }
    assert set(table(warehouse, "touch_rates")["week"]) == {date(2026, 2, 23), date(2026, 3, 2)}
    assert {"holdout", "pooled"} & set(table(warehouse, "touch_rates")["basis"])


@pytest.mark.slow
def test_days_in_any_order_with_a_replaced_day_give_the_same_rates_and_credit(
    start: Starter, calibrated: Processed
) -> None:
    """The day that is replaced held other touches, other arms and other signals before."""
    run, logs = start(RULES), calibrated.logs
    sunday, monday, tuesday = TWO_WEEKS
    process(run, monday, withhold_more(change_day(monday, logs[monday], seed=9)))
    for day in (tuesday, sunday, monday):
        process(run, day, logs[day])
    found, expected = state(run.warehouse), state(start(RULES, copy=calibrated).warehouse)
    assert [name for name in expected if found[name] != expected[name]] == []


def test_credit_is_the_permille_of_what_last_touch_names(
    start: Starter, calibrated: Processed
) -> None:
    """The path of each candidate and its winner are those of last_touch, which the twin tells."""
    warehouse = start(RULES, copy=calibrated).warehouse
    rates: Rates = {
        (row["week"], row["campaign_id"], row["kind"], row["recency"], row["path"]): row["permille"]
        for row in table(warehouse, "touch_rates").to_dicts()
    }
    paths, named = defaultdict(list), defaultdict(list)
    found: dict[str, dict[Outcome, tuple[int, int]]] = defaultdict(dict)
    for row in table(warehouse, "path_touches").to_dicts():
        if row["reason"] is None:
            paths[row["conversion_id"], row["user_id"]].append(row)
    for row in table(warehouse, "credits").to_dicts():
        if row["model"] == LAST:
            named[row["conversion_id"]].append(row)
        else:
            found[row["conversion_id"]][outcome_of(row)] = row["credit_micros"], row["value_micros"]
    conversions = table(warehouse, "conversions").to_dicts()
    for conversion in conversions:
        parts: dict[Outcome, int] = {}
        for row in named[conversion["conversion_id"]]:
            path = paths[row["conversion_id"], row["user_id"]]
            parts |= divided(row, permille_of(row, path, conversion, rates))
        shares = {outcome: Fraction(part) for outcome, part in parts.items()}
        whole = int((conversion["value"] or 0) * MICROS)
        values = apportion(whole, shares, lambda key: [(cell is None, cell) for cell in key])
        expected = {outcome: (part, values[outcome]) for outcome, part in parts.items()}
        assert found[conversion["conversion_id"]] == expected
    assert len(found) == len(conversions)


def outcome_of(row: Stored) -> Outcome:
    return row["outcome"], row["user_id"], row["touch_id"], row["reason"]


def permille_of(row: Stored, path: list[Stored], conversion: Stored, rates: Rates) -> int:
    """Return how much of a row of last_touch is its touch's; all of what no touch earns."""
    if row["outcome"] != "touch":
        return 1000
    winner = next(touch for touch in path if touch["touch_id"] == row["touch_id"])
    lag = conversion["event_time"] - winner["touch_time"]
    is_alone = len({touch["campaign_id"] for touch in path}) == 1
    cell = winner["kind"], recency_of(lag // MICROSECOND), "alone" if is_alone else "shared"
    monday = conversion["day"] - timedelta(days=conversion["day"].weekday())
    others = rates[monday, ANY_CAMPAIGN, *cell]
    return rates.get((monday, winner["campaign_id"], *cell), others)


def divided(row: Stored, permille: int) -> dict[Outcome, int]:
    """Return what each outcome gets of a row of last_touch, where that is not nothing."""
    organic = ("organic", row["user_id"], None, None)
    shares = {True: Fraction(permille), False: Fraction(1000 - permille)}
    parts = apportion(row["credit_micros"], shares, lambda is_touch: not is_touch)
    return {
        outcome: part
        for outcome, part in ((outcome_of(row), parts[True]), (organic, parts[False]))
        if part
    }


def test_changed_rates_restate_the_conversions_of_their_week(
    start: Starter, calibrated: Processed
) -> None:
    """Under this model alone; and rates that have not changed credit nothing anew."""
    run, monday = start(RULES, copy=calibrated), TWO_WEEKS[1]
    before, told = credit_of(run.warehouse), table(run.warehouse, "restatements").height
    changed = change_day(monday, calibrated.logs[monday], seed=5)
    process(run, monday, changed)
    after, written = credit_of(run.warehouse), table(run.warehouse, "restatements")[told:]
    assert "rates" in causes_at_work(run.warehouse)
    assert restated(written) == {
        key: (rows, after.get(key)) for key, rows in before.items() if rows != after.get(key)
    }
    by_rates = written.filter(cause="rates")
    assert by_rates.height > 0
    assert set(by_rates["model"]) == {CALIBRATED}

    rates = table(run.warehouse, "touch_rates")
    process(run, monday, changed)
    assert "rates" not in causes_at_work(run.warehouse)
    assert table(run.warehouse, "restatements").height == told + written.height
    assert table(run.warehouse, "touch_rates").equals(rates)
