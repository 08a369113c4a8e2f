"""An advertising world with known identities and known causes.

The flow: `plan_spans` cuts the people into chunks; for each, `draw_population` and `draw_devices`
say who lives where with what, `draw_activity` what the platform sees of its users, `draw_episodes`
and `draw_touches` who wants to buy and whom the ads reach, `draw_conversions` what comes of either,
`draw_signals` and `signal_frame` what the advertisers send of it. `simulate` writes the logs by
day, and the truth beside them.
"""

from simulation.config import WorldConfig
from simulation.world import simulate

__all__ = ["WorldConfig", "simulate"]
