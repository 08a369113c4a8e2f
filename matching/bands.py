"""Bands of MinHash signatures: sets of tokens that look alike fall into a bucket together.

The set of a signal or of one observation holds the tokens of where and how it was made, each as
often as it is rare. A signature is cut into bands; two sets share the bucket of a band where all of
its values agree, which sets that resemble each other do with great probability and others hardly
ever (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3). Buckets lie in tables
and are joined there; Python holds one part of the sets at a time.
"""

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.signatures import Signer, UInt32s
from warehouse.database import Warehouse

PERMUTATIONS: Final = 32
SEED: Final = 1
# Weighted Jaccard similarity from which a pair should meet in a bucket.
SIMILARITY: Final = 0.5
TOKENS: Final = (
    "address", "network", "device", "device_place", "screen", "place", "language", "timezone",
)  # fmt: skip
_SETS_AT_ONCE: Final = 250_000
_ODD: Final = np.uint64(0x9E37_79B9_7F4A_7C15)

UInt64s = npt.NDArray[np.uint64]


def find_bands(warehouse: Warehouse) -> None:
    """Make the temporary tables signal_bands and user_bands of model_signals and window_activity.

    A user's band is kept only where its bucket holds a signal.
    """
    warehouse.execute("matching/band_sets")
    warehouse.execute("matching/signal_bands")
    warehouse.execute("matching/user_bands")
    of_signals, of_users = warehouse.query("matching/count_band_sets").row(0)
    for users, count in ((False, of_signals), (True, of_users)):
        parts = -(-count // _SETS_AT_ONCE)
        for part in range(parts):
            sets = warehouse.query("matching/weighted_sets", users=users, parts=parts, part=part)
            with warehouse.frame("bands", bands_of(sets)):
                side = "user" if users else "signal"
                warehouse.execute(f"matching/insert_{side}_bands")


def bands_of(sets: pl.DataFrame) -> pl.DataFrame:
    """Return the buckets of the signature of each set.

    Parameters
    ----------
    sets : DataFrame
        signal_id and user_id, and for each of ``TOKENS`` the token and its weight (``_weight``); a
        token of weight 0 does not stand in the set.

    Returns
    -------
    DataFrame
        signal_id, user_id, band (1 and up) and bucket, a row for each set and band; a set without
        tokens has none.
    """
    tokens = sets.select(TOKENS).fill_null(0).cast(pl.UInt64).to_numpy()
    weights = sets.select(pl.col(f"{name}_weight").cast(pl.Int64) for name in TOKENS).to_numpy()
    offsets = np.concatenate([[0], np.cumsum(weights.sum(axis=1))])
    signatures = Signer(PERMUTATIONS, SEED).sign(_elements(tokens, weights), offsets)
    bands, rows = band_shape()
    buckets = np.zeros((len(sets), bands), dtype=np.uint64)
    for row in range(rows):
        buckets = (buckets ^ signatures[:, row : bands * rows : rows]) * _ODD
        buckets ^= buckets >> np.uint64(29)
    chosen = np.repeat(np.flatnonzero(np.diff(offsets) > 0), bands)
    numbers = np.tile(np.arange(1, bands + 1, dtype=np.int16), len(chosen) // bands)
    return sets.select("signal_id", "user_id")[chosen].with_columns(
        band=numbers, bucket=buckets[chosen[::bands]].ravel().view(np.int64)
    )


@cache
def band_shape() -> tuple[int, int]:
    """Return the number of bands and of rows in each: datasketch's optimum at ``SIMILARITY``."""
    from datasketch import MinHashLSH  # slow to import, and few commands need it

    chosen = MinHashLSH(threshold=SIMILARITY, num_perm=PERMUTATIONS)
    return chosen.b, chosen.r


def _elements(tokens: UInt64s, weights: npt.NDArray[np.int64]) -> UInt32s:
    """Return the hashes of the elements: a token of weight w stands w times, each time another."""
    kinds = np.arange(1, tokens.shape[1] + 1, dtype=np.uint64) * _ODD
    counts = weights.ravel()
    repeated = np.repeat((tokens ^ kinds).ravel(), counts)
    starts = np.cumsum(counts) - counts
    copies = np.arange(len(repeated), dtype=np.uint64) - np.repeat(starts, counts).astype(np.uint64)
    mixed = (repeated + copies * _ODD) * _ODD
    result: UInt32s = (mixed >> np.uint64(32)).astype(np.uint32)
    return result
