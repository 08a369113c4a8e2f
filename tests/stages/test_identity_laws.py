"""The laws of the identity graph: it is a function of all logs and of the rules alone."""

from datetime import date, timedelta

import pytest

from attribution import attribute_day
from tests.stages.histories import Processed, Starter, assert_as_twin, credit_of, restated, table
from tests.stages.processing import ingest, match, process
from tests.stages.settings import ATTRIBUTION, CONFIG, COOKIE_FIRST, DAYS
from tests.stages.stories import at, click, seen, signal
from tests.stages.worlds import Day, dated_by_rows, make_logs
from warehouse.attribution_config import AttributionConfig, Model
from warehouse.config import Config, IdentitiesConfig, IdentityRule, MatchingConfig, Method
from warehouse.runs import Run

SPAN = [date(2026, 3, 1) + timedelta(days=n) for n in range(7)]
STRICTER = Config(
    attribution=ATTRIBUTION,
    identities=IdentitiesConfig(
        click_id=IdentityRule(days=0, users=1, unique=True),
        email=IdentityRule(days=1, users=1, per_user=1),
        phone=IdentityRule(days=0, users=1, per_user=1),
        device_id=IdentityRule(days=0, users=1, per_user=1),
        cookie_id=IdentityRule(days=0, users=1, per_user=1),
        external_id=IdentityRule(days=0, users=1, per_user=1),
    ),
)
NO_CUSTOMER_IDS = Config(
    attribution=ATTRIBUTION, matching=MatchingConfig(order=(Method.PHONE, Method.EMAIL))
)


def match_and_attribute(run: Run, days: list[date]) -> None:
    for day in days:
        match(run, day)
        attribute_day(run, day)


@pytest.mark.slow
def test_one_rebuild_matched_backwards_gives_what_the_logs_tell(start: Starter) -> None:
    run, span = start(), dated_by_rows(make_logs(worlds=10, seed=7, days=SPAN))
    ingest(run, span, undated=True)
    match_and_attribute(run, SPAN[::-1])
    assert_as_twin(run.warehouse, span)


@pytest.mark.parametrize(
    "config",
    [COOKIE_FIRST, STRICTER, NO_CUSTOMER_IDS],
    ids=["another order", "stricter limits", "default limits of fewer kinds"],
)
def test_other_rules_and_one_day_matched_again_are_those_rules_from_the_start(
    start: Starter, forward: Processed, config: Config
) -> None:
    run = start(config, copy=forward)
    match_and_attribute(run, [DAYS[2]])
    assert_as_twin(run.warehouse, forward.logs, config)


def test_the_rules_changed_there_and_back_leave_no_trace(
    start: Starter, forward: Processed
) -> None:
    run = start(STRICTER, copy=forward)
    match_and_attribute(run, [DAYS[0]])
    match_and_attribute(Run(run.warehouse, "run", CONFIG), [DAYS[4]])
    assert_as_twin(run.warehouse, forward.logs)


def test_a_cookie_and_a_device_seen_before_a_login_attach_to_its_user(start: Starter) -> None:
    run = start(Config(attribution=AttributionConfig(models=(Model.LAST_TOUCH,))))
    before = Day(
        touchpoints=[click("ann", time=at(1))],
        signals=[
            signal("by cookie", time=at(1, 14), cookie_id="c1"),
            signal("by device", time=at(1, 14), device_id="d1"),
            signal("by neither", time=at(1, 14), cookie_id="c2"),
        ],
    )
    process(run, date(2026, 1, 1), before)
    outcomes = {row["outcome"] for rows in credit_of(run.warehouse).values() for row in rows}
    assert outcomes == {"unmatched"}

    login = Day(activity=[seen("ann", time=at(3), cookie_id="c1", device_id="d1")])
    process(run, date(2026, 1, 3), login)

    matched = table(run.warehouse, "matches").select("signal_id", "user_id", "method")
    assert sorted(matched.rows()) == [
        ("by cookie", "ann", "cookie_id"),
        ("by device", "ann", "device_id"),
    ]
    changes = restated(table(run.warehouse, "restatements"))
    assert {conversion for conversion, _ in changes} == {"by cookie", "by device"}
    for was, is_now in changes.values():
        assert [(row["outcome"], row["user_id"], row["touch_id"]) for row in was] == [
            ("unmatched", None, None)
        ]
        assert [(row["outcome"], row["user_id"], row["touch_id"]) for row in is_now] == [
            ("touch", "ann", "touch of ann")
        ]


def test_a_cookie_learned_from_a_later_order_names_its_user_for_an_earlier_one(
    start: Starter,
) -> None:
    run = start(Config())
    first = Day(signals=[signal("no mail", time=at(1), cookie_id="c1")])
    known = Day(activity=[seen("ann", time=at(2), email="ann@example.com")])
    second = Day(signals=[signal("mail", time=at(3), cookie_id="c1", email="ann@example.com")])
    for number, content in enumerate((first, known, second), start=1):
        process(run, date(2026, 1, number), content)
    matched = table(run.warehouse, "matches").select("signal_id", "user_id", "method")
    assert sorted(matched.rows()) == [("mail", "ann", "email"), ("no mail", "ann", "cookie_id")]
    assert {conversion for conversion, _ in restated(table(run.warehouse, "restatements"))} == {
        "no mail"
    }


def test_the_taught_identifier_itself_is_not_asked_whose_it_is(start: Starter) -> None:
    """Its *other* identifiers teach: a cookie of bob's comes to be ann's as well."""
    run = start(Config())
    day = Day(
        activity=[
            seen("ann", time=at(1), email="ann@example.com"),
            seen("bob", time=at(1), cookie_id="c1"),
        ],
        signals=[signal("s1", time=at(1), email="ann@example.com", cookie_id="c1")],
    )
    process(run, date(2026, 1, 1), day)
    taught = table(run.warehouse, "signal_evidence").select("kind", "user_id")
    assert taught.rows() == [("cookie_id", "ann")]


def test_an_identifier_that_names_somebody_else_keeps_a_signal_from_teaching(
    start: Starter,
) -> None:
    """The e-mail names bob, since ann has too many: that it was seen with her does not help."""
    run = start(Config(identities=IdentitiesConfig(email=IdentityRule(per_user=1))))
    day = Day(
        activity=[
            seen("ann", time=at(1), email="ann@example.com"),
            seen("ann", time=at(1), email="both@example.com"),
            seen("bob", time=at(1), email="both@example.com"),
        ],
        touchpoints=[click("ann", time=at(1), click_id="k1")],
        signals=[signal("s1", time=at(1), click_id="k1", email="both@example.com", cookie_id="c1")],
    )
    process(run, date(2026, 1, 1), day)
    assert table(run.warehouse, "match_conflicts")["reason"].to_list() == ["other_user"]
    assert table(run.warehouse, "signal_evidence").rows() == []
