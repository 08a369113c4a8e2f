"""The platforms' own libraries, as functions that return a text, or None for a refusal."""

import importlib
from collections.abc import Callable
from typing import Any

import pytest

Oracle = Callable[[str, str], str | None]


def _library(module: str, distribution: str) -> Any:
    pytest.importorskip(module, reason=f"{distribution} is not installed: nothing to compare with")
    return importlib.import_module(module)


def _or_none(run: Callable[[], str | None], *errors: type[Exception]) -> str | None:
    try:
        return run()
    except errors:
        return None


@pytest.fixture(scope="session")
def meta_says() -> Oracle:
    """Return what facebook-business makes of a value of a field, before hashing."""
    library = _library("facebook_business.adobjects.serverside.normalize", "facebook-business")
    keys = {
        "email": "em", "phone": "ph", "first_name": "fn", "last_name": "ln", "city": "ct",
        "postcode": "zp", "country": "country",
    }  # fmt: skip
    return lambda field, value: _or_none(
        lambda: library.Normalize.normalize(keys[field], value, False), TypeError, ValueError
    )


@pytest.fixture(scope="session")
def meta_hashes() -> Oracle:
    """Return the digest that facebook-business sends."""
    library = _library("facebook_business.adobjects.serverside.normalize", "facebook-business")
    keys = {"email": "em", "phone": "ph"}
    return lambda field, value: _or_none(
        lambda: library.Normalize.normalize(keys[field], value, True), TypeError, ValueError
    )


@pytest.fixture(scope="session")
def google_says() -> Oracle:
    """Return what google-ads-datamanager-util makes of a value of a field, before hashing."""
    form = _library("google.ads.datamanager_util", "google-ads-datamanager-util").Formatter()
    methods = {
        "email": form.format_email_address, "phone": form.format_phone_number,
        "first_name": form.format_given_name, "last_name": form.format_family_name,
        "city": form.format_city, "postcode": form.format_postal_code,
        "country": form.format_region_code,
    }  # fmt: skip
    return lambda field, value: _or_none(lambda: methods[field](value), ValueError)


@pytest.fixture(scope="session")
def uid2_says() -> Oracle:
    """Return what uid2-client makes of an e-mail address or phone number, before hashing."""
    library = _library("uid2_client.input_util", "uid2-client")

    def says(field: str, value: str) -> str | None:
        if field == "email":
            return library.normalize_email_string(value)
        return value if library.is_phone_number_normalized(value) else None

    return says


@pytest.fixture(scope="session")
def uid2_hashes() -> Oracle:
    """Return the base64 digest that uid2-client sends."""
    library = _library("uid2_client.input_util", "uid2-client")
    methods = {
        "email": library.normalize_and_hash_email, "phone": library.normalize_and_hash_phone,
    }  # fmt: skip
    return lambda field, value: _or_none(lambda: methods[field](value), ValueError)


@pytest.fixture(scope="session")
def oracles(meta_says, google_says, uid2_says) -> dict[str, Oracle]:
    """Return the three libraries by the name of their recipe; TikTok publishes none."""
    return {"meta": meta_says, "google": google_says, "uid2": uid2_says}
