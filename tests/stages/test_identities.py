"""What the identity graph does, told in stories of a few literal rows."""

from datetime import date

import polars as pl

from tests.stages.histories import Starter, table
from tests.stages.processing import process
from tests.stages.stories import at, conflicts, events, matches, seen, signal
from tests.stages.worlds import Day
from warehouse.config import Config, IdentitiesConfig, IdentityRule
from warehouse.runs import Run


def live(run: Run, days: dict[int, Day]) -> None:
    """Do all stages of some days of January 2026 in turn."""
    for number, content in days.items():
        process(run, date(2026, 1, number), content)


def test_a_shared_tablet_names_nobody_but_with_the_family_email_it_does(start: Starter) -> None:
    """Ann and bob share a tablet, ann and cem an e-mail address: ann alone has both."""
    run = start(Config())
    live(
        run,
        {
            1: Day(
                activity=[
                    seen("ann", time=at(1), device_id="tablet", email="family@example.com"),
                    seen("cem", time=at(1), email="family@example.com"),
                ]
            ),
            2: Day(
                activity=[seen("bob", time=at(2), device_id="tablet")],
                signals=[
                    signal("tablet alone", time=at(2), device_id="tablet"),
                    signal(
                        "with e-mail", time=at(2), device_id="tablet", email="Family@Example.com"
                    ),
                ],
            ),
        },
    )
    assert matches(run.warehouse) == {"with e-mail": ("ann", "email")}
    assert conflicts(run.warehouse) == [
        ("tablet alone", "device_id", "shared_identifier", None, 2),
    ]
    assert events(run.warehouse, "device_id") == [
        (1, "merged", "ann", None),
        (2, "merged", "bob", None),
        (2, "shared", None, 2),
    ]


def test_a_family_email_is_shared_and_another_customers_order_vetoed(start: Starter) -> None:
    """Ann's order taught the family's cookie; customer 7, who then orders from it, is bob."""
    run = start(Config())
    live(
        run,
        {
            1: Day(
                activity=[
                    seen("ann", time=at(1), email="ann@example.com"),
                    seen("ann", time=at(1), email="family@example.com"),
                    seen("bob", time=at(1), email="family@example.com"),
                    seen("bob", time=at(1), phone="+12125550100"),
                ],
                signals=[
                    signal("ann's", time=at(1), email="ann@example.com", cookie_id="home"),
                    signal("bob's", time=at(1), phone="(212) 555-0100", country="US",
                           external_id="7"),
                ],
            ),
            2: Day(
                signals=[
                    signal("family's", time=at(2), email="family@example.com"),
                    signal("seventh's", time=at(2), email="family@example.com",
                           cookie_id="home", external_id="7"),
                ],
            ),
        },
    )  # fmt: skip
    assert matches(run.warehouse) == {"ann's": ("ann", "email"), "bob's": ("bob", "phone")}
    assert conflicts(run.warehouse) == [
        ("family's", "email", "shared_identifier", None, 2),
        ("seventh's", "cookie_id", "vetoed", "ann", 1),
        ("seventh's", "email", "shared_identifier", None, 2),
        ("seventh's", "external_id", "other_user", "bob", 1),
    ]
    assert events(run.warehouse, "cookie_id") == [(1, "merged", "ann", None)]
    assert events(run.warehouse, "external_id") == [(1, "merged", "bob", None)]


def test_an_email_on_the_order_of_another_customer_merges_nobody(start: Starter) -> None:
    """The document's own example: customer 7 is known to be bob, the address is ann's."""
    run = start(Config())
    live(
        run,
        {
            1: Day(
                activity=[
                    seen("ann", time=at(1), email="family@example.com"),
                    seen("bob", time=at(1), phone="+12125550100"),
                ],
                signals=[signal("bob's", time=at(1), phone="+12125550100", external_id="7")],
            ),
            2: Day(
                signals=[
                    signal("both", time=at(2), email="family@example.com", external_id="7"),
                ],
            ),
        },
    )
    assert matches(run.warehouse) == {"bob's": ("bob", "phone")}
    assert conflicts(run.warehouse) == [
        ("both", "email", "vetoed", "ann", 1),
        ("both", "external_id", "other_user", "bob", 1),
    ]


def test_a_support_desk_is_suppressed_until_its_links_have_grown_old(start: Starter) -> None:
    """The desk's account has three callers' phones, and its own phone is on three accounts."""
    rule = IdentityRule(days=3, users=2, per_user=2)
    run = start(Config(identities=IdentitiesConfig(phone=rule)))
    desk, caller = "+12125550100", "+12125550101"
    callers = [caller, "+12125550102", "+12125550103"]
    asked = {
        day: [
            signal(f"desk {day}", time=at(day), phone=desk),
            signal(f"caller {day}", time=at(day), phone=caller),
        ]
        for day in (1, 9)
    }
    live(
        run,
        {
            1: Day(
                activity=[
                    *(seen("desk", time=at(1), phone=phone) for phone in callers),
                    *(seen(user, time=at(1), phone=desk) for user in ("ann", "bob", "cem")),
                ],
                signals=asked[1],
            ),
            9: Day(
                activity=[
                    seen("ann", time=at(9), phone=desk),
                    seen("dan", time=at(9), phone=caller),
                ],
                signals=asked[9],
            ),
        },
    )
    assert matches(run.warehouse) == {"desk 9": ("ann", "phone"), "caller 9": ("dan", "phone")}
    assert conflicts(run.warehouse) == [
        ("caller 1", "phone", "too_many_identifiers", None, 1),
        ("desk 1", "phone", "too_many_users", None, 3),
    ]
    assert events(run.warehouse, "phone", value=desk) == [
        *((1, "merged", user, None) for user in ("ann", "bob", "cem")),
        (1, "suppressed", None, 3),
        (5, "recovered", None, 1),
        *((5, "split", user, None) for user in ("bob", "cem")),
    ]
    assert events(run.warehouse, "phone", value=caller) == [
        (1, "merged", "desk", None),
        (5, "split", "desk", None),
        (9, "merged", "dan", None),
    ]


def test_a_leaked_test_address_is_suppressed_and_a_placeholder_refused(start: Starter) -> None:
    """Five users put the same address; test@example.com is nobody's from the start."""
    run = start(Config())
    leaked = "qa.team@example.com"
    live(
        run,
        {
            1: Day(
                activity=[seen(f"u{number}", time=at(1), email=leaked) for number in range(4)],
                signals=[signal("four users", time=at(1), email=leaked)],
            ),
            2: Day(
                activity=[seen("u4", time=at(2), email=leaked)],
                signals=[
                    signal("five users", time=at(2), email=leaked),
                    signal("nobody's", time=at(2), email=" Test@Example.com "),
                ],
            ),
        },
    )
    assert matches(run.warehouse) == {}
    assert conflicts(run.warehouse) == [
        ("five users", "email", "too_many_users", None, 5),
        ("four users", "email", "too_many_users", None, 5),
    ]
    assert events(run.warehouse, "email") == [
        *((1, "merged", f"u{number}", None) for number in range(4)),
        (1, "shared", None, 4),
        (2, "merged", "u4", None),
        (2, "suppressed", None, 5),
    ]
    refused = table(run.warehouse, "signal_identifiers").filter(pl.col("refusal").is_not_null())
    assert refused.select("signal_id", "kind", "digest", "refusal").rows() == [
        ("nobody's", "email", None, "placeholder")
    ]
