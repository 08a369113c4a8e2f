"""Run one model of a peer on paths: what benchmarks/path_models.py starts in another Python.

Usage: python benchmarks/path_peers.py MODEL PATHS.parquet OUT.json
       (in an environment with channelattribution, matplotlib, marketing-attribution-models,
       shapley-attribution, do-attribution, pandas and pyarrow; it imports nothing of adscribe)

PATHS has a row a path: path, the channels separated by " > ", and converted. OUT gets the seconds
that the model took, the table being in memory in the form it reads, and the share of each channel.
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pandas as pd

Shares = dict[str, float]
Model = Callable[[pd.DataFrame], tuple[float, Shares]]


def main() -> None:
    """Run the model and write what it took and found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", choices=sorted(MODELS))
    parser.add_argument("paths", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # what the peers warn of is not ours to mend
    paths = pd.read_parquet(options.paths)
    seconds, shares = MODELS[options.model](paths)
    options.out.write_text(json.dumps({"seconds": seconds, "shares": shares}))


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    started = time.monotonic()
    answer = call()
    return time.monotonic() - started, answer


def _normalised(amounts: dict[str, float]) -> Shares:
    # values of both signs can sum to nothing
    total = sum(abs(amount) for amount in amounts.values())
    return {name: float(amount) / total for name, amount in sorted(amounts.items())}


def _channelattribution(paths: pd.DataFrame, *, order: int, counted: bool) -> tuple[float, Shares]:
    from ChannelAttribution import markov_model

    rows = pd.DataFrame(
        {
            "path": paths["path"],
            "converted": paths["converted"].astype(int),
            "lost": 1 - paths["converted"].astype(int),
        }
    )
    if counted:
        rows = rows.groupby("path", as_index=False).sum()
    seconds, found = _timed(
        lambda: markov_model(
            rows,
            "path",
            "converted",
            var_null="lost",
            order=order,
            sep=">",
            seed=1,
            verbose=False,
            flg_pro=False,
        )
    )
    table = found["result"] if isinstance(found, dict) else found
    return seconds, _normalised(
        dict(zip(table["channel_name"].str.strip(), table["total_conversions"], strict=True))
    )


def _mam(paths: pd.DataFrame, *, kind: str, size: int) -> tuple[float, Shares]:
    from mam.core import MAM

    rows = paths.assign(occurrences=1)

    def run() -> Any:
        model = MAM(
            df=rows,
            format_type="grouped_journey",
            channels_colname="path",
            journey_with_conv_colname="converted",
            occurrences_colname="occurrences",
        )
        return model.run_markov() if kind == "markov" else model.run_shapley(max_size=size)

    seconds, found = _timed(run)
    if kind == "markov":
        effects = found.metadata["removal_effect"]["removal_effect"]
        return seconds, _normalised(effects.to_dict())
    rows_found = found.metadata["conv_table"]
    amounts: dict[str, float] = {}
    for row in rows_found.iter_rows():
        names, parts = row[0].split(" > "), row[-1]
        for name, part in zip(names, parts, strict=True):
            amounts[name] = amounts.get(name, 0.0) + part
    return seconds, _normalised(amounts)


def _shapley_attribution(paths: pd.DataFrame) -> tuple[float, Shares]:
    from shapley_attribution import SimplifiedShapleyAttribution

    journeys = [path.split(" > ") for path in paths["path"]]
    model = SimplifiedShapleyAttribution(normalize=False)
    seconds, _ = _timed(lambda: model.fit(journeys, paths["converted"].astype(int)))
    return seconds, _normalised({str(k): v for k, v in model.get_attribution().items()})


def _do_attribution(paths: pd.DataFrame, *, kind: str) -> tuple[float, Shares]:
    from do_attribution import MarkovAttribution, ShapleyAttribution

    if kind == "shapley":
        model: Any = ShapleyAttribution()
    else:
        model = MarkovAttribution(removal_strategy=kind)
    seconds, found = _timed(lambda: model.fit(paths["path"], paths["converted"].astype(int)))
    raw = found["shapley_values"] if kind == "shapley" else found["removal_effects"]
    return seconds, _normalised(raw)


MODELS: Final[dict[str, Model]] = {
    "channelattribution": lambda paths: _channelattribution(paths, order=1, counted=False),
    "channelattribution counted": lambda paths: _channelattribution(paths, order=1, counted=True),
    "channelattribution order 2": lambda paths: _channelattribution(paths, order=2, counted=False),
    "mam markov": lambda paths: _mam(paths, kind="markov", size=0),
    "mam shapley": lambda paths: _mam(paths, kind="shapley", size=12),
    "mam shapley size 4": lambda paths: _mam(paths, kind="shapley", size=4),
    "shapley-attribution": _shapley_attribution,
    "do-attribution to null": lambda paths: _do_attribution(paths, kind="redirect_to_null"),
    "do-attribution fail": lambda paths: _do_attribution(paths, kind="fail"),
    "do-attribution shapley": lambda paths: _do_attribution(paths, kind="shapley"),
}
"""Models of the peers, by name."""

if __name__ == "__main__":
    main()
