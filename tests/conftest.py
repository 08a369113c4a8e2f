"""The same examples in every run, unless new ones are asked for.

``make test`` repeats itself; ``pytest --hypothesis-profile=explore`` draws new ones.
"""

from hypothesis import settings

settings.register_profile("repeat", derandomize=True, database=None)
settings.register_profile("explore", database=None)
settings.load_profile("repeat")
