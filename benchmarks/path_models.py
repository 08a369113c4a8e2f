"""Markov and Shapley models beside their peers: times, and the shares on which they differ.

Usage: OMP_NUM_THREADS=1 python benchmarks/path_models.py [--paths N] [--channels N] [--seed N]
           [--peers PYTHON] [--limit SECONDS] [--out FILE]

Paths are drawn from a seed, none without a touch, for no peer reads those: N, 4 N and 16 N of them.
Ours and each peer (`benchmarks/path_peers.py`, in the environment of another Python) get one core
and the same paths, in memory in the form that each reads; what takes longer than the limit is
ended, and not tried on more. "apart" is the largest difference of a channel's share from the figure
of ours that means the same, named in the last column.

Then the cases solved by hand, conversions marked *:

- chain: a*, a, a > b*, b. Start to a 3/4; from a 1/3 each to b, conversion and null; from b half
  convert. Without a 1/8 convert, without b 1/4, of 1/2: effects 3/4 and 1/2, shares .6 and .4.
  channelattribution simulates and misses by what its 5% tolerance allows. do-attribution's "fail",
  its default, fits the chain anew with the paths through the channel as failures; a fitted chain
  has the observed rate, so its effect is but the share of converted paths that hold the channel: 1
  and 1/2, .667 and .333, at any order. Ours at order 2 is so here because the chain is then exact.
- memory: a > b*, three times, and c > b, three times. At order 1 b forgets who sent it, and c has
  as much as a, .25. At order 2 c has nothing. mam and do-attribution's "redirect_to_null" are
  right at order 1; mam has no other.
- pair: rates a 1/2, b 1/4, a and b 3/4, four paths of each. Exact Shapley values of the pair: a
  (1/2 + 1/2) / 2, b (1/4 + 1/4) / 2; over all paths 4 and 2 conversions. shapley-attribution's
  "simplified" model parts each conversion equally among its channels (3.5 and 2.5): the closed form
  of the game whose worth is the conversions within a coalition, which is right for that game but
  never looks at a path that did not convert.
- five: a > b > c > d > e, three of four convert, and none of the five alone. All are alike:
  .2. mam at its default size 4 keeps the four last names of the alphabet and gives a nothing.
- unseen: a*, a, a > b*, a > b*. Nobody saw b alone. mam says that nobody would convert there,
  and the synergy of the pair falls to a: .833 and .167. Ours takes the additive rate 3/4, and has
  .583 and .417. No data can say which is right. mam also leaves out the sets of which no path
  converted, and with them what they take from their channels; with both of its ways our values
  are its own to the last digits. That is all by which the two are apart on the drawn paths.
- exact sets: do-attribution's Shapley values are of one game of all channels, worth the
  conversions of paths with exactly those channels. Longer sets have fewer paths, so its values are
  negative where a channel is seldom met with all others, and sum to the conversions of paths with
  all channels instead of all conversions: on the memory case to 0.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from attribution.learned.coalitions import shapley_values
from attribution.learned.exposed_sets import count_sets, expose, set_keys
from attribution.learned.markov import MarkovModel
from attribution.learned.shapley import ShapleyModel
from attribution.paths import Floats, Paths

SIZES: Final = (1, 4, 16)
ONE_CORE: Final = dict.fromkeys(("OMP_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
CASES: Final = {
    "chain": (("a", "a", "ab", "b"), (1, 0, 1, 0)),
    "memory": (("ab",) * 3 + ("cb",) * 3, (1, 1, 1, 0, 0, 0)),
    "pair": (("a",) * 4 + ("b",) * 4 + ("ab",) * 4, (1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0)),
    "five": (("abcde",) * 4 + tuple("abcde"), (1, 1, 1, 0, 0, 0, 0, 0, 0)),
    "unseen": (("a", "a", "ab", "ab"), (1, 0, 1, 1)),
}
PEERS: Final = {
    "channelattribution": "markov 1",
    "channelattribution counted": "markov 1",
    "channelattribution order 2": "markov 2",
    "mam markov": "markov 1",
    "do-attribution to null": "markov 1",
    "do-attribution fail": "markov 1",
    "mam shapley": "shapley",
    "mam shapley size 4": "shapley",
    "shapley-attribution": "shapley of summed conversions",
    "do-attribution shapley": "shapley of exact sets",
}
"""Models of the peers, and what of ours means the same."""
Shares = dict[str, float]
Answer = tuple[float, Shares]


def main() -> None:
    """Time all models on growing data, and compare them on the cases solved by hand."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--paths", type=int, default=62_500)
    parser.add_argument("--channels", type=int, default=12)
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for one peer")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", type=Path, default=None, help="a Python that has the peers")
    parser.add_argument("--out", type=Path, default=None, help="CSV of all figures")
    options = parser.parse_args()
    for run in OURS.values():  # what is imported at the first call is no part of its time
        run(draw_paths(1000, options.channels, seed=options.seed))
    rows: list[dict[str, object]] = []
    slow: set[str] = set()
    for times in SIZES:
        count = times * options.paths
        paths = draw_paths(count, options.channels, seed=options.seed)
        rows += compare(paths, options, slow, {"data": f"{count:,} paths"})
        if options.out is not None:
            pl.DataFrame(rows, infer_schema_length=None).write_csv(options.out)
    for case, (sequences, converted) in CASES.items():
        paths = Paths.of(sequences, converted)
        rows += compare(paths, options, set(), {"data": case}, shown=True)
    if options.out is not None:
        pl.DataFrame(rows, infer_schema_length=None).write_csv(options.out)


def draw_paths(count: int, channels: int, *, seed: int) -> Paths:
    """Draw paths of 1 to 30 touches whose channels differ in frequency and in effect."""
    random = np.random.default_rng(seed)
    lengths = np.minimum(random.geometric(0.3, count), 30)
    frequency = 0.85 ** np.arange(channels)
    drawn = random.choice(channels, int(lengths.sum()), p=frequency / frequency.sum())
    effect = random.uniform(0.0, 0.03, channels)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    chance = 0.02 + np.add.reduceat(effect[drawn], offsets[:-1])
    converted = (random.random(count) < chance).astype(np.float64)
    frame = Paths.of([[f"c{number:02}" for number in range(channels)]], [0.0])
    touches = frame.touches.take(np.zeros(len(drawn), dtype=np.int64))
    touches.channel[:] = drawn
    zeros = np.zeros(count, dtype=np.int32)
    return Paths(
        channels=frame.channels,
        advertisers=frame.advertisers,
        segments=frame.segments,
        offsets=offsets,
        touches=touches,
        end_us=np.zeros(count, dtype=np.int64),
        conversions=converted,
        values=converted,
        weights=np.ones(count),
        user=np.arange(count),
        advertiser=zeros,
        segment=zeros,
    )


def compare(
    paths: Paths,
    options: argparse.Namespace,
    slow: set[str],
    label: dict[str, object],
    *,
    shown: bool = False,
) -> list[dict[str, object]]:
    """Print and return a row for each model; add to `slow` what took longer than the limit."""
    print(f"\n{label['data']}, {len(paths.touches):,} touches", flush=True)
    answers = {name: timed(run, paths) for name, run in OURS.items()}
    rows = [row(name, answer, None, label, shown=shown) for name, answer in answers.items()]
    if options.peers is None:
        return rows
    with tempfile.TemporaryDirectory() as name:
        table = Path(name) / "paths.parquet"
        written(paths).write_parquet(table)
        for peer, same in PEERS.items():
            if peer in slow:
                continue
            answer = by_peer(options.peers, peer, table, options.limit)
            if isinstance(answer, str):
                slow.add(peer)
                print(f"{peer:<31} {answer}", flush=True)
                rows.append({**label, "model": peer, "failed": answer})
                continue
            rows.append(row(peer, answer, (same, answers[same][1]), label, shown=shown))
    return rows


def row(
    model: str,
    answer: Answer,
    same: tuple[str, Shares] | None,
    label: dict[str, object],
    *,
    shown: bool,
) -> dict[str, object]:
    """Print and return what one model took and found."""
    seconds, shares = answer
    figures: dict[str, object] = {**label, "model": model, "seconds": round(seconds, 3)}
    text = f"{model:<31} {seconds:8.2f} s"
    if same is not None:
        names = set(shares) | set(same[1])
        apart = max(abs(shares.get(one, 0.0) - same[1].get(one, 0.0)) for one in names)
        figures |= {"apart": apart, "from": same[0]}
        text += f"   apart {apart:.1e} from {same[0]}"
    if shown:
        found = " ".join(f"{name} {share:.3f}" for name, share in sorted(shares.items()))
        figures["shares"] = found
        text += f"   {found}"
    print(text, flush=True)
    return figures


def timed(run: Callable[[Paths], Shares], paths: Paths) -> Answer:
    """Return the seconds that one of ours takes, and its shares."""
    started = time.monotonic()
    shares = run(paths)
    return time.monotonic() - started, shares


def by_peer(python: Path, model: str, table: Path, limit: float) -> Answer | str:
    """Return what a peer took and found, or why it did not."""
    out = table.with_name("shares.json")
    script = Path(__file__).with_name("path_peers.py")
    command = [str(python), str(script), model, str(table), str(out)]
    try:
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            timeout=limit,
            env={**os.environ, **ONE_CORE},
        )
    except subprocess.TimeoutExpired:
        return f"not done in {limit:.0f} s"
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [f"ended with {error.returncode}"]
        return f"failed: {lines[-1]}"
    answer = json.loads(out.read_text())
    return answer["seconds"], answer["shares"]


def written(paths: Paths) -> pl.DataFrame:
    """Return the paths as the peers read them."""
    names = np.array(paths.channels)[paths.touches.channel]
    touches = pl.DataFrame({"row": paths.of_touch, "name": names})
    joined = touches.group_by("row", maintain_order=True).agg(pl.col("name").str.join(" > "))
    return joined.select(path="name", converted=pl.Series(paths.conversions > 0))


def normalised(amounts: Shares) -> Shares:
    """Return amounts over the sum of their sizes: those of both signs can sum to nothing."""
    total = sum(abs(amount) for amount in amounts.values())
    return {name: amount / total for name, amount in amounts.items()}


def by_markov(order: int) -> Callable[[Paths], Shares]:
    """Return our Markov model as a function to shares."""
    return lambda paths: normalised(MarkovModel.fit_paths(paths, order=order).channel_credit())


def by_shapley(shrinkage: float) -> Callable[[Paths], Shares]:
    """Return our Shapley model as a function to shares."""
    return lambda paths: normalised(ShapleyModel.fit_paths(paths, shrinkage=shrinkage).values())


def by_game(*, summed: bool) -> Callable[[Paths], Shares]:
    """Return the Shapley values of one game of all channels, worth conversions, as shares.

    Either of all paths within the coalition, or of those with exactly its channels.
    """

    def play(paths: Paths) -> Shares:
        players = len(paths.channels)
        keys = set_keys(players)
        sets = count_sets(expose(paths, np.arange(players), keys), paths.weights, paths.conversions)
        worth: Floats = np.zeros(1 << players)
        worth[sets.keys] = sets.converted
        for player in range(players if summed else 0):
            halves = worth.reshape(-1, 2, 1 << player)
            halves[:, 1] += halves[:, 0]
        values = shapley_values(worth, players).tolist()
        return normalised(dict(zip(paths.channels, values, strict=True)))

    return play


OURS: Final[dict[str, Callable[[Paths], Shares]]] = {
    "markov 1": by_markov(1),
    "markov 2": by_markov(2),
    "markov 3": by_markov(3),
    "markov 4": by_markov(4),
    "shapley": by_shapley(0.0),
    "shapley shrunk": by_shapley(500.0),
    "shapley of summed conversions": by_game(summed=True),
    "shapley of exact sets": by_game(summed=False),
}
"""Models of ours, by name."""

if __name__ == "__main__":
    main()
