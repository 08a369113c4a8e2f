"""How ad platforms bring an identifier into the form that they hash.

Meta, Google, TikTok and UID2 disagree on dots and tags in Gmail addresses, on googlemail.com and on
the plus of a phone number, so one raw value has several digests and a digest means something under
its recipe only:

1. `arrivals` finds the values that are hashed already, in hex or base64;
2. `emails`, `phones` and `attributes` read the raw ones into each recipe's form, with a reason for
   every value that cannot be read;
3. `placeholders` holds what is nobody's, raw and hashed;
4. `digests` hashes each form once.

Every rule cites the platform's documentation; see :class:`Recipe`.
"""

from warehouse.recipes.arrivals import arrived_digests, base64_from_hex, hex_from_base64
from warehouse.recipes.digests import digests, judge, normalise, refusals, sha256_hex
from warehouse.recipes.fields import Field, Recipe, Refusal

__all__ = [
    "Field",
    "Recipe",
    "Refusal",
    "arrived_digests",
    "base64_from_hex",
    "digests",
    "hex_from_base64",
    "judge",
    "normalise",
    "refusals",
    "sha256_hex",
]
