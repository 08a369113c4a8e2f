"""The users that a model would find for a signal: a made-up function of the signal's id.

It stands in for the model of pairs, in the warehouse as in the twin, so that signals have several
candidates, probabilities that tie, and parts that do not add up.
"""

import random
import re
from typing import Final, NamedTuple

import polars as pl

from warehouse.runs import Run


class Candidate(NamedTuple):
    """A user who may have sent a signal, as a row of matches has it."""

    user: str
    method: str
    probability: float
    rank: int
    declared: bool


_OF_A_WORLD: Final = re.compile(r"w\d{3}s\d+")
# probabilities by rank, and whether the first is declared
_KEPT: Final = (
    ((), False),
    ((), False),
    ((0.9,), True),
    ((0.6, 0.3), True),
    ((0.5, 0.5), False),
    ((0.7, 0.2, 0.05), True),
    ((0.1, 0.1, 0.1), False),
    ((0.333_333_5, 0.333_333_5, 0.333_333), True),  # a millionth too many once rounded
    ((0.4, 0.000_000_4), False),  # nothing once rounded
    ((1.0,), True),
)


def candidates_of(signal_id: str) -> list[Candidate]:
    """Return the candidates of a signal, users of its own world; none of one of no world."""
    if not _OF_A_WORLD.fullmatch(signal_id):
        return []
    rng = random.Random(signal_id)  # noqa: S311
    probabilities, declared = rng.choice(_KEPT)
    users = rng.sample([f"{signal_id[:4]}u{number}" for number in range(3)], len(probabilities))
    return [
        Candidate(user, "model", probability, rank, declared and rank == 1)
        for rank, (user, probability) in enumerate(zip(users, probabilities, strict=True), start=1)
    ]


def add_candidates(run: Run) -> None:
    """Store the candidates of the signals handed over by matching that no identifier names."""
    connection = run.warehouse._connection
    waiting = connection.execute(
        "SELECT DISTINCT day, signal_id FROM pending_signals "
        "WHERE signal_id NOT IN (SELECT signal_id FROM matches)"
    ).fetchall()
    rows = [
        (day, signal_id, c.user, c.method, c.probability, c.rank, "test", c.declared)
        for day, signal_id in waiting
        for c in candidates_of(signal_id)
    ]
    columns = {
        "day": pl.Date, "signal_id": pl.String, "user_id": pl.String, "method": pl.String,
        "match_probability": pl.Float64, "rank": pl.Int32, "model_version": pl.String,
        "declared": pl.Boolean,
    }  # fmt: skip
    with run.warehouse.frame("found", pl.DataFrame(rows, schema=columns, orient="row")):
        connection.execute("INSERT INTO matches BY NAME SELECT * FROM found")
