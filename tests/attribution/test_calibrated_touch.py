"""The rates of calibrated last touch: laws of any estimate, and worlds whose causes are known."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.holdouts.calibrated_touch import (
    ANY_CAMPAIGN,
    RECENCY_BINS,
    Basis,
    Path,
    estimate_rates,
    recency_bins,
    recency_of,
)
from warehouse.attribution_config import TouchKind

KINDS = (TouchKind.CLICK, TouchKind.ENGAGED_VIEW, TouchKind.IMPRESSION)
# of a world: touches a treated user, caused conversions a touch and age, baseline shares by age
RATES = {"click": 0.08, "engaged_view": 0.2, "impression": 1.2}
EFFECTS = {
    "click": (0.05, 0.01, 0.01, 0.01, 0.008, 0.005),
    "engaged_view": (0.002, 0.002, 0.001, 0.001),
    "impression": (0.0002, 0.0002, 0.0002, 0.0002),
}
AGES = {
    "click": (0.02, 0.1, 0.2, 0.18, 0.25, 0.25),
    "engaged_view": (0.05, 0.2, 0.35, 0.4),
    "impression": (0.05, 0.2, 0.35, 0.4),
}
BASELINE = 0.03  # conversions a treated user of a campaign that would have happened anyway
ODDS = 9  # treated users for each control user


@dataclass
class World:
    """Counts as expected, without chance, of campaigns whose ads work so well."""

    factors: dict[str, float]
    users: int = 90_000
    holdouts: dict[str, bool] = field(default_factory=dict)

    def caused(self, campaign: str) -> float:
        """Return the conversions that a campaign caused."""
        return sum(
            self._caused(campaign, kind, n) for kind in KINDS for n in range(len(AGES[kind]))
        )

    def frames(self) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Return what the estimator is given: touched, ghosts, lifts, exposures."""
        touched, ghosts, lifts, exposures = [], [], [], []
        for campaign in self.factors:
            held = self.holdouts.get(campaign, True)
            for kind in KINDS:
                for age, share in enumerate(AGES[kind]):
                    withheld = self.users * BASELINE * share
                    stood = withheld * self._rate(kind)
                    cell = (campaign, kind, age + 1, Path.ALONE)
                    touched.append((*cell, round(stood + self._caused(campaign, kind, age))))
                    ghosts.append((*cell, round(withheld / ODDS) if held else 0))
            baseline = self.users * BASELINE * sum(self._rate(kind) for kind in KINDS)
            for age, share in enumerate(AGES["click"]):
                more = sum(self._caused(campaign, kind, age) for kind in KINDS)
                lifts.append((campaign, "treatment", age + 1, round(baseline * share + more)))
                stood = round(baseline * share / ODDS) if held else 0
                lifts.append((campaign, "control", age + 1, stood))
            touches = [round(RATES[kind] * self.users) for kind in KINDS]
            control = self.users // ODDS if held else 0
            exposures.append((campaign, "adv", self.users, control, *touches))
        return cells(touched), cells(ghosts), arms(lifts), users(exposures)

    def _caused(self, campaign: str, kind: TouchKind, age: int) -> float:
        effects = EFFECTS[kind]
        effect = effects[age] if age < len(effects) else 0.0
        return self.factors[campaign] * RATES[kind] * self.users * effect

    def _rate(self, kind: TouchKind) -> float:
        """How often an ad of the baseline is clicked, viewed, or neither."""
        follow = {other: RATES[other] / RATES["impression"] for other in KINDS[:2]}
        return follow.get(kind, 1 - sum(follow.values()))


def cells(rows: Sequence[tuple[object, ...]]) -> pl.DataFrame:
    names = ["campaign_id", "kind", "recency", "path", "conversions"]
    types = [pl.String, pl.String, pl.Int32, pl.String, pl.Int64]
    schema = dict(zip(names, types, strict=True))
    return pl.DataFrame(rows, schema=schema, orient="row")


def arms(rows: Sequence[tuple[object, ...]]) -> pl.DataFrame:
    names = ["campaign_id", "arm", "recency", "conversions"]
    schema = dict(zip(names, [pl.String, pl.String, pl.Int32, pl.Int64], strict=True))
    return pl.DataFrame(rows, schema=schema, orient="row")


def users(rows: Sequence[tuple[object, ...]]) -> pl.DataFrame:
    names = ["treated_users", "control_users", "clicks", "engaged_views", "impressions"]
    schema = {
        "campaign_id": pl.String,
        "advertiser_id": pl.String,
        **dict.fromkeys(names, pl.Int64),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def credit(rates: pl.DataFrame, touched: pl.DataFrame) -> dict[str, float]:
    """Return what each campaign earns."""
    earned = touched.join(rates, on=["campaign_id", "kind", "recency", "path"], how="left")
    sums = earned.group_by("campaign_id").agg((pl.col("conversions") * pl.col("permille")).sum())
    return {name: total / 1000 for name, total in sums.iter_rows()}


COUNTS = st.integers(0, 40)
LOGS = st.fixed_dictionaries(
    {
        "touched": st.dictionaries(
            st.tuples(
                st.sampled_from("abc"),
                st.sampled_from(KINDS),
                st.integers(1, len(RECENCY_BINS)),
                st.sampled_from(list(Path)),
            ),
            st.tuples(COUNTS, COUNTS),
            max_size=40,
        ),
        "control": st.lists(st.integers(0, 200), min_size=3, max_size=3),
        "users": st.lists(st.integers(0, 500), min_size=3, max_size=3),
    }
)


def frames_of(logs: dict[str, object]) -> tuple[pl.DataFrame, ...]:
    counts = logs["touched"]
    assert isinstance(counts, dict)
    touched = cells([(*cell, there) for cell, (there, _) in counts.items()])
    ghosts = cells([(*cell, withheld) for cell, (_, withheld) in counts.items()])
    control, held = logs["control"], logs["users"]
    assert isinstance(control, list)
    assert isinstance(held, list)
    lifts = [("abc"[n], arm, n + 1, own * (1 + 8 * (arm == "treatment")))
             for n, own in enumerate(control) for arm in ("control", "treatment")]  # fmt: skip
    exposures = [("abc"[n], "xyy"[n], 4000, own, 300, 900, 5000) for n, own in enumerate(held)]
    return touched, ghosts, arms(lifts), users(exposures)


@settings(max_examples=25, deadline=None)
@given(logs=LOGS)
def test_rates_are_permille_of_every_cell_and_never_rise_with_age(logs: dict[str, object]) -> None:
    rates = estimate_rates(*frames_of(logs))
    assert rates["permille"].is_between(0, 1000).all()
    assert rates.height == 4 * len(KINDS) * len(RECENCY_BINS) * len(Path)
    assert not rates.select("campaign_id", "kind", "recency", "path").is_duplicated().any()
    step = pl.col("permille").diff().over("campaign_id", "kind", "path", order_by="recency")
    assert (rates.select(step).to_series().drop_nulls() <= 0).all()


@settings(max_examples=12, deadline=None)
@given(logs=LOGS, seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(logs: dict[str, object], seed: int) -> None:
    frames = frames_of(logs)
    shuffled = [frame.sample(fraction=1, shuffle=True, seed=seed) for frame in frames]
    assert estimate_rates(*frames).equals(estimate_rates(*shuffled))


@pytest.mark.parametrize("factors", [(1, 1, 1), (0.2, 1, 2), (0.05, 0.6, 1.4)])
def test_campaigns_earn_what_their_touches_caused(factors: tuple[float, ...]) -> None:
    world = World(dict(zip("abc", factors, strict=True)), users=900_000)
    frames = world.frames()
    rates = estimate_rates(*frames)
    earned = credit(rates, frames[0])
    caused = {name: world.caused(name) for name in world.factors}
    assert sum(earned.values()) == pytest.approx(sum(caused.values()), rel=0.01)
    error = sum(abs(earned[name] - caused[name]) for name in caused) / sum(caused.values())
    assert error < 0.01
    own = rates.filter(pl.col("campaign_id") != ANY_CAMPAIGN)
    assert set(own["basis"]) == {Basis.HOLDOUT}


def test_ads_that_cause_nothing_earn_next_to_nothing() -> None:
    frames = World({"a": 0, "b": 0}).frames()
    earned = sum(credit(estimate_rates(*frames), frames[0]).values())
    assert earned < 0.03 * sum(frames[0]["conversions"].to_list())


def test_more_control_conversions_leave_less_credit() -> None:
    touched, ghosts, lifts, exposures = World({"a": 1, "b": 1}).frames()
    totals = []
    for times in (1, 2, 3):
        more = ghosts.with_columns(pl.col("conversions") * times)
        control = pl.when(arm="control").then(pl.col("conversions") * times)
        lift = lifts.with_columns(control.otherwise("conversions").alias("conversions"))
        totals.append(sum(credit(estimate_rates(touched, more, lift, exposures), touched).values()))
    assert totals[0] > totals[1] > totals[2]


def test_a_lift_beyond_the_eligible_touches_is_credited_too() -> None:
    touched, ghosts, lifts, exposures = World({"a": 1, "b": 1}, users=900_000).frames()
    before = sum(credit(estimate_rates(touched, ghosts, lifts, exposures), touched).values())
    late = round(0.05 * before / 2)  # caused by views too old to be eligible
    more = pl.when(arm="treatment", recency=6).then(pl.col("conversions") + late)
    more = more.otherwise("conversions")
    lift = lifts.with_columns(more.alias("conversions"))
    after = sum(credit(estimate_rates(touched, ghosts, lift, exposures), touched).values())
    assert after - before == pytest.approx(2 * late, rel=0.25)


def test_ten_times_the_logs_say_much_the_same() -> None:
    once = estimate_rates(*World({"a": 0.5, "b": 1.5}, users=90_000).frames())
    tenfold = estimate_rates(*World({"a": 0.5, "b": 1.5}, users=900_000).frames())
    both = once.join(tenfold, on=["campaign_id", "kind", "recency", "path"])
    apart = (both["permille"] - both["permille_right"]).abs()
    assert max(apart.to_list()) < 60


def test_a_campaign_that_withholds_nothing_borrows_from_the_others() -> None:
    world = World({"a": 1, "b": 1, "c": 1}, holdouts={"c": False})
    frames = world.frames()
    rates = estimate_rates(*frames)
    basis = dict(rates.select("campaign_id", "basis").unique().iter_rows())
    assert basis == {
        "a": Basis.HOLDOUT, "b": Basis.HOLDOUT, "c": Basis.POOLED, ANY_CAMPAIGN: Basis.POOLED,
    }  # fmt: skip
    assert credit(rates, frames[0])["c"] == pytest.approx(world.caused("c"), rel=0.1)


def test_without_holdouts_rates_follow_from_recency_and_say_so() -> None:
    frames = World({"a": 1, "b": 1}, holdouts={"a": False, "b": False}).frames()
    rates = estimate_rates(*frames)
    assert set(rates["basis"]) == {Basis.RECENCY}
    clicks = rates.filter(campaign_id="a", kind="click", path="alone")["permille"].to_list()
    assert clicks[0] > 900  # conversions crowd in the half hour after a click
    assert clicks[len(AGES["click"]) - 1] == 0  # the end of the window is the baseline
    assert clicks[0] > clicks[3] > clicks[4] > 0


def test_too_few_control_conversions_are_no_holdout() -> None:
    rates = estimate_rates(*World({"a": 1, "b": 1}, users=3000).frames())
    assert set(rates["basis"]) == {Basis.RECENCY}
    more = estimate_rates(*World({"a": 1, "b": 1}, users=30_000).frames())
    assert Basis.HOLDOUT in set(more["basis"])


def test_no_rows_at_all_give_the_rates_of_any_campaign() -> None:
    rates = estimate_rates(cells([]), cells([]), arms([]), users([]))
    assert set(rates["campaign_id"]) == {ANY_CAMPAIGN}
    assert set(rates["permille"]) == {0}
    assert set(rates["basis"]) == {Basis.RECENCY}


def test_every_lag_is_in_the_bin_that_its_row_tells() -> None:
    rng = random.Random(3)  # noqa: S311
    lags = [0, *RECENCY_BINS, *(edge + 1 for edge in RECENCY_BINS)]
    lags += [rng.randrange(RECENCY_BINS[-1]) for _ in range(50)]
    bins = recency_bins().rows()
    for lag in lags:
        assert [recency for recency, above, most in bins if above < lag <= most] == [
            recency_of(lag)
        ]
    assert recency_of(RECENCY_BINS[0]) == 1
    assert recency_of(RECENCY_BINS[0] + 1) == 2
