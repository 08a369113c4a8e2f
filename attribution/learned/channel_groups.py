"""Which channels compete for the same conversions: those of one advertiser."""

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from attribution.paths import Integers, Paths


def group_channels(paths: Paths) -> tuple[Integers, Integers]:
    """Return numbers of the groups of channels: one for each advertiser, or for those that share.

    Returns
    -------
    of_channel : ndarray of int64, shape (channels,)
        The group of each channel, from 0; one without a touch is alone.
    of_advertiser : ndarray of int64, shape (highest advertiser + 1,)
        The group of each advertiser; -1 for one without a touch.
    """
    channels, advertisers = len(paths.channels), int(paths.advertiser.max(initial=0)) + 1
    advertiser = np.repeat(paths.advertiser, np.diff(paths.offsets)).astype(np.int64)
    pairs = np.unique(paths.touches.channel.astype(np.int64) * advertisers + advertiser)
    channel, owner = np.divmod(pairs, advertisers)
    size = channels + advertisers
    links = sparse.coo_array((np.ones(len(pairs)), (channel, channels + owner)), shape=(size, size))
    labels = connected_components(links, directed=False)[1]
    _, numbers = np.unique(labels[:channels], return_inverse=True)
    of_channel = numbers.astype(np.int64)
    of_advertiser = np.full(advertisers, -1)
    of_advertiser[owner] = of_channel[channel]
    return of_channel, of_advertiser
