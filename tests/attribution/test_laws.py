"""Laws of attribution, each on many tiny worlds that hypothesis draws the seed of.

A failure names conversions, and their names begin with the world that they are of. But for the
order of days, a world's whole history is on one log day, whose rows may have any earlier time.
"""

import random
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from attribution import attribute_day
from attribution.eligibility import path_rules, resolve
from matching import match_day
from tests.stages.candidates import add_candidates
from tests.stages.histories import assert_as_twin, table
from tests.stages.processing import ingest, process
from tests.stages.settings import ATTRIBUTION, CONFIG, DAYS, RULE_MODELS
from tests.stages.worlds import Day, make_logs
from warehouse.checks import broken
from warehouse.database import Warehouse
from warehouse.runs import Run

LAST_DAY = DAYS[-1]
AFTER_ALL = datetime(2026, 3, 6, 18, 30)  # noqa: DTZ001 -- logs are UTC without saying so
WORLDS = 30
WHOLE = 1_000_000
SEEDS = st.integers(0, 2**32)
TABLES = ("conversions", "conversion_users", "path_touches", "credits")
Tables = dict[str, pl.DataFrame]
Attribute = Callable[..., Tables]
law = settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # a smaller seed is no smaller world
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def begin(empty_warehouse: Path, tmp_path: Path) -> Iterator[Callable[[], Run]]:
    """Return a function that begins a run on a new warehouse, in place of the one before."""
    with ExitStack() as stack:

        def new() -> Run:
            stack.pop_all().close()
            path = shutil.copy(empty_warehouse, tmp_path / "w.duckdb")
            return Run(stack.enter_context(Warehouse.open(path)), "run", CONFIG)

        yield new


@pytest.fixture
def attribute(begin: Callable[[], Run]) -> Attribute:
    """Return a function that does all stages of one log day, and returns the tables sorted."""

    def done(content: Day, *, hourly: bool = False, certain: bool = False) -> Tables:
        run = begin()
        ingest(run, {LAST_DAY: content}, hourly=hourly)
        match_day(run, LAST_DAY)
        if not certain:
            add_candidates(run)
        attribute_day(run, LAST_DAY)
        assert broken(run.warehouse) == {}
        return {name: table(run.warehouse, name).sort(pl.all()) for name in TABLES}

    return done


@pytest.fixture(scope="module")
def known() -> dict[int, Tables]:
    """Return what has come of worlds so far, by their seed: laws begin with the same ones."""
    return {}


@pytest.fixture
def attributed(attribute: Attribute, known: dict[int, Tables]) -> Callable[[int], Tables]:
    """Return a function that returns what comes of the worlds of a seed as they are."""

    def tables(seed: int) -> Tables:
        if seed not in known:
            known[seed] = attribute(one_day(seed))
        return known[seed]

    return tables


def one_day(seed: int) -> Day:
    """Return the logs of some worlds on one log day, no touch twice."""
    whole = Day()
    for content in make_logs(worlds=WORLDS, seed=seed, sent_again=False).values():
        whole.activity += content.activity
        whole.touchpoints += content.touchpoints
        whole.signals += content.signals
    whole.touchpoints = list({row["touch_id"]: row for row in whole.touchpoints}.values())
    return whole


def assert_same(found: Tables, expected: Tables, *, names: tuple[str, ...] = TABLES) -> None:
    for name in names:
        surplus = found[name].join(expected[name], on=expected[name].columns, how="anti",
                                   nulls_equal=True)  # fmt: skip
        assert surplus.rows()[:3] == []
        assert found[name].height == expected[name].height


@law
@given(seed=SEEDS)
def test_credit_is_whole_and_touches_lie_within_their_windows(
    attributed: Callable[[int], Tables], seed: int
) -> None:
    tables = attributed(seed)
    assert_whole(tables)
    assert_within_windows(tables)


def assert_whole(tables: Tables) -> None:
    sums = tables["credits"].group_by("conversion_id", "model").agg(
        pl.col("credit_micros", "value_micros").sum()
    )  # fmt: skip
    assert sorted(sums.rows()) == sorted(
        (row["conversion_id"], str(model), WHOLE, int((row["value"] or 0) * WHOLE))
        for row in tables["conversions"].to_dicts()
        for model in RULE_MODELS
    )
    assert tables["credits"]["credit_micros"].min() > 0
    assert tables["credits"]["value_micros"].min() == 0


def assert_within_windows(tables: Tables) -> None:
    rules = resolve(ATTRIBUTION)
    touches = (
        tables["path_touches"]
        .join(tables["conversions"].drop("day"), on="conversion_id")
        .join(tables["conversion_users"].drop("day"), on=["conversion_id", "user_id"])
    )
    keys = touches.select("advertiser_id", "event_name", "method").unique()
    lag = (pl.col("event_time") - pl.col("touch_time")).dt.total_microseconds()
    is_click = pl.col("kind") == "click"
    window = (
        pl.when(is_click)
        .then("click_window_us")
        .when(pl.col("kind") == "engaged_view")
        .then("engaged_view_window_us")
        .otherwise("view_window_us")
    )
    least = pl.when(is_click).then("least_click_us").otherwise("least_view_us")
    judged = touches.join(path_rules(rules, keys), on=keys.columns).select(
        (lag >= 0) & (lag <= window), sound=pl.col("reason").is_not_null() | (lag >= least)
    )
    assert judged.height == tables["path_touches"].height > 0
    assert judged.row(0) == (True, True)
    assert judged.unique().height == 1


@law
@given(seed=SEEDS, rng=st.randoms(use_true_random=False))
def test_the_order_of_rows_and_a_day_in_hours_change_nothing(
    attribute: Attribute,
    attributed: Callable[[int], Tables],
    seed: int,
    rng: random.Random,
) -> None:
    content = one_day(seed)
    shuffled = Day(
        *(
            rng.sample(rows, len(rows))
            for rows in (content.activity, content.touchpoints, content.signals)
        )
    )
    assert_same(attribute(shuffled, hourly=True), attributed(seed))


@law
@given(seed=SEEDS, days=st.permutations(DAYS[:2]))
def test_the_order_of_days_changes_nothing(
    begin: Callable[[], Run], seed: int, days: list[date]
) -> None:
    run, logs = begin(), make_logs(worlds=WORLDS, seed=seed, sent_again=False, days=DAYS[:2])
    for day in days:
        process(run, day, logs[day])
    assert_as_twin(run.warehouse, logs)


def ineligible(touch: dict[str, object], number: int) -> dict[str, object]:
    """Return another touch that earns nothing, for one of several reasons."""
    time = touch["event_time"]
    assert isinstance(time, datetime)
    other: dict[str, object] = [
        {"arm": "control"},
        {"event_time": AFTER_ALL, "kind": "impression"},
        {"event_time": time - timedelta(days=30)},
        {"advertiser_id": "elsewhere", "campaign_id": "elsewhere"},
        {"user_id": "a stranger"},
    ][number % 5]
    # no new identifier, and no impression of a creator, whose rate of clicks it would change
    own = {"touch_id": f"ineligible {number}", "click_id": None, "creator_id": None}
    return {**touch, **own, **other}


@law
@given(seed=SEEDS)
def test_a_touch_that_may_not_earn_changes_nothing(
    attribute: Attribute, attributed: Callable[[int], Tables], seed: int
) -> None:
    content = one_day(seed)
    more = [ineligible(touch, number) for number, touch in enumerate(content.touchpoints)]
    with_them = Day(content.activity, [*content.touchpoints, *more], content.signals)
    assert_same(attribute(with_them), attributed(seed))


@law
@given(seed=SEEDS)
def test_a_retraction_leaves_credit_as_if_the_value_were_0(
    attribute: Attribute, attributed: Callable[[int], Tables], seed: int
) -> None:
    content = one_day(seed)
    retracted = attributed(seed)
    conversions = retracted["conversions"]
    gone = set(conversions.filter(status="retracted")["conversion_id"])
    assert gone
    # an order of several conversions has a retraction for one: such orders are left as they are
    orders = conversions.group_by("advertiser_id", "event_name", "order_id").agg(
        pl.len(), pl.col("status").first()
    )
    single = set(orders.filter(len=1, status="retracted").drop("len", "status").rows())
    assert single

    def without_value(row: dict[str, object]) -> dict[str, object]:
        if (row["advertiser_id"], row["event_name"], row["order_id"]) not in single:
            return row
        if row["adjustment"] == "retraction":
            return {**row, "adjustment": "restatement", "value": None}
        return {**row, "value": 0.0}

    signals = [without_value(row) for row in content.signals]
    worthless = attribute(Day(content.activity, content.touchpoints, signals))
    assert worthless["conversions"].filter(status="retracted").height < len(gone)
    assert_same(worthless, retracted, names=("conversion_users", "path_touches", "credits"))


@law
@given(seed=SEEDS)
def test_with_certain_matches_expected_credit_is_the_classical_one(
    attribute: Attribute, seed: int
) -> None:
    tables = attribute(one_day(seed), certain=True)
    touches = defaultdict(list)
    for row in tables["path_touches"].filter(pl.col("reason").is_null()).to_dicts():
        touches[row["conversion_id"]].append(row)
    credit = defaultdict(list)
    for row in tables["credits"].to_dicts():
        credit[row["conversion_id"], row["model"]].append(row)
    divided = 0
    for conversion in tables["conversions"].to_dicts():
        conversion_id, value = conversion["conversion_id"], int((conversion["value"] or 0) * WHOLE)
        path = sorted(touches[conversion_id], key=lambda t: (t["touch_time"], t["touch_id"]))
        (last,) = credit[conversion_id, "last_touch"]
        (first,) = credit[conversion_id, "first_touch"]
        assert (last["credit_micros"], last["value_micros"]) == (WHOLE, value)
        assert (first["credit_micros"], first["value_micros"]) == (WHOLE, value)
        if last["outcome"] != "touch":
            continue
        assert first["touch_id"] == path[0]["touch_id"]
        # stable: of equals the later, and then the smaller name, stays in front
        path.sort(key=lambda t: t["touch_id"])
        path.sort(key=lambda t: t["touch_time"], reverse=True)
        path.sort(key=lambda t: (not t["named"], t["strength"]))
        assert last["touch_id"] == path[0]["touch_id"]
        parts = credit[conversion_id, "linear"]
        assert {row["touch_id"] for row in parts} == {t["touch_id"] for t in path}
        for row in parts:
            assert abs(row["credit_micros"] * len(path) - WHOLE) < len(path)
            assert abs(row["value_micros"] * WHOLE - value * row["credit_micros"]) < WHOLE
        divided += len(path) > 1
    assert divided
