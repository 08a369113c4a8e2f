"""What the sections of the configuration file have in common."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One section of the file: an unknown key is refused.

    Strict where it is told: paths and the words of a list come from text, numbers do not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


class Method(StrEnum):
    """An identifier by which a signal names a user."""

    CLICK_ID = "click_id"
    EMAIL = "email"
    PHONE = "phone"
    DEVICE_ID = "device_id"
    COOKIE_ID = "cookie_id"
    EXTERNAL_ID = "external_id"
