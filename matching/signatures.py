"""MinHash signatures of token sets, bit for bit those of datasketch's affine32 scheme.

A signature estimates the Jaccard similarity of two sets by the share of equal values (Broder 1997).
Here the sets of a whole batch lie in one flat array, so that numpy works on all of them at once.

References
----------
Broder, "On the resemblance and containment of documents", SEQUENCES 1997.
datasketch 2.0, ``MinHash(scheme="affine32")``: a bijective pre-mix (the finaliser of MurmurHash3),
then ``a * h + b`` modulo 2**32 with odd ``a`` for each permutation.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

UInt32s = npt.NDArray[np.uint32]

SCHEME: Final = "affine32"
EMPTY: Final = np.uint32(0xFFFF_FFFF)
_TOKENS_AT_ONCE: Final = 1 << 15  # 128 KiB: the values of one permutation stay in the cache


@dataclass(frozen=True)
class Signer:
    """A family of permutations.

    Attributes
    ----------
    permutations : int
        Length of a signature.
    seed : int
        Same seed, same signatures.
    """

    permutations: int = 128
    seed: int = 1

    @cached_property
    def _factors(self) -> tuple[UInt32s, UInt32s]:
        generator = np.random.RandomState(self.seed)
        odd = generator.randint(0, 1 << 31, self.permutations, dtype=np.uint32)
        shift = generator.randint(0, 1 << 32, self.permutations, dtype=np.uint32)
        return odd * np.uint32(2) + np.uint32(1), shift

    def sign(self, tokens: UInt32s, offsets: npt.NDArray[np.int64]) -> UInt32s:
        """Return the signature of each set.

        Parameters
        ----------
        tokens : ndarray of uint32, shape (m,)
            Hashes of the tokens of all sets, one set after the other. A token of weight w stands w
            times, each under a hash of its own.
        offsets : ndarray of int64, shape (n + 1,)
            Where each set begins, and at last where the last one ends; as in an Arrow list.

        Returns
        -------
        ndarray of uint32, shape (n, permutations)
            An empty set has the greatest value everywhere, as in datasketch.
        """
        sets = len(offsets) - 1
        signatures = np.full((sets, self.permutations), EMPTY, dtype=np.uint32)
        filled = np.flatnonzero(np.diff(offsets))
        mixed = _mix(tokens)
        first = 0
        while first < len(filled):
            begin = offsets[filled[first]]
            past = np.searchsorted(offsets[filled], begin + _TOKENS_AT_ONCE)
            chosen = filled[first : max(past, first + 1)]
            end = offsets[chosen[-1] + 1]
            signatures[chosen] = self._sign_filled(mixed[begin:end], offsets[chosen] - begin)
            first += len(chosen)
        return signatures

    def _sign_filled(self, mixed: UInt32s, starts: npt.NDArray[np.int64]) -> UInt32s:
        """Return the signatures of sets none of which is empty."""
        signatures = np.empty((self.permutations, len(starts)), dtype=np.uint32)
        values = np.empty_like(mixed)
        for place, (factor, shift) in enumerate(zip(*self._factors, strict=True)):
            np.multiply(mixed, factor, out=values)
            np.add(values, shift, out=values)
            np.minimum.reduceat(values, starts, out=signatures[place])
        return signatures.T


def _mix(hashes: UInt32s) -> UInt32s:
    """Spread hashes over the range: the finaliser of MurmurHash3 (Appleby, 32 bits)."""
    mixed = hashes ^ (hashes >> np.uint32(16))
    mixed *= np.uint32(0x85EB_CA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2_AE35)
    mixed ^= mixed >> np.uint32(16)
    return mixed
