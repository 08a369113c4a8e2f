"""Randomness keyed by what it belongs to.

A draw that must come out the same whichever chunk or row asks for it (a holdout arm, the address of
a lease) is a hash of its keys. The finaliser is SplitMix64's (Steele, Lea and Flood, OOPSLA 2014):
it is a bijection, so distinct last keys under equal earlier keys never collide and identifiers made
of it are unique.
"""

from typing import SupportsInt

import numpy as np
import numpy.typing as npt

from simulation.arrays import Floats, Words

_GOLDEN = np.array([0x9E3779B97F4A7C15], dtype=np.uint64)
_FIRST = np.array([0xBF58476D1CE4E5B9], dtype=np.uint64)
_SECOND = np.array([0x94D049BB133111EB], dtype=np.uint64)
_S27, _S30, _S31, _S11 = (np.array([shift], dtype=np.uint64) for shift in (27, 30, 31, 11))


def mix(*keys: SupportsInt | npt.NDArray[np.generic]) -> Words:
    """Return one well mixed 64-bit word for each row of the keys, which broadcast.

    Parameters
    ----------
    *keys : int or ndarray of integers
        What the word belongs to, the most general key first.
    """
    state = np.zeros(1, dtype=np.uint64)
    for key in keys:
        word = np.atleast_1d(np.asarray(key)).astype(np.uint64)
        state = (state ^ word) + _GOLDEN
        state ^= state >> _S30
        state *= _FIRST
        state ^= state >> _S27
        state *= _SECOND
        state ^= state >> _S31
    return state


def uniform(*keys: SupportsInt | npt.NDArray[np.generic]) -> Floats:
    """Return one number in [0, 1) for each row of the keys, as `mix` does words."""
    return (mix(*keys) >> _S11).astype(np.float64) * 2.0**-53
