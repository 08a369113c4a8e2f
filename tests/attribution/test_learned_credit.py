"""Shares of fitted models as whole millionths."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.learned.credit import whole_weights
from attribution.paths import Floats, Paths

MILLION = 1_000_000
NO_QUARTERS = np.zeros(0, dtype=np.int64)


@dataclass
class _Given:
    """A model that gives the shares that it was told, and keeps the paths that it saw."""

    shares: Floats
    seen: Paths | None = None

    def credit(self, paths: Paths) -> Floats:
        self.seen = paths
        return self.shares


@dataclass
class _Knowing(_Given):
    """One that tells segments apart."""

    segments: tuple[str, ...] = ()


def touches_of(lengths: list[int], **columns: Any) -> pl.DataFrame:
    """Return rows of paths with so many touches each, an hour apart, an hour before the end."""
    path = np.repeat(np.arange(len(lengths)) + 1, lengths)
    nth = np.concatenate([np.arange(length) for length in lengths])
    given = {
        "place": np.arange(len(path)) + 11,
        "path": path,
        "campaign_id": [f"c{n}" for n in nth],
        "kind": ["click"] * len(path),
        "advertiser_id": ["a"] * len(path),
        "time_us": nth * 3600,
        "end_us": np.repeat(lengths, lengths) * 3600,
    }
    return pl.DataFrame({**given, **columns})


@given(
    st.lists(
        st.lists(st.sampled_from([0.0, 1e-9, 0.1, 1 / 3, 0.5, 1.0, 2.5]), min_size=1, max_size=5),
        min_size=1,
        max_size=6,
    ),
    st.lists(st.sampled_from([0.0, 0.2, 1.0]), min_size=6, max_size=6),
)
@settings(max_examples=80, deadline=None)
def test_weights_of_a_path_sum_to_a_million_and_are_the_shares_but_for_rounding(
    parts: list[list[float]], left: list[float]
) -> None:
    shares = [
        [Fraction(part) / (sum(map(Fraction, row)) + Fraction(rest) or 1) for part in row]
        for row, rest in zip(parts, left, strict=False)
    ]
    model = _Given(np.array([float(share) for row in shares for share in row]))
    touches = touches_of([len(row) for row in shares])

    weights = whole_weights(model, touches, NO_QUARTERS)

    assert weights["weight"].min() > 0
    assert weights.select("place", "is_organic").is_duplicated().sum() == 0
    found = {(place, organic): weight for place, organic, weight in weights.iter_rows()}
    place = 11
    for row in shares:
        each = [found.pop((place + nth, False), 0) for nth in range(len(row))]
        rest = found.pop((place, True), 0)
        assert sum(each) + rest == MILLION
        for weight, share in zip([*each, rest], [*row, 1 - sum(row)], strict=True):
            assert abs(weight - share * MILLION) < 1 + 1e-6
        place += len(row)
    assert not found


def test_what_rounding_leaves_goes_to_the_largest_remainders_then_to_the_earlier_touch() -> None:
    shares = np.array([1 / 3, 1 / 3, 1 / 3, 0.0000004, 0.0000016])
    weights = whole_weights(_Given(shares), touches_of([3, 2]), NO_QUARTERS)
    assert weights.rows() == [
        (11, False, 333_334),
        (12, False, 333_333),
        (13, False, 333_333),
        (15, False, 2),
        (14, True, 999_998),
    ]


def test_a_sum_above_one_in_the_last_digits_leaves_nothing_organic() -> None:
    shares = np.array([0.1, 0.2, 0.7 + 2e-16])
    assert shares.sum() > 1
    weights = whole_weights(_Given(shares), touches_of([3]), NO_QUARTERS)
    assert weights["weight"].to_list() == [100_000, 200_000, 700_000]


def test_paths_are_told_as_they_were() -> None:
    model = _Knowing(np.array([0.5, 0.2, 0.3]), segments=("quarter 3",))
    touches = touches_of(
        [1, 2],
        campaign_id=["x", "z", "x"],
        kind=["impression", "engaged_view", "click"],
        advertiser_id=["a", "b", "b"],
    )

    whole_weights(model, touches, np.array([3, 4]))

    seen = model.seen
    assert seen is not None
    assert seen.channels == ("x", "z")
    assert seen.offsets.tolist() == [0, 1, 3]
    assert seen.touches.channel.tolist() == [0, 1, 0]
    assert seen.touches.kind.tolist() == [2, 1, 0]
    assert seen.age_us.tolist() == [3600, 7200, 3600]
    assert seen.touches.shown.all()
    assert [seen.advertisers[code] for code in seen.advertiser] == ["a", "b"]
    assert [seen.segments[code] for code in seen.segment] == ["quarter 3", "quarter 4"]


def test_without_paths_there_are_no_weights() -> None:
    weights = whole_weights(_Given(np.zeros(0)), touches_of([1])[:0], NO_QUARTERS)
    assert weights.is_empty()
    assert weights.columns == ["place", "is_organic", "weight"]
