"""Payloads of Meta's Conversions API, as an advertiser's server sent them."""

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

_SOURCES: Final = ("pixel_id", "dataset_id")
_PARTS_OF_COOKIE: Final = 4
# The positions of app_data.extinfo, as the App Events API numbers them.
_LOCALE, _WIDTH, _HEIGHT, _TIMEZONE = 6, 9, 10, 15


def import_meta_capi(
    payloads: Path, out: Path, *, advertiser_id: str | None = None
) -> dict[str, int]:
    """Turn payloads of Meta's Conversions API into a log folder of signals.

    Each line is a request body (a list of events under ``data``, each an object or, as in a form,
    its JSON text) or one event.

    - signal_id is the event id. Where several event names, or several advertisers, have one event
      id in common, they follow it after a colon; an event without an id gets one made of its
      content. Repeats of an event are written as they are; ingestion takes the first.
    - advertiser_id is the one given, else pixel_id or dataset_id of the body or the event. Meta's
      own body has neither, for the request's path names the pixel.
    - click_id is the fbclid in fbc, ``fb.<subdomain index>.<creation time>.<fbclid>``; Meta's
      parameter builder adds a fifth part, which is left out. Without fbc it is the fbclid of the
      URL. The URL loses its query. cookie_id is fbp, also without a fifth part.
    - email and phone are the SHA-256 that was sent, in hexadecimal digits or base64; a raw one is
      digested as Meta has it done, a phone read in the user's country, and never written. Of a list
      it is the first that is usable. What is refused (malformed, a placeholder, a phone without a
      country) is null and counted in one logged line. Meta digests a phone's digits without ``+``:
      such a digest meets only one that was made in the same way.
    - value is that of custom_data, else item_price times quantity over all contents.
    - device_id is the madid; app_data gives language, screen and time zone of an app event.
    - consent is denied where data_processing_options holds LDU, or opt_out is set.

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
    Meta for Developers, "Conversions API: Parameters",
    https://developers.facebook.com/docs/marketing-api/conversions-api/parameters: the fields, their
    digests, and in its chapter "fbp and fbc" the form of these two.
    """
    return import_events(payloads, out, _API, advertiser_id=advertiser_id)


def _unfold(body: Payload) -> list[Any] | None:
    events = list_events(body, "data", _SOURCES)
    if events is None and "event_name" in body:
        return [body]
    return events


def _read(event: Payload) -> dict[str, Any] | None:
    name = text(event.get("event_name"))
    if name is None:
        return None
    user, custom = pick(event, "user_data"), pick(event, "custom_data")
    url = text(event.get("event_source_url"))
    value = amount(pick(custom, "value"))
    return {
        "signal_id": text(event.get("event_id")),
        "event_time": moment(event.get("event_time")),
        "advertiser_id": text(*(event.get(source) for source in _SOURCES)),
        "event_name": name,
        "order_id": text(pick(custom, "order_id")),
        "value": total(pick(custom, "contents"), "item_price") if value is None else value,
        "currency": upper(pick(custom, "currency")),
        "click_id": _fbclid(text(pick(user, "fbc"))) or query_value(url, "fbclid"),
        "cookie_id": _without_appendix(text(pick(user, "fbp"))),
        "device_id": text(pick(user, "madid")),
        "external_id": text(pick(user, "external_id")),
        "email": texts(pick(user, "em")),
        "phone": texts(pick(user, "ph")),
        "ip": text(pick(user, "client_ip_address")),
        "user_agent": text(pick(user, "client_user_agent")),
        "country": unhashed(pick(user, "country")),
        "region": unhashed(pick(user, "st")),
        "city": unhashed(pick(user, "ct")),
        "url": url,
        "consent": "denied" if _is_limited(event) else None,
        **_describe_app(pick(event, "app_data", "extinfo")),
    }


def _fbclid(fbc: str | None) -> str | None:
    """Return the click id of an fbc; what is not in its form is taken for the click id itself."""
    if fbc is None or not fbc.startswith("fb."):
        return fbc
    parts = fbc.split(".")
    return parts[_PARTS_OF_COOKIE - 1] or None if len(parts) >= _PARTS_OF_COOKIE else None


def _without_appendix(fbp: str | None) -> str | None:
    if fbp is None or not fbp.startswith("fb."):
        return fbp
    return ".".join(fbp.split(".")[:_PARTS_OF_COOKIE])


def _is_limited(event: Payload) -> bool:
    options = event.get("data_processing_options")
    limits = options if isinstance(options, list) else [options]
    return "LDU" in limits or is_true(event.get("opt_out"))


def _describe_app(extinfo: Any) -> dict[str, str | None]:
    """Return what the extended device information of an app event says of the device."""
    if not isinstance(extinfo, list) or len(extinfo) <= _TIMEZONE:
        return {}
    width, height = text(extinfo[_WIDTH]), text(extinfo[_HEIGHT])
    return {
        "language": text(extinfo[_LOCALE]),
        "screen": f"{width}x{height}" if width and height else None,
        "timezone": text(extinfo[_TIMEZONE]),
    }


_API: Final = EventsApi("Meta Conversions API", _unfold, _read, Recipe.META)
