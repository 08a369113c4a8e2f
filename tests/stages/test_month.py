"""A month that comes in any order, with files that come late, ends as the logs tell."""

import random
from datetime import date, timedelta

import pytest

from attribution import attribute_day
from tests.stages.histories import Starter, assert_as_twin, table
from tests.stages.processing import ingest, match
from tests.stages.settings import ATTRIBUTION, CONFIG
from tests.stages.worlds import Day, Logs, make_logs
from warehouse.attribution_config import Model

# two days on end, three without logs, and so on
MONTH = [date(2026, 3, 1) + timedelta(days=n) for n in range(28) if n % 5 < 2]
MODELS = (Model.LAST_TOUCH, Model.LINEAR)


def first_part(content: Day, rng: random.Random) -> Day:
    """Return what had come of a day before its late files did: some rows, of some logs."""
    return Day(
        content.activity if rng.random() < 0.5 else [],
        [row for row in content.touchpoints if rng.random() < 0.5],
        [row for row in content.signals if rng.random() < 0.5],
    )


@pytest.mark.slow
def test_a_month_in_random_order_with_late_files_is_the_month_in_order(start: Starter) -> None:
    """The twin knows no order, and days in turn give its tables too."""
    rng = random.Random(28)  # noqa: S311
    config = CONFIG.model_copy(
        update={"attribution": ATTRIBUTION.model_copy(update={"models": MODELS})}
    )
    run, logs = start(config), make_logs(worlds=8, seed=28, sent_again=False, days=MONTH)
    late = rng.sample(MONTH, 3)
    came = [(day, first_part(logs[day], rng) if day in late else logs[day]) for day in MONTH]
    rng.shuffle(came)
    for day in late:
        # after the rest of its day, but not after all other days
        place = next(n for n, (other, _) in enumerate(came) if other == day)
        came.insert(rng.randint(place + 1, len(came)), (day, logs[day]))
    while came:
        arrival: Logs = {}
        while came and len(arrival) < 4 and came[0][0] not in arrival:
            day, content = came.pop(0)
            arrival[day] = content
        ingest(run, arrival)
        for day in arrival:
            match(run, day)
            attribute_day(run, day)
    assert_as_twin(run.warehouse, logs, config)
    assert table(run.warehouse, "restatements").height > len(MONTH)
