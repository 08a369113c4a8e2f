"""Signatures are datasketch's, bit for bit."""

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.signatures import EMPTY, SCHEME, Signer

SETS = st.lists(st.lists(st.integers(0, 2**32 - 1), max_size=40), max_size=30)


def flat(sets: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    tokens = np.array([token for tokens in sets for token in tokens], dtype=np.uint32)
    return tokens, np.cumsum([0, *map(len, sets)])


def by_datasketch(tokens: list[int], signer: Signer) -> np.ndarray:
    sketch = MinHash(signer.permutations, seed=signer.seed, hashfunc=int, scheme=SCHEME)
    sketch.update_batch(tokens)
    return sketch.hashvalues


@settings(max_examples=40, deadline=None)
@given(sets=SETS, permutations=st.sampled_from([1, 16, 128]), seed=st.integers(0, 5))
def test_signatures_are_those_of_datasketch(
    sets: list[list[int]], permutations: int, seed: int
) -> None:
    signer = Signer(permutations, seed)
    signatures = signer.sign(*flat(sets))
    assert signatures.shape == (len(sets), permutations)
    for tokens, signature in zip(sets, signatures, strict=True):
        assert signature.tolist() == by_datasketch(tokens, signer).tolist()


def test_sets_larger_than_a_batch_are_signed_whole() -> None:
    rng = np.random.default_rng(1)
    sizes = [100_000, 0, 3, 40_000, 33_000, 1]
    tokens = rng.integers(0, 2**32, sum(sizes), dtype=np.uint32)
    offsets = np.cumsum([0, *sizes])
    signer = Signer(8, 3)
    signatures = signer.sign(tokens, offsets)
    assert (signatures[1] == EMPTY).all()
    for place in (0, 2, 3, 4, 5):
        own = tokens[offsets[place] : offsets[place + 1]]
        assert signatures[place].tolist() == by_datasketch(own.tolist(), signer).tolist()


def test_a_token_counted_twice_weighs_no_more_under_the_same_hash() -> None:
    signer = Signer(32, 1)
    once, twice = signer.sign(*flat([[1, 2, 3], [1, 2, 2, 3, 3]]))
    assert (once == twice).all()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_equal_values_estimate_the_jaccard_similarity(share: float) -> None:
    rng = np.random.default_rng(2)
    common = rng.integers(0, 2**32, int(600 * share)).tolist()
    own = [rng.integers(0, 2**32, (600 - len(common)) // 2).tolist() for _ in range(2)]
    one, other = Signer(2048, 1).sign(*flat([common + rest for rest in own]))
    assert np.mean(one == other) == pytest.approx(share, abs=4 * np.sqrt(0.25 / 2048))
