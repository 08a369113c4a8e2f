"""Intervals of credit in reports: the closed form against plain loops and against replicates."""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
import polars as pl
import pytest

from attribution.bootstrap import credit_intervals, interval_of
from attribution.comparison import compare
from attribution.paths import Floats, Paths
from attribution.reports import report
from warehouse.database import Warehouse

Row = dict[str, object]
Key = tuple[object, ...]
AT: Final = datetime(2026, 3, 10, 12)  # noqa: DTZ001 -- stored times are UTC without saying so
MODELS: Final = ("last_touch", "linear")
DIMENSIONS: Final = {
    "campaign": "campaign_id", "ad": "ad_id", "creator": "creator_id", "surface": "surface",
    "advertiser": "advertiser_id", "all": None,
}  # fmt: skip
FIGURES: Final = [
    f"{figure}{part}" for figure in ("credit", "value") for part in ("", "_error", "_low", "_high")
]
NORMAL: Final = 1.6448536269514722
EVERYTHING: Final = "(all currencies)"


def made_up(seed: int, conversions: int) -> dict[str, list[Row]]:
    """Return conversions of a few users each, many of them uncertain, and of one user several."""
    random = Random(seed)  # noqa: S311 -- a world, not a secret
    rows: dict[str, list[Row]] = defaultdict(list)
    for number in range(conversions):
        own = {"conversion_id": f"s{number}", "day": AT.date()}
        value = 1 + random.randrange(9)
        rows["conversions"].append(
            {**own, "advertiser_id": f"a{number % 2}", "event_name": "purchase", "event_time": AT,
             "value": value, "currency": random.choice(["EUR", "EUR", "USD"]),
             "status": "retracted" if number % 10 == 9 else "active"}
        )  # fmt: skip
        micros = random.choice([1_000_000, 700_000, 350_000])
        users = random.sample(range(conversions // 3), 2 if micros == 350_000 else 1)
        for user in users:
            _attribute(rows, random, {**own, "user_id": f"u{user}"}, micros, value)
    return rows


def _attribute(
    rows: dict[str, list[Row]], random: Random, own: Row, micros: int, value: int
) -> None:
    rows["conversion_users"].append(
        {**own, "signal_id": "-", "method": "model", "user_micros": micros, "best": True}
    )
    touches: list[Row] = [
        {**own, "touch_id": f"{own['conversion_id']}-{own['user_id']}-{nth}",
         "touch_day": AT.date(), "touch_time": AT, "kind": "click",
         "campaign_id": f"c{random.randrange(3)}",
         "ad_id": random.choice(["x", "y", None]), "surface": random.choice(["feed", "shop"]),
         "creator_id": random.choice(["k", None])}
        for nth in range(2)
    ]  # fmt: skip
    rows["path_touches"] += touches
    for model in MODELS:
        credit = (micros, 0) if model == "last_touch" else (micros // 2, micros // 2)
        rows["credits"] += [
            {**own, "model": model, "outcome": "touch", "touch_id": touch["touch_id"],
             "campaign_id": touch["campaign_id"], "touch_time": AT, "credit_micros": part,
             "value_micros": part * value}
            for touch, part in zip(touches, credit, strict=True) if part
        ]  # fmt: skip


def store(warehouse: Warehouse, rows: dict[str, list[Row]], *, backwards: bool = False) -> None:
    for table, told in rows.items():
        given = pl.DataFrame(told[::-1] if backwards else told, infer_schema_length=None)
        with warehouse.frame("given", given):
            warehouse._connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM given")  # noqa: S608


def by_plain_loops(
    rows: dict[str, list[Row]], rates: dict[object, float] | None = None
) -> dict[Key, dict[str, Any]]:
    """Return the figures of each dimension, name, model and currency, user by user.

    Values of several currencies are added up at their rates; without rates they are no number.
    """
    sold = {row["conversion_id"]: row for row in rows["conversions"]}
    chance = {(row["conversion_id"], row["user_id"]): row for row in rows["conversion_users"]}
    shown = {row["touch_id"]: row for row in rows["path_touches"]}
    parts: dict[Key, dict[object, dict[object, list[float]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(lambda: [0.0, 0.0]))
    )
    for row in rows["credits"]:
        conversion = sold[row["conversion_id"]]
        if conversion["status"] != "retracted":
            facts = {**conversion, **shown[row["touch_id"]]}
            for dimension, column in DIMENSIONS.items():
                name = None if column is None else facts[column]
                keys: list[Key] = [(dimension, name, row["model"], conversion["currency"])]
                keys += [("all", EVERYTHING, row["model"], rates and "EUR")] if not column else []
                for key in keys:
                    rate = (rates or {}).get(conversion["currency"]) if key[1] == EVERYTHING else 1
                    both = parts[key][row["user_id"]][row["conversion_id"]]
                    both[0] += float(str(row["credit_micros"])) / 1e6
                    both[1] += float(str(row["value_micros"])) / 1e6 * (rate or math.nan)
    told: dict[Key, dict[str, Any]] = {}
    for named, users in parts.items():
        told[named] = {"users": len(users)}
        for place, figure in enumerate(("credit", "value")):
            total = variance = 0.0
            for user, conversions in users.items():
                own = {name: both[place] for name, both in conversions.items()}
                total += sum(own.values())
                variance += sum(own.values()) ** 2
                for name, x in own.items():
                    p = float(str(chance[name, user]["user_micros"])) / 1e6
                    variance += p * (1 - p) * (x / p) ** 2
            reach = NORMAL**2 * variance / total
            half = np.sqrt(reach * total + reach**2 / 4)
            told[named] |= {figure: total, f"{figure}_error": np.sqrt(variance)}
            told[named] |= {f"{figure}_low": total + reach / 2 - half}
            told[named] |= {f"{figure}_high": total + reach / 2 + half}
    return told


def paths_of(rows: dict[str, list[Row]], model: str) -> tuple[Paths, Floats, list[str]]:
    """Return a path for each candidate in EUR, the credit of its touches, and their ads."""
    sold = {row["conversion_id"]: row for row in rows["conversions"]}
    shown = {row["touch_id"]: row for row in rows["path_touches"]}
    earned: dict[tuple[object, object], list[Row]] = defaultdict(list)
    for row in rows["credits"]:
        conversion = sold[row["conversion_id"]]
        is_counted = conversion["currency"] == "EUR" and conversion["status"] != "retracted"
        if row["model"] == model and is_counted:
            earned[row["conversion_id"], row["user_id"]].append(row)
    known = [row for row in rows["conversion_users"] if
             (row["conversion_id"], row["user_id"]) in earned]  # fmt: skip
    touches = [earned[row["conversion_id"], row["user_id"]] for row in known]
    chances = np.array([float(str(row["user_micros"])) / 1e6 for row in known])
    paths = Paths.of(
        [[str(touch["campaign_id"]) for touch in one] for one in touches],
        chances.tolist(),
        values=[float(str(sold[row["conversion_id"]]["value"])) for row in known],
    )
    users = np.array([int(str(row["user_id"])[1:]) for row in known])
    paths = replace(paths, user=users, end_us=np.arange(len(known)) * 1000)
    credit = np.array([float(str(t["credit_micros"])) / 1e6 for one in touches for t in one])
    ads = [str(shown[touch["touch_id"]]["ad_id"]) for one in touches for touch in one]
    return paths, credit / chances[paths.of_touch], ads


@pytest.fixture(scope="module")
def rows() -> dict[str, list[Row]]:
    return made_up(seed=1, conversions=300)


@pytest.fixture(scope="module")
def world(
    rows: dict[str, list[Row]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    with Warehouse.open(tmp_path_factory.mktemp("intervals") / "w.duckdb") as warehouse:
        store(warehouse, rows)
        yield warehouse


def test_figures_are_those_of_plain_loops_over_users(
    world: Warehouse, rows: dict[str, list[Row]]
) -> None:
    expected = by_plain_loops(rows)

    found = report(world, "credit_intervals")

    assert len(found) == len(expected)
    for row in found.iter_rows(named=True):
        wanted = expected[row["dimension"], row["name"], row["model"], row["currency"]]
        assert row["users"] == wanted["users"]
        for figure in FIGURES:
            if math.isnan(wanted[figure]):
                assert row[figure] is None
            else:
                assert row[figure] == pytest.approx(wanted[figure], abs=2e-6)


def test_everything_together_has_a_value_where_a_currency_of_the_reports_is_named(
    rows: dict[str, list[Row]], tmp_path: Path
) -> None:
    expected = by_plain_loops(rows, rates={"EUR": 1.0, "USD": 0.8})
    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        store(warehouse, rows)
        settings: list[Row] = [
            {"name": "report_currency", "value": "EUR"}, {"name": "oldest_rate_days", "value": "7"}
        ]  # fmt: skip
        store(warehouse, {"warehouse_settings": settings})
        without_rate = report(warehouse, "credit_intervals").filter(name=EVERYTHING)
        rate = {"date": AT.date(), "currency": "USD", "rate": 0.8}
        store(warehouse, {"currency_rates": [rate]})
        found = report(warehouse, "credit_intervals").filter(name=EVERYTHING)

    assert found["model"].to_list() == list(MODELS)
    for row in found.iter_rows(named=True):
        wanted = expected["all", EVERYTHING, row["model"], row["currency"]]
        for figure in FIGURES:
            assert row[figure] == pytest.approx(wanted[figure], abs=2e-6)
    values = [figure for figure in FIGURES if figure.startswith("value")]
    assert without_rate.drop(values).equals(found.drop(values))
    assert without_rate.select(values).null_count().row(0) == (len(MODELS),) * len(values)


def test_everything_together_is_the_one_row_of_all_where_there_is_one_currency(
    rows: dict[str, list[Row]], tmp_path: Path
) -> None:
    conversions = [{**row, "currency": "EUR"} for row in rows["conversions"]]
    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        store(warehouse, {**rows, "conversions": conversions})
        told = report(warehouse, "credit_intervals").filter(dimension="all")

    assert told.select("name", "model", "currency").rows() == [(None, m, "EUR") for m in MODELS]


def test_no_limit_is_below_nothing(tmp_path: Path) -> None:
    rows = made_up(seed=2, conversions=6)
    for user in rows["conversion_users"]:  # much doubt beside little credit
        user["user_micros"] = 1
    for credit in rows["credits"]:
        credit.update(credit_micros=1, value_micros=1)
    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        store(warehouse, rows)
        told = report(warehouse, "credit_intervals")

    assert told["credit_low"].to_list() == [0.0] * len(told)
    assert not any(math.copysign(1, low) < 0 for low in told["credit_low"])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("figure", ["credit", "value"])
def test_intervals_are_those_of_many_replicates(
    world: Warehouse, rows: dict[str, list[Row]], model: str, figure: str
) -> None:
    paths, credit, ads = paths_of(rows, model)
    names = sorted(set(ads))
    numbers = np.array([names.index(ad) for ad in ads])
    told = report(world, "credit_intervals").filter(model=model, currency="EUR")

    by_campaign = credit_intervals(paths, credit, replicates=4000, values=figure == "value")
    by_ad = credit_intervals(
        paths, credit, by=numbers, replicates=4000, values=figure == "value"
    ).select(pl.Series("name", names), pl.exclude("number"))

    for dimension, drawn in (("campaign", by_campaign), ("ad", by_ad)):
        own = told.filter(dimension=dimension).with_columns(pl.col("name").fill_null("None"))
        both = own.join(drawn, on="name", suffix="_drawn", maintain_order="left")
        assert len(both) == len(own) == len(drawn) == 3
        sums = drawn["credit"].sort().to_list()
        assert both[figure].sort().to_list() == pytest.approx(sums, abs=1e-5)
        # of 4,000 draws the error has a standard error of 1.1%, more where tails are long
        errors = both[f"{figure}_error"].to_numpy() / both["standard_error"].to_numpy()
        np.testing.assert_allclose(errors, 1, atol=0.05)
        for limit in ("low", "high"):
            ratio = both[f"{figure}_{limit}"].to_numpy() / both[limit].to_numpy()
            np.testing.assert_allclose(ratio, 1, atol=0.03)


def test_limits_are_those_of_the_bootstrap_for_the_same_error(world: Warehouse) -> None:
    found = report(world, "credit_intervals")

    for figure in ("credit", "value"):
        known = found.drop_nulls(figure)
        estimate, error = known[figure].to_numpy(), known[f"{figure}_error"].to_numpy()
        drawn = np.stack([estimate - error, estimate + error], axis=1)  # mean square: error^2
        told, low, high = interval_of(estimate, drawn, 0.9)
        np.testing.assert_allclose(told, error)
        np.testing.assert_allclose(known[f"{figure}_low"].to_numpy(), low, rtol=1e-4)
        np.testing.assert_allclose(known[f"{figure}_high"].to_numpy(), high, rtol=1e-4)


def test_rows_in_another_order_and_on_one_thread_give_the_same_figures(
    world: Warehouse, rows: dict[str, list[Row]], tmp_path: Path
) -> None:
    with Warehouse.open(tmp_path / "w.duckdb") as other:
        store(other, rows, backwards=True)
        other._connection.execute("SET threads = 1")
        found = report(other, "credit_intervals")
        intervals = other.query("attribution/compared_intervals")

    assert found.equals(report(world, "credit_intervals"))
    assert intervals.equals(world.query("attribution/compared_intervals"))


def test_models_stand_side_by_side_name_by_name(world: Warehouse) -> None:
    long = report(world, "credit_intervals")
    beside = report(world, "credit_intervals", models=["linear", "last_touch"])

    assert beside.columns[:4] == ["dimension", "name", "currency", "credit_linear"]
    for model in MODELS:
        own = long.filter(model=model).select(
            "dimension", "name", "currency", "credit_low", "users"
        )
        of_model = beside.select(
            "dimension", "name", "currency", pl.col(f"credit_low_{model}", f"users_{model}")
        ).drop_nulls(f"users_{model}")
        assert sorted(of_model.rows(), key=str) == sorted(own.rows(), key=str)


def test_no_user_leaves_the_report(world: Warehouse, rows: dict[str, list[Row]]) -> None:
    users = {row["user_id"] for row in rows["conversion_users"]}
    texts = {
        value
        for column in report(world, "credit_intervals").select(pl.col(pl.String)).iter_columns()
        for value in column
    }
    assert users.isdisjoint(texts)
    assert {"campaign", "c1", "x", "feed", "k", "a1", "linear", "EUR"} <= texts


def test_comparison_has_the_interval_of_each_model_over_all_currencies(
    world: Warehouse, rows: dict[str, list[Row]]
) -> None:
    one_currency = {
        **rows, "conversions": [{**row, "currency": "EUR"} for row in rows["conversions"]]
    }  # fmt: skip
    expected = by_plain_loops(one_currency)

    told = compare(world, models=["linear", "last_touch"])
    plain = told.to_dict()["campaigns"]

    assert isinstance(plain, list)
    assert "intervals" not in told.to_dict()
    for row in plain:
        for model in MODELS:
            wanted = expected["campaign", row["campaign_id"], model, "EUR"]
            found = row["intervals"][model]
            assert row["credit"][model] == pytest.approx(wanted["credit"])
            assert found == {
                name: pytest.approx(wanted[f"credit_{name}"], abs=2e-6)
                for name in ("error", "low", "high")
            }
    beside = told.reference_intervals()
    linear = [
        (row["intervals"]["linear"]["low"], row["intervals"]["linear"]["high"]) for row in plain
    ]
    assert beside.select("low", "high").rows() == linear
    assert beside.columns[-3:] == ["linear", "low", "high"]
