"""What was forgotten, or would be: told to the operator by name, and to the ledger without."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from warehouse.asked import NOUNS
from warehouse.config import Config
from warehouse.database import Warehouse
from warehouse.runs import Run

FINISHED_EARLIER: Final = "The rewrite that an earlier forget or rekey left unfinished is done now."


class ErasingRun(Run):
    """A run after which the file of the warehouse is rewritten.

    Attributes
    ----------
    finished_earlier : bool
        Whether the rewrite that an earlier run had left unfinished was done first.
    afterwards : list of callable
        Called when the file has been rewritten.
    """

    def __init__(self, warehouse: Warehouse, command: str, config: Config) -> None:
        super().__init__(warehouse, command, config)
        self.finished_earlier = False
        self.afterwards: list[Callable[[], None]] = []


@dataclass(frozen=True, repr=False)
class Found:
    """What the warehouse knows of one user id or identifier that was asked for.

    Attributes
    ----------
    kind : str
        ``user_id``, or a kind of identifier.
    user_ids : tuple of str
        The users that it names.
    known : bool
        Whether it stands anywhere.
    once_shared : bool
        Whether somebody had it too who is forgotten by now.
    in_refused_rows : bool
        Whether refused rows have it as their user_id, of whom nothing else is known.
    """

    kind: str
    user_ids: tuple[str, ...]
    known: bool = True
    once_shared: bool = False
    in_refused_rows: bool = False

    @property
    def names_one(self) -> bool:
        """Whether it is one user's and never was another's, so that this user is meant."""
        return len(self.user_ids) == 1 and not self.once_shared


@dataclass(frozen=True, repr=False)
class Erasure:
    """What was forgotten; the user ids are for the operator's eyes and never stored.

    Attributes
    ----------
    run_id : str or None
        The run, as in the tables runs and erasures; None where nothing was changed.
    found : sequence of Found
        What was asked for, in its order.
    user_ids : sequence of str
        The users forgotten.
    rows : mapping of str to mapping of str to int
        Rows by what was done to them (deleted, emptied, renamed) and by table.
    finished_earlier : bool
        Whether the rewrite that an earlier forget or rekey had left unfinished was done first.
    """

    run_id: str | None
    found: Sequence[Found]
    user_ids: Sequence[str]
    rows: Mapping[str, Mapping[str, int]]
    finished_earlier: bool = False

    @property
    def asked(self) -> str:
        """The kinds asked for."""
        return ", ".join(dict.fromkeys(one.kind for one in self.found))

    @property
    def users_named(self) -> int:
        """How many users all that was asked for names."""
        return len({user for one in self.found if one.known for user in one.user_ids})

    @property
    def row_counts(self) -> dict[str, int]:
        """The rows of each table, whatever was done to them."""
        tables = sorted({table for counts in self.rows.values() for table in counts})
        return {
            table: sum(counts.get(table, 0) for counts in self.rows.values()) for table in tables
        }

    @property
    def outcome(self) -> str:
        """What was done, in one line that names nobody."""
        parts = [f"{_users(len(self.user_ids))} forgotten"] if self.user_ids else []
        alone = [one for one in self.found if one.known and not one.names_one]
        if alone:
            parts.append(f"{len(alone)} removed as identifiers only")
        unknown = sum(not one.known for one in self.found)
        if unknown:
            parts.append(f"{unknown} unknown")
        return ", ".join(parts)

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values, for JSON."""
        return {
            "run_id": self.run_id,
            "dry_run": self.run_id is None,
            "asked": self.asked,
            "unknown": [one.kind for one in self.found if not one.known],
            "finished_earlier": self.finished_earlier,
            "users_named": self.users_named,
            "users_removed": len(self.user_ids),
            "user_ids": list(self.user_ids),
            "rows": {deed: dict(counts) for deed, counts in self.rows.items()},
        }

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        dry = self.run_id is None
        if self.finished_earlier and not self.rows:
            yield FINISHED_EARLIER
        if dry:
            yield "Dry run: nothing was changed."
        if self.user_ids:
            names = ", ".join(map(_printable, self.user_ids))
            yield f"{_users(len(self.user_ids))} {'would be ' if dry else ''}forgotten: {names}"
        for one in self.found:
            text = self._told(one)
            if text:
                yield text
        done = "; ".join(
            f"{deed}: " + ", ".join(f"{table} {count:,}" for table, count in counts.items())
            for deed, counts in self.rows.items()
        )
        if done:
            yield f"Rows {'that would be ' if dry else ''}{done}"

    def _told(self, one: Found) -> str | None:
        """Say what became of an identifier, unless it went with its users."""
        noun, dry = NOUNS[one.kind], self.run_id is None
        count, left = len(one.user_ids), len(set(one.user_ids) - set(self.user_ids))
        removed = "would be removed" if dry else "was removed"
        if one.in_refused_rows:
            return (
                f"No user of this {noun} is known. The refused rows that hold it "
                f"{'would be' if dry else 'were'} emptied."
            )
        if not one.known:
            return f"Nothing is known of the {noun} given. See that it is written as in the logs."
        if count == 0:
            return f"This {noun} is no user's. It {removed} everywhere."
        if left == 0:
            return None
        shared = f"is shared by {count} users"
        whom = "one of them"
        if count == 1:
            shared, whom = "was once shared with a user who is forgotten", "that user"
        stay = "would stay" if dry else "stays" if left == 1 else "stay"
        return (
            f"This {noun} {shared}. The {noun} itself {removed} everywhere; "
            f"{_those(left, count)} {stay}. To forget {whom} use --user-id."
        )


def _those(left: int, count: int) -> str:
    """Name the users who are left of those who had an identifier."""
    if left < count:
        return "the other user" if left == 1 else f"the other {left:,} users"
    return {1: "its user", 2: "both users"}.get(count, f"all {count:,} users")


def _users(count: int) -> str:
    return "1 user" if count == 1 else f"{count:,} users"


def _printable(text: str) -> str:
    """Return a name without signs that a terminal would obey."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
