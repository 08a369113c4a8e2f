"""The e-mail addresses and phone numbers of events → the digests of the platform they went to.

A signal has one column for each, a payload may list several values: the first that is usable is
kept. What the platform's recipe refuses is null and counted.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import polars as pl

from warehouse.recipes import Field, Recipe, judge, normalise

_COLUMNS: Final = {"email": Field.EMAIL, "phone": Field.PHONE}
_WORDS: Final = {"email": "e-mails", "phone": "phones"}
_TWO_LETTERS: Final = "^[A-Za-z]{2}$"


class ContactDigests:
    """Digests the contacts of events, batch by batch, and counts what it refuses.

    Parameters
    ----------
    recipe : Recipe
        The platform whose digests are wanted. A value that arrives hashed stays as it is.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._refused: dict[str, Counter[str]] = {column: Counter() for column in _COLUMNS}

    def digest(self, column: str, sent: Sequence[Sequence[str]], country: pl.Series) -> pl.Series:
        """Return the digest of the first usable value of each event, or null.

        Parameters
        ----------
        column : str
            ``email`` or ``phone``.
        sent : sequence of sequence of str
            The values of each event, raw or hashed.
        country : Series of str
            The country of each event, in which phone numbers are read.
        """
        rows = pl.Series([row for row, values in enumerate(sent) for _ in values], dtype=pl.UInt32)
        values = pl.Series([value for values in sent for value in values], dtype=pl.String)
        digests = pl.Series(column, [None], dtype=pl.String).new_from_index(0, len(sent))
        if values.is_empty():
            return digests
        made, refusal = judge(values, field=_COLUMNS[column], country=country.gather(rows))
        self._refused[column].update(refusal.drop_nulls().to_list())
        usable = (
            pl.DataFrame({"row": rows, "digest": made[self._recipe.value]})
            .drop_nulls("digest")
            .unique("row", keep="first", maintain_order=True)
        )
        return digests.scatter(usable["row"], usable["digest"])

    def refusals(self) -> str | None:
        """Say how many values were refused and why, in one clause; None where none was."""
        clauses = []
        for column, counts in self._refused.items():
            if counts:
                ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
                reasons = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in ordered)
                clauses.append(f"{_WORDS[column]} refused {counts.total():,} ({reasons})")
        return "; ".join(clauses) or None


def countries(sent: pl.Series) -> pl.Series:
    """Return countries as two capital letters; null for what names none.

    Codes of three letters and English names are understood, since Meta's own example of a raw value
    is "United States".
    """
    coded = sent.str.contains(_TWO_LETTERS).fill_null(value=False)
    named = normalise(sent.set(coded, None), field=Field.COUNTRY, recipe=Recipe.META)
    return named.zip_with(~coded, sent).str.to_uppercase().alias(sent.name)
