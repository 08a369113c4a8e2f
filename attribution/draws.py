"""Random draws that depend on a seed and on what is drawn for, and on nothing else.

Each is a hash, so that order, threads and where a row lies have no part in it.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from attribution.paths import Floats, Integers

Words = npt.NDArray[np.uint64]
Draws = npt.NDArray[np.uint8]

_BITS: Final = 16  # of a draw; a word of 64 bits makes four
_LANES: Final = 64 // _BITS
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_OF_MATCHES: Final = 0x6D61  # tells draws of matches from those of users


def bootstrap_weights(user: Integers, replicates: int, seed: int) -> Draws:
    """Return how often each user is drawn in each replicate: Poisson with mean 1.

    Probabilities are rounded to 16 bits so that the mean is exactly 1.

    Parameters
    ----------
    user : ndarray of int64, shape (n,)
        Numbers of users; equal numbers are drawn alike.
    replicates : int
        How many.
    seed : int
        Another seed draws anew.

    Returns
    -------
    ndarray of uint8, shape (n, replicates)
        Memory is one byte an entry: call it on blocks of users.
    """
    drawn: Draws = _poisson_table()[_uniforms(mixed(user), replicates, seed)]
    return drawn


def user_draw(words: Words, replicate: int, seed: int) -> Draws:
    """Return the draws of one replicate alone."""
    drawn: Draws = _poisson_table()[_lane(words, replicate, seed)]
    return drawn


def match_draw(
    identity: Words, probability: Floats, replicate: int, seed: int
) -> npt.NDArray[np.bool_]:
    """Return whether each conversion is its user's in one replicate."""
    drawn = _lane(identity, replicate, seed ^ _OF_MATCHES)
    return np.asarray(drawn < np.rint(probability * 2**_BITS))


def match_draws(
    identity: Words, probability: Floats, replicates: int, seed: int
) -> npt.NDArray[np.bool_]:
    """Return whether each conversion is its user's, shape (n, replicates)."""
    drawn = _uniforms(identity, replicates, seed ^ _OF_MATCHES)
    return np.asarray(drawn < np.rint(probability * 2**_BITS)[:, None])


def _uniforms(words: Words, replicates: int, seed: int) -> npt.NDArray[np.uint16]:
    """Return even draws of 16 bits, shape (n, replicates)."""
    drawn = np.empty((len(words), -(-replicates // _LANES) * _LANES), dtype=np.uint16)
    for word in range(drawn.shape[1] // _LANES):
        hashed = _mix(words ^ _salt(seed, word))
        for lane in range(_LANES):
            drawn[:, word * _LANES + lane] = hashed >> np.uint64(lane * _BITS)
    return drawn[:, :replicates]


def _lane(words: Words, replicate: int, seed: int) -> npt.NDArray[np.uint16]:
    word, lane = divmod(replicate, _LANES)
    hashed = _mix(words ^ _salt(seed, word))
    return np.asarray(hashed >> np.uint64(lane * _BITS)).astype(np.uint16)


def mixed(numbers: npt.NDArray[np.integer]) -> Words:
    """Return numbers as words whose bits are mixed, so that no two stand near each other."""
    return _mix(numbers.astype(np.int64).view(np.uint64) + _GOLDEN)


def conversion_words(
    user: Integers, advertiser: npt.NDArray[np.integer], time_us: Integers
) -> Words:
    """Return what names a conversion wherever its row lies."""
    return mixed(user) ^ _mix(mixed(advertiser) + mixed(time_us))


def hash_unit(*columns: Integers, seed: int = 0) -> Floats:
    """Return numbers in [0, 1) that hang on the columns alone, shape (n,)."""
    state = np.full(len(columns[0]), np.uint64(seed))
    for column in columns:
        state = _mix(state + column.astype(np.int64).view(np.uint64) + _GOLDEN)
    unit: Floats = (state >> np.uint64(11)).astype(np.float64) / 2.0**53
    return unit


def _salt(seed: int, word: int) -> np.uint64:
    mixed = _mix(np.array([seed % 2**64], dtype=np.uint64) + _GOLDEN)
    return np.uint64(_mix(mixed + np.array([word + 1], dtype=np.uint64) * _GOLDEN)[0])


def _mix(words: Words) -> Words:
    """Return words with every bit depending on every bit: the end of SplitMix64.

    Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators".
    """
    mixed = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def _poisson_table() -> Draws:
    """Return the number of times drawn for each of the 16-bit uniforms; the mean is exactly 1."""
    from scipy.stats import poisson  # slow to import, and few commands need it

    size = 1 << _BITS
    most = 10
    share = np.rint(size * poisson.pmf(np.arange(most), 1.0)).astype(np.int64)
    # what rounding took is given back by 0 and 1, which are the most frequent
    share[1] += size - int(share @ np.arange(most))
    share[0] += size - int(share.sum())
    return np.repeat(np.arange(most, dtype=np.uint8), share)
