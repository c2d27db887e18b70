from collections.abc import Iterator

_MASK = 2**64 - 1
# Sets the numbers that order clips apart from those that place crops.
_ORDER, _PLACE = 1, 2


class GlobalOrder:
    """Which clip a training reads at each position 0, 1, 2, ..., and where it cuts its crop.

    Both follow from the seed and the position alone, with no state and nothing kept: any process
    can ask for any position, so a run can be split over processes and resumed anywhere. Positions
    `[e * num_clips, (e + 1) * num_clips)` are epoch `e`, which has each clip once.

    Args:
        num_clips: clips of an epoch.
        seed: int in [0, 2**32).
        shuffle: a new order in each epoch; without, clips come in the order of the source.
    """

    def __init__(self, num_clips: int, seed: int, shuffle: bool) -> None:
        self.num_clips = num_clips
        self._seed = seed
        self._shuffle = shuffle

    def clips(self, position: int) -> Iterator[int]:
        """The clip of a position, then those that stand in if it cannot be read.

        They are the next ones of its epoch, which begins again at its end: every clip comes once.
        """
        from grain.experimental import index_shuffle

        epoch, place = divmod(position, self.num_clips)
        epoch_seed = _hash(_hash(self._seed, _ORDER), epoch) >> 32
        for i in range(self.num_clips):
            clip = (place + i) % self.num_clips
            if self._shuffle:
                clip = index_shuffle(clip, max_index=self.num_clips - 1, seed=epoch_seed, rounds=4)
            yield clip

    def draw(self, position: int, count: int) -> int:
        """A number in [0, count) that says where the crop of a position begins."""
        return _hash(_hash(self._seed, _PLACE), position) * count >> 64


def _hash(key: int, value: int) -> int:
    """64 bits that look random, by the finaliser of SplitMix64.

    NumPy's generators would do as well but take longer to seed than a crop takes to read.
    """
    z = (key + (value + 1) * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)
