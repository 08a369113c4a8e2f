"""Payloads of TikTok's Events API, as an advertiser's server sent them."""

from pathlib import Path
from typing import Any, Final

from warehouse.importers.event_payloads import EventsApi, Payload, import_events, list_events
from warehouse.importers.event_values import (
    amount,
    is_true,
    moment,
    pick,
    query_value,
    text,
    texts,
    total,
    unhashed,
    upper,
)
from warehouse.recipes import Recipe

_SOURCES: Final = ("event_source_id", "pixel_code", "event_set_id", "tiktok_app_id")
_SHARED: Final = (*_SOURCES, "limited_data_use")


def import_tiktok_events(
    payloads: Path, out: Path, *, advertiser_id: str | None = None
) -> dict[str, int]:
    """Turn payloads of TikTok's Events API into a log folder of signals.

    Each line is a request body of version 2.0 (``event_source_id`` and a list under ``data``), of
    the older web, app and offline endpoints (one event, or a list under ``batch``), or one event.

    - signal_id is the event id. Where several event names, or several advertisers, have one event
      id in common, they follow it after a colon; an event without an id gets one made of its
      content. Repeats of an event are written as they are; ingestion takes the first.
    - advertiser_id is the one given, else the event source, pixel, event set or app.
    - click_id is the ttclid: of the user, of the ad's callback, else of the page's URL. The URL
      loses its query. cookie_id is the ttp, device_id the GAID or IDFA.
    - email and phone are the SHA-256 that was sent, in hexadecimal digits or base64; a raw one is
      digested as TikTok has it done, a phone read in the user's country, and never written. Of a
      list it is the first that is usable. What is refused (malformed, a placeholder, a phone
      without a country) is null and counted in one logged line.
    - value is that of the properties, else price times quantity over all contents.
    - consent is denied where limited_data_use is set.

    A line or event that is none is passed on as a signal that says only where it stood; it and an
    event without a time between 2000 and 2099 are refused by ingestion, in the folder of the first
    day: a time in milliseconds is far after it. A value that is no number is written as NaN, which
    ingestion refuses.

    Parameters
    ----------
    payloads : Path
        JSON lines, plain, gzip or Zstandard.
    out : Path
        The log folder to write, absent or empty.
    advertiser_id : str, optional
        The advertiser of all events.

    Returns
    -------
    dict of str to int
        Rows written for signals.

    Raises
    ------
    InputFileError
        If the file is damaged or holds no such event, if no event has a time or names an
        advertiser, or `out` is taken.

    References
    ----------
    TikTok API for Business, https://business-api.tiktok.com/portal/docs, chapters "Events API 2.0"
    (id 1771101276978178) and "Events API 1.0" (id 1739657891856385): the fields.
    """
    return import_events(payloads, out, _API, advertiser_id=advertiser_id)


def _unfold(body: Payload) -> list[Any] | None:
    for key in ("data", "batch"):
        events = list_events(body, key, _SHARED)
        if events is not None:
            return events
    return [body] if "event" in body else None


def _read(event: Payload) -> dict[str, Any] | None:
    name = text(event.get("event"))
    if name is None:
        return None
    context = pick(event, "context")
    properties = pick(event, "properties")
    # Version 2.0 keeps beside the event what the older ones keep in its context.
    user, page, ad, device = (
        pick(event, part) or pick(context, part) for part in ("user", "page", "ad", "device")
    )
    url = text(pick(page, "url"))
    value = amount(pick(properties, "value"))
    limited = (
        pick(holder, "limited_data_use") for holder in (event, context, properties, user, ad)
    )
    return {
        "signal_id": text(event.get("event_id")),
        "event_time": moment(text(event.get("event_time"), event.get("timestamp"))),
        "advertiser_id": text(*(event.get(source) for source in _SOURCES)),
        "event_name": name,
        "order_id": text(pick(properties, "order_id")),
        "value": total(pick(properties, "contents"), "price") if value is None else value,
        "currency": upper(pick(properties, "currency")),
        "click_id": text(pick(user, "ttclid"), pick(ad, "callback")) or query_value(url, "ttclid"),
        "cookie_id": text(pick(user, "ttp")),
        "device_id": text(
            *(pick(holder, key) for holder in (user, device) for key in ("gaid", "idfa"))
        ),
        "external_id": text(pick(user, "external_id")),
        "email": texts(pick(user, "email")),
        "phone": texts(pick(user, "phone"), pick(user, "phone_number")),
        "ip": text(pick(user, "ip"), pick(context, "ip")),
        "user_agent": text(pick(user, "user_agent"), pick(context, "user_agent")),
        "language": text(pick(user, "locale"), pick(context, "locale")),
        "country": unhashed(pick(user, "country")),
        "region": unhashed(pick(user, "state")),
        "city": unhashed(pick(user, "city")),
        "url": url,
        "consent": "denied" if any(is_true(flag) for flag in limited if flag is not None) else None,
    }


_API: Final = EventsApi("TikTok Events API", _unfold, _read, Recipe.TIKTOK)
