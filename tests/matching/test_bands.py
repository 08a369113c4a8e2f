"""Sets that look alike share buckets; a token of weight w stands in its set w times."""

import math
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from datasketch import MinHash

from matching.bands import (
    PERMUTATIONS,
    SEED,
    SIMILARITY,
    TOKENS,
    _elements,
    band_shape,
    bands_of,
)
from matching.blocking import find_candidates
from matching.signatures import SCHEME, Signer
from tests.matching.tiny_worlds import (
    DAY,
    LOOKBACK,
    identified,
    looking,
    make_world,
    observations,
    store,
)
from tests.matching.tiny_worlds import tokens as tokens_of
from warehouse.config import ModelConfig
from warehouse.database import Warehouse

MASK = (1 << 64) - 1
GOLDEN = 0x9E37_79B9_7F4A_7C15  # 2**64 over the golden ratio


def sets_of(tokens: list[list[int | None]], weights: list[list[int]]) -> pl.DataFrame:
    """Return sets as the statement weighted_sets gives them."""
    columns = {name: [row[n] for row in tokens] for n, name in enumerate(TOKENS)}
    weighed = {f"{name}_weight": [row[n] for row in weights] for n, name in enumerate(TOKENS)}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(TOKENS, pl.UInt64)).with_columns(
        **{name: pl.Series(values, dtype=pl.Int32) for name, values in weighed.items()}
    )
    names = [f"s{n:05d}" for n in range(len(tokens))]
    return frame.with_columns(
        signal_id=pl.Series(names, dtype=pl.String), user_id=pl.lit(None, dtype=pl.String)
    )


def random_sets(count: int, seed: int) -> tuple[list[list[int]], list[list[int]]]:
    rng = np.random.default_rng(seed)
    tokens = rng.integers(1, 2**64, (count, len(TOKENS)), dtype=np.uint64)
    return tokens.tolist(), rng.integers(0, 9, (count, len(TOKENS))).tolist()


def elements_of(tokens: list[int], weights: list[int]) -> list[int]:
    """Return the hashes of a set's elements, one by one: each copy of a token has its own."""
    return [
        (((token ^ (place * GOLDEN & MASK)) + copy * GOLDEN) * GOLDEN & MASK) >> 32
        for place, (token, weight) in enumerate(zip(tokens, weights, strict=True), start=1)
        for copy in range(weight)
    ]


def buckets(bands: pl.DataFrame) -> dict[str, set[tuple[int, int]]]:
    held = defaultdict(set)
    for name, _, band, bucket in bands.rows():
        held[name].add((band, bucket))
    return held


def test_a_token_of_weight_w_stands_w_times_under_hashes_of_its_own() -> None:
    tokens, weights = random_sets(60, 1)
    elements = _elements(np.array(tokens, dtype=np.uint64), np.array(weights))
    sizes = np.cumsum([0, *map(sum, weights)])
    for n, (own, counts) in enumerate(zip(tokens, weights, strict=True)):
        found = elements[sizes[n] : sizes[n + 1]].tolist()
        assert found == elements_of(own, counts)
        assert len(set(found)) == sum(counts)


def test_the_signature_of_a_weighted_set_is_that_of_datasketch() -> None:
    tokens, weights = random_sets(60, 2)
    elements = _elements(np.array(tokens, dtype=np.uint64), np.array(weights))
    signer = Signer(PERMUTATIONS, SEED)
    signatures = signer.sign(elements, np.cumsum([0, *map(sum, weights)]))
    for own, counts, signature in zip(tokens, weights, signatures, strict=True):
        sketch = MinHash(PERMUTATIONS, seed=SEED, hashfunc=int, scheme=SCHEME)
        sketch.update_batch(elements_of(own, counts))
        assert signature.tolist() == sketch.hashvalues.tolist()


def test_two_sets_share_the_buckets_of_the_bands_in_which_datasketch_agrees() -> None:
    tokens, weights = random_sets(80, 3)
    for n in range(0, 80, 2):  # the second of two differs in some tokens
        for place in range(n // 2 % len(TOKENS), len(TOKENS)):
            tokens[n + 1][place], weights[n + 1][place] = tokens[n][place], weights[n][place]
    held = buckets(bands_of(sets_of(tokens, weights)))
    bands, rows = band_shape()
    sketches = []
    for own, counts in zip(tokens, weights, strict=True):
        sketch = MinHash(PERMUTATIONS, seed=SEED, hashfunc=int, scheme=SCHEME)
        sketch.update_batch(elements_of(own, counts))
        sketches.append(sketch.hashvalues[: bands * rows].reshape(bands, rows))
    shared = set()
    for n in range(0, 80, 2):
        agreeing = int((sketches[n] == sketches[n + 1]).all(axis=1).sum())
        assert len(held[f"s{n:05d}"] & held[f"s{n + 1:05d}"]) == agreeing
        shared.add(agreeing)
    assert len(shared) > 3


def test_equal_sets_share_all_bands_and_empty_ones_have_none() -> None:
    tokens, weights = random_sets(1, 4)
    empty = [None] * len(TOKENS), [0] * len(TOKENS)
    held = buckets(bands_of(sets_of([*tokens, *tokens, empty[0]], [*weights, *weights, empty[1]])))
    bands, rows = band_shape()
    assert held["s00000"] == held["s00001"]
    assert {band for band, _ in held["s00000"]} == set(range(1, bands + 1))
    assert bands * rows <= PERMUTATIONS
    assert "s00002" not in held
    nothing = bands_of(sets_of([], []))
    assert nothing.is_empty()
    assert nothing.columns == ["signal_id", "user_id", "band", "bucket"]


def test_a_token_of_one_kind_is_not_the_same_token_of_another() -> None:
    tokens = [[7, *[None] * 7], [None, 7, *[None] * 6]]
    weights = [[5, *[0] * 7], [0, 5, *[0] * 6]]
    held = buckets(bands_of(sets_of(tokens, weights)))
    assert not held["s00000"] & held["s00001"]


@pytest.mark.parametrize("common", [2, 4, 6, 7])
def test_shared_bands_follow_the_weighted_jaccard_similarity(common: int) -> None:
    pairs, weight = 2_000, 3
    tokens, _ = random_sets(2 * pairs, common)
    for n in range(0, 2 * pairs, 2):
        tokens[n + 1][:common] = tokens[n][:common]
    sets = sets_of(tokens, [[weight] * len(TOKENS)] * (2 * pairs))
    held = buckets(bands_of(sets))
    bands, rows = band_shape()
    counts = [len(held[f"s{n:05d}"] & held[f"s{n + 1:05d}"]) for n in range(0, 2 * pairs, 2)]
    similarity = common / (2 * len(TOKENS) - common)
    by_chance = similarity**rows
    error = math.sqrt(by_chance * (1 - by_chance) / (pairs * bands))
    assert np.mean(counts) / bands == pytest.approx(by_chance, abs=4 * error)
    meeting = np.mean([count > 0 for count in counts])
    expected = 1 - (1 - by_chance) ** bands
    error = math.sqrt(expected * (1 - expected) / pairs)
    assert meeting == pytest.approx(expected, abs=4 * error)
    assert (meeting > 0.5) == (similarity > SIMILARITY * 0.8)


def test_a_heavier_common_token_makes_sets_meet_more_often() -> None:
    pairs = 500
    tokens, _ = random_sets(2 * pairs, 6)
    for n in range(0, 2 * pairs, 2):
        tokens[n + 1][0] = tokens[n][0]
    meetings = []
    for weight in (1, 8, 30):
        held = buckets(bands_of(sets_of(tokens, [[weight, *[1] * 7]] * (2 * pairs))))
        names = [(f"s{n:05d}", f"s{n + 1:05d}") for n in range(0, 2 * pairs, 2)]
        meetings.append(sum(bool(held[one] & held[other]) for one, other in names))
    assert meetings == sorted(meetings)
    assert meetings[0] < 0.1 * pairs < 0.7 * pairs < meetings[2]


def test_the_rarer_a_token_among_the_users_the_oftener_it_stands(tmp_path: Path) -> None:
    world = make_world(5, users=200, observations=600)
    alone = (row for row in looking(world) if row["order_id"] is None)  # told to and by nobody
    unknown = next(row for row in alone if row["signal_id"] not in identified(world))
    unknown["language"] = "of no user"
    shown: dict[str, dict[tuple, set[object]]] = {kind: defaultdict(set) for kind in TOKENS}
    for row in observations(world):
        for kind, token in tokens_of(row).items():
            if kind in shown:
                shown[kind][token].add(row["user_id"])
    active = {row["user_id"] for row in observations(world) if "signal_id" not in row}
    expected: Counter[tuple[str, int]] = Counter()
    for kind, by_token in shown.items():
        for users in by_token.values():
            expected[kind, max(1, round(math.log(len(active) / len(users))))] += 1

    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        store(warehouse, world)
        find_candidates(warehouse, DAY, ModelConfig(lookback_days=LOOKBACK))
        weights = warehouse._connection.table("token_weights").pl()
        sets = warehouse._connection.table("band_sets").pl()
        halves = [
            warehouse.query("matching/weighted_sets", users=True, parts=2, part=part)
            for part in (0, 1)
        ]
        signals = warehouse.query("matching/weighted_sets", users=False, parts=1, part=0)

    assert Counter(weights.select("kind", "weight").rows()) == expected
    assert len({weight for _, weight in expected}) > 3
    looks = {
        (row["user_id"], *(tokens_of(row).get(kind) for kind in TOKENS))
        for row in observations(world)
        if "signal_id" not in row
    }
    assert len(sets.filter(pl.col("user_id").is_not_null())) == len(looks)
    assert sum(map(len, halves)) == len(looks)
    assert all(map(len, halves))
    assert len(signals) == len(looking(world))
    known = {(kind, token): weight for kind, token, weight in weights.rows()}
    means = dict(weights.group_by("kind").agg(pl.col("weight").mean()).rows())
    met = set()
    for part in (*halves, signals):
        for kind in TOKENS:
            for token, weight in part.select(kind, f"{kind}_weight").rows():
                usual = math.floor(means[kind] + 0.5)  # of a token that no user showed
                assert weight == (0 if token is None else known.get((kind, token), usual))
                met.add((token is None, (kind, token) in known))
    assert met == {(True, False), (False, True), (False, False)}
