"""The absorbing Markov chain of paths: transitions counted, and what each channel's removal loses.

A path goes from the start through states, each the last channels it met (as many as the order, or
fewer at its beginning), and ends in conversion or null. Every state occurred in a path that ended,
so from every state the end can be reached: none traps a path, and the matrix solved here, a weakly
dominant M-matrix, cannot be singular (Berman and Plemmons, Nonnegative matrices in the mathematical
sciences, 1994). At any order the visits counted balance, in equals out, and so they are the visits
that the chain expects: its conversion probability is the observed rate.

Removing a channel sends every transition into one of its states to null. What is solved is the loss
itself, not the difference of two conversion probabilities: each step adds what is at least 0, so
that no answer is negative and small losses keep their digits.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from attribution.paths import Codes, Floats, Integers, Paths

_TABLE: Final = 1 << 24  # codes below it are counted in a table, others are sorted
_DIRECT: Final = 500  # states up to which the chain is factorised; histories fill the factors
_STEPS: Final = 20_000  # of a larger chain, before it is factorised after all
_SETTLED: Final = 1e-17  # a step that adds less has nothing left to add
_CELLS: Final = 1 << 22  # states times channels removed at once


@dataclass(frozen=True)
class Chain:
    """Weights of the transitions between the states that occurred.

    Attributes
    ----------
    channels : int
        How many channels the paths name, those without a touch included.
    last : ndarray of int32, shape (states,)
        The channel that a state has met last.
    start : ndarray of float64, shape (states,)
        The paths that begin there.
    moves : sparse array of float64, shape (states, states)
        The transitions from the state of the row to that of the column.
    converted, valued, nulled : ndarray of float64, shape (states,)
        The conversions, their value and the paths without one that end there.
    untouched : tuple of float
        The conversions, their value and the paths without one that go from the start straight to
        their end: the baseline.
    """

    channels: int
    last: Codes
    start: Floats
    moves: sparse.csr_array
    converted: Floats
    valued: Floats
    nulled: Floats
    untouched: tuple[float, float, float]

    def __len__(self) -> int:
        return len(self.last)

    def visits(self) -> Floats:
        """Return the visits that the chain expects of the paths it was counted on.

        Returns
        -------
        ndarray of float64, shape (states,)
        """
        pull = self.start[:, None]
        settled = self._settle(np.arange(len(self)), pull, np.ones(pull.shape))
        return np.asarray(settled[:, 0] * self._passed())

    def rates(self) -> tuple[float, float]:
        """Return the conversions and the value that the chain expects of a path from the start."""
        shares = self.visits() / self._passed()
        converted, valued, nulled = self.untouched
        paths = self.start.sum() + converted + nulled
        return (
            float((shares @ self.converted + converted) / paths),
            float((shares @ self.valued + valued) / paths),
        )

    def losses(self) -> tuple[Floats, Floats]:
        """Return the conversions and the value lost when each channel is removed.

        Returns
        -------
        conversions, value : ndarray of float64, shape (channels,)
            Of the paths that the chain was counted on; 0 for a channel without a touch.
        """
        conversions, value = np.zeros(self.channels), np.zeros(self.channels)
        part = self._parts()[self.last]
        order = np.argsort(part, kind="stable")
        cuts = np.flatnonzero(np.diff(part[order])) + 1
        for states in np.split(order, cuts):
            removed = np.unique(self.last[states])
            columns = max(_CELLS // max(len(states), 1), 1)
            for first in range(0, len(removed), columns):
                some = removed[first : first + columns]
                lost = self._lost(states, some)
                conversions[some] = self.converted[states] @ lost
                value[some] = self.valued[states] @ lost
        return conversions, value

    def _passed(self) -> Floats:
        """Return the weight that passed each state, as counted."""
        return np.asarray(self.converted + self.nulled + self.moves.sum(axis=1))

    def _parts(self) -> Integers:
        """Return a number for each channel, the same for channels that paths lead between."""
        pairs = self.moves.tocoo()
        ends = (self.last[pairs.row], self.last[pairs.col])
        shape = (self.channels, self.channels)
        links = sparse.coo_array((np.ones(pairs.nnz), ends), shape=shape)
        return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)

    def _lost(self, states: Integers, removed: Codes) -> Floats:
        """Return the share of each state's visits that is lost, by removed channel."""
        own = self.last[states][:, None] == removed
        into = self.moves[states][:, states].T.tocsr()
        pull = np.where(own, 0.0, into @ own.astype(np.float64))
        return np.asarray(self._settle(states, pull, ~own) + own)

    def _settle(self, states: Integers, pull: Floats, kept: Floats) -> Floats:
        """Return y with visits * y = pull + moves.T @ y, column by column, where it is kept.

        Where `kept` is 0, y is 0 and moves nothing on.
        """
        inner = self.moves[states][:, states]
        stay = sparse.diags_array(inner.diagonal())
        others = (inner - stay).tocsr()
        # a state's own visits less its repeats, summed so that no digit is lost
        left = self.converted[states] + self.nulled[states] + others.sum(axis=1)
        into = others.T.tocsr()
        if len(states) > _DIRECT:
            settled = _iterate(into, left, pull, kept)
            if settled is not None:
                return settled
        return _factorise(into, left, pull, kept)


def count_transitions(paths: Paths, *, order: int) -> Chain:
    """Return the chain of some paths, each state the last `order` channels.

    A path of conversion probability p and weight w is w * p paths that converted and w * (1 - p)
    that did not.
    """
    if not (paths.weights > 0).all():
        paths = paths.take(np.flatnonzero(paths.weights > 0))
    lengths = np.diff(paths.offsets)
    touched = np.flatnonzero(lengths)
    state, last = _states(paths, order)
    states = len(last)
    first, final = state[paths.offsets[touched]], state[paths.offsets[touched + 1] - 1]
    converted = paths.weights * paths.conversions
    nulled = paths.weights - converted
    valued = converted * paths.values
    lone = lengths == 0

    def count(where: Integers, weights: Floats) -> Floats:
        return np.asarray(np.bincount(where, weights[touched], minlength=states), dtype=np.float64)

    return Chain(
        channels=len(paths.channels),
        last=last,
        start=count(first, paths.weights),
        moves=_moves(state, np.repeat(paths.weights, lengths), paths, states),
        converted=count(final, converted),
        valued=count(final, valued),
        nulled=count(final, nulled),
        untouched=(
            float(converted[lone].sum()),
            float(valued[lone].sum()),
            float(nulled[lone].sum()),
        ),
    )


def _states(paths: Paths, order: int) -> tuple[Integers, Codes]:
    """Return the state of each touch, and the last channel of each state."""
    channel, channels = paths.touches.channel.astype(np.int64), len(paths.channels)
    state, codes = _number(channel, channels)
    begins = np.zeros(len(channel) + 1, dtype=np.bool_)
    begins[paths.offsets] = True
    for _ in range(order - 1):
        # a state of one channel more: that of the touch before, and then this channel
        before = np.zeros_like(state)
        before[1:] = state[:-1] + 1
        before[begins[:-1]] = 0
        state, codes = _number(before * channels + channel, (len(codes) + 1) * channels)
    return state, (codes % max(channels, 1)).astype(np.int32)


def _number(codes: Integers, limit: int) -> tuple[Integers, Integers]:
    """Return codes numbered from 0 in their order, and the code of each number."""
    if limit > _TABLE:
        known, numbers = np.unique(codes, return_inverse=True)
        return numbers, known
    seen = np.zeros(limit, dtype=np.bool_)
    seen[codes] = True
    known = np.flatnonzero(seen)
    numbers = np.cumsum(seen) - 1
    return numbers[codes], known


def _moves(state: Integers, weights: Floats, paths: Paths, states: int) -> sparse.csr_array:
    """Return the weights of transitions from state to state."""
    ends = np.zeros(len(state) + 1, dtype=np.bool_)
    ends[paths.offsets] = True
    goes = np.flatnonzero(~ends[1:])
    pair, codes = _number(state[goes] * states + state[goes + 1], states * states)
    counts = np.bincount(pair, weights[goes], minlength=len(codes)).astype(np.float64)
    place = np.divmod(codes, max(states, 1))
    return sparse.coo_array((counts, place), shape=(states, states)).tocsr()


def _factorise(into: sparse.csr_array, left: Floats, pull: Floats, kept: Floats) -> Floats:
    """Return the solution by sparse elimination (SuperLU), for each column of its own.

    The pivots stay on the diagonal: of an M-matrix that is stable, and sums are of one sign.
    """
    settled = np.zeros(pull.shape)
    for column, keep in enumerate(kept.T > 0):
        rows = np.flatnonzero(keep)
        if len(rows):
            matrix = sparse.diags_array(left[rows]) - into[rows][:, rows]
            factors = splu(
                matrix.tocsc(),
                permc_spec="MMD_AT_PLUS_A",
                diag_pivot_thresh=0.0,
                options={"SymmetricMode": True},
            )
            settled[rows, column] = factors.solve(pull[rows, column])
    return np.clip(settled, 0.0, 1.0)


def _iterate(into: sparse.csr_array, left: Floats, pull: Floats, kept: Floats) -> Floats | None:
    """Return the solution as the sum of its steps (Jacobi), or None where they do not die away.

    It grows from 0 and stops when nothing more is added: as exact as elimination, without the
    factors, which long histories fill.
    """
    scale = kept / left[:, None]
    step = pull * scale
    settled = step
    for _ in range(_STEPS):
        step = (into @ step) * scale
        settled = settled + step
        if step.max(initial=0.0) <= _SETTLED:
            return np.asarray(np.minimum(settled, 1.0))
    return None
