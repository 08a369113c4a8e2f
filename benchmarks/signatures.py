"""MinHash signatures of random sets: the kernel beside datasketch's MinHash.bulk, on one core.

Usage: python benchmarks/signatures.py [--sets N] [--permutations N] [--repeats N]

Both sign the same sets of 0 to 30 token hashes; the signatures are compared bit for bit.
"""

import argparse
import itertools
import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy is imported

import statistics
import time

import numpy as np
from datasketch import MinHash

from matching.signatures import SCHEME, Signer


def main() -> None:
    """Print the rates, their ratio, and whether every value is equal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=100_000)
    parser.add_argument("--permutations", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(0, 31, options.sets))])
    tokens = rng.integers(0, 2**32, offsets[-1], dtype=np.uint32)
    sets = [tokens[begin:end] for begin, end in itertools.pairwise(offsets)]
    signer = Signer(options.permutations, 1)
    ours, theirs = [], []
    for _ in range(options.repeats):
        started = time.perf_counter()
        signatures = signer.sign(tokens, offsets)
        ours.append(time.perf_counter() - started)
        started = time.perf_counter()
        sketches = MinHash.bulk(
            sets, num_perm=options.permutations, seed=1, scheme=SCHEME, hashfunc=int
        )
        theirs.append(time.perf_counter() - started)
    equal = all(
        np.array_equal(sketch.hashvalues, signature)
        for sketch, signature in zip(sketches, signatures, strict=True)
    )
    mine, bulk = statistics.median(ours), statistics.median(theirs)
    print(f"{options.sets:,} sets, {len(tokens):,} tokens, {options.permutations} permutations")
    print(f"kernel         {options.sets / mine:>10,.0f} sets a second")
    print(f"MinHash.bulk   {options.sets / bulk:>10,.0f} sets a second")
    print(f"ratio          {bulk / mine:>10.1f}; signatures {'equal' if equal else 'DIFFERENT'}")


if __name__ == "__main__":
    main()
