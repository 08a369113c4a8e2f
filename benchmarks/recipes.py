"""How many e-mail addresses and phone numbers a second become the digests of every recipe.

Run with ``python benchmarks/recipes.py [ROWS]``. One thread everywhere, so a rate is a core's; the
best of three runs, all values distinct.
"""

import os

os.environ["POLARS_MAX_THREADS"] = "1"  # before Polars is imported

import random
import sys
import time
from collections.abc import Callable

import polars as pl

from warehouse.recipes import Field, digests

DOMAINS = ["gmail.com"] * 9 + ["googlemail.com", "yahoo.com", "hotmail.com", "web.de", "icloud.com"]
TARGET = 300_000


def write_emails(rows: int, rng: random.Random) -> pl.Series:
    """Return addresses as typed: case, space, dots, tags, a few with letters outside ASCII."""
    shapes = ("Ann.Lee{}@{}", " ann.lee{}@{}", "annlee{}+shop@{}", "ANN{}@{}", "jürgen{}@{} ")
    weights = (4, 3, 2, 2, 0.2)
    chosen = rng.choices(shapes, weights, k=rows)
    return pl.Series(
        [shape.format(number, rng.choice(DOMAINS)) for number, shape in enumerate(chosen)]
    )


def write_phones(rows: int, shape: str, rng: random.Random) -> pl.Series:
    """Return numbers of Great Britain and the United States, each written in `shape`."""
    codes = rng.choices(("44 79", "1 65"), k=rows)
    return pl.Series([shape.format(code, number) for number, code in enumerate(codes)])


def measure(name: str, run: Callable[[], pl.DataFrame], rows: int) -> float:
    """Print and return the rate of the fastest of three runs."""
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    rate = rows / min(seconds)
    print(f"{name:<44} {rows:>9,} rows {min(seconds):7.2f} s {rate:>12,.0f} a second")
    return rate


def main(rows: int) -> None:
    """Measure raw and hashed e-mail addresses, and phone numbers clean, spaced and national."""
    rng = random.Random(1)  # noqa: S311 -- no secrets
    emails = write_emails(rows, rng)
    hashed = digests(emails, field=Field.EMAIL)["google"]
    rate = measure("e-mails, four recipes", lambda: digests(emails, field=Field.EMAIL), rows)
    measure("e-mails that arrive hashed", lambda: digests(hashed, field=Field.EMAIL), rows)
    clean = write_phones(rows, "+{}{:08d}", rng).str.replace_all(" ", "")
    measure("phones, + and digits", lambda: digests(clean, field=Field.PHONE), rows)
    spaced = write_phones(rows, "+{} {:08d}", rng)
    measure("phones, + and space", lambda: digests(spaced, field=Field.PHONE), rows)
    few = rows // 50
    country = pl.Series(["GB"]).new_from_index(0, few)
    national = pl.Series([f"(079) {number:08d}" for number in range(few)])
    measure(
        "phones, national, each asked of phonenumbers",
        lambda: digests(national, field=Field.PHONE, country=country),
        few,
    )
    print(f"e-mails: {rate / TARGET:.2f} times the {TARGET:,} a second asked for")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500_000)
