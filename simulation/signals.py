"""What advertisers send of conversions: twins, late and resent rows, adjustments."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulation.arrays import Bools, Floats, Ints
from simulation.clock import DAY, HOUR, SECOND, Clock
from simulation.config import WorldConfig
from simulation.devices import IN_APP, ON_PHONE, Devices, choose_devices
from simulation.exposure import CLICK, Touches
from simulation.outcomes import PURCHASE, Conversions, draw_events, draw_values, round_amounts
from simulation.population import Population

# How an event travels. A webview is the platform's own browser, opened by a tap on an ad.
PIXEL, WEBVIEW, APP, SERVER, OFFLINE = 0, 1, 2, 3, 4
ORIGINAL, TWIN, RETRACTION, RESTATEMENT = 0, 1, 2, 3
_VISIT = HOUR


@dataclass(frozen=True)
class Visits:
    """How each conversion happened: event, device, travel, the click that led there."""

    event: Ints
    travel: Ints
    device: Ints
    kind: Ints
    click: Ints  # row of the touch whose click id the landing page kept; -1: none
    ordered: Bools  # has an order id
    value: Floats


@dataclass(frozen=True)
class SignalRows:
    """Distinct signals."""

    conversion: Ints
    role: Ints
    travel: Ints
    time: Ints
    received: Ints
    value: Floats

    def __len__(self) -> int:
        return len(self.conversion)

    def take(self, rows: Ints) -> "SignalRows":
        """Return the signals at some rows."""
        return SignalRows(**{name: column[rows] for name, column in vars(self).items()})


def draw_visits(
    rng: np.random.Generator,
    population: Population,
    devices: Devices,
    touches: Touches,
    conversions: Conversions,
    config: WorldConfig,
    *,
    advertiser_of_touch: Ints,
) -> Visits:
    """Return how each conversion happened; after a fresh click it is on the clicking phone."""
    rows = len(conversions)
    last, age = _last_click(touches, conversions, advertiser_of_touch)
    fresh = (last >= 0) & (age < _VISIT)
    draw = np.where(fresh, config.signal_devices[0] + 1e-9, rng.random(rows))
    channel, device, kind = choose_devices(
        devices, population, conversions.person, draw=draw, shares=config.signal_devices
    )
    webview = fresh & (channel == ON_PHONE) & (rng.random(rows) < config.webview_after_click)
    travel = np.select([channel == IN_APP, webview], [APP, WEBVIEW], PIXEL)
    indirect = rng.random(rows)
    travel = np.where((travel == PIXEL) & (indirect < config.server_only_share), SERVER, travel)
    travel = np.where(indirect > 1 - config.offline_share, OFFLINE, travel)
    event = draw_events(rng, travel == APP, config)
    kept = np.where(age < DAY, config.click_id_same_day, config.click_id_later)
    carries = (
        (last >= 0)
        & (age < config.click_id_days * DAY)
        & (travel != OFFLINE)
        & (rng.random(rows) < kept)
    )
    return Visits(
        event=event,
        travel=travel,
        device=device,
        kind=kind,
        click=np.where(carries, last, -1),
        ordered=(event == PURCHASE) & (rng.random(rows) < config.order_id_share),
        value=draw_values(rng, conversions.advertiser, event, config),
    )


def draw_signals(
    rng: np.random.Generator,
    conversions: Conversions,
    visits: Visits,
    clock: Clock,
    config: WorldConfig,
) -> tuple[SignalRows, Ints, Ints]:
    """Return the signals that arrive in the window, then signal and log day of each log row.

    A resent signal has two rows: on the day it was received, and on the same day or the next.
    """
    source, role = _draw_roles(rng, visits, config)
    rows = len(source)
    wait = np.select(
        [role == TWIN, role == RETRACTION, role == RESTATEMENT],
        [
            rng.exponential(config.twin_seconds * SECOND, rows),
            rng.uniform(*config.retraction_days, rows) * DAY,
            rng.uniform(*config.restatement_days, rows) * DAY,
        ],
        0.0,
    )
    time = conversions.time[source] + wait.astype(np.int64)
    received = time + _draw_delays(rng, rows, config)
    value = visits.value[source]
    changed = round_amounts(
        value * rng.uniform(*config.restatement_values, rows),
        conversions.advertiser[source],
        config,
    )
    sent = SignalRows(
        conversion=source,
        role=role,
        travel=np.where(role == ORIGINAL, visits.travel[source], SERVER),
        time=time,
        received=received,
        value=np.select([role == RETRACTION, role == RESTATEMENT], [np.nan, changed], value),
    )
    sent = sent.take(np.flatnonzero(received < clock.end))
    again = np.flatnonzero(rng.random(len(sent)) < config.resend_share)
    first_day = sent.received // DAY
    log_day = np.concatenate([first_day, first_day[again] + rng.integers(0, 2, len(again))])
    return sent, np.concatenate([np.arange(len(sent)), again]), log_day


def _draw_roles(rng: np.random.Generator, visits: Visits, config: WorldConfig) -> tuple[Ints, Ints]:
    """Return conversion and role of each event: originals, twins, retractions, restatements."""
    rows = len(visits.event)
    twins = visits.ordered & (visits.travel <= WEBVIEW) & (rng.random(rows) < config.twin_share)
    draw = rng.random(rows)
    retracted = visits.ordered & (draw < config.retraction_share)
    restated = visits.ordered & (draw > 1 - config.restatement_share)
    groups = [np.arange(rows), *(np.flatnonzero(chosen) for chosen in (twins, retracted, restated))]
    return np.concatenate(groups), np.repeat(np.arange(4), [len(group) for group in groups])


def _draw_delays(rng: np.random.Generator, rows: int, config: WorldConfig) -> Ints:
    draw = rng.random(rows)
    days = draw < config.days_late_share
    hours = draw > 1 - config.hours_late_share
    slow = np.select(
        [days, hours],
        [
            rng.uniform(*config.late_days, rows) * DAY,
            rng.exponential(config.late_hours, rows) * HOUR,
        ],
        0.0,
    )
    return (rng.exponential(config.delay_seconds * SECOND, rows) + slow).astype(np.int64) + 1


def _last_click(
    touches: Touches, conversions: Conversions, advertiser_of_touch: Ints
) -> tuple[Ints, Ints]:
    """Return row and age of the person's last real click on the advertiser's ads; -1: none."""
    rows = np.flatnonzero((touches.kind == CLICK) & touches.genuine)
    clicks = pl.DataFrame(
        {
            "person": touches.user[rows],
            "advertiser": advertiser_of_touch[rows],
            "time": touches.time[rows],
            "clicked": touches.time[rows],
            "click": rows,
        }
    )
    wanted = pl.DataFrame(
        {
            "person": conversions.person,
            "advertiser": conversions.advertiser,
            "time": conversions.time,
            "row": np.arange(len(conversions)),
        }
    )
    found = (
        wanted.sort("time", "row")
        .join_asof(
            clicks.sort("time", "click"),
            on="time",
            by=["person", "advertiser"],
            check_sortedness=False,
        )
        .sort("row")
    )
    age = (found["time"] - found["clicked"]).fill_null(0).to_numpy()
    return found["click"].fill_null(-1).to_numpy(), age
