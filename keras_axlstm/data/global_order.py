from collections.abc import Iterator

_MASK = 2**64 - 1
# Sets the numbers that order clips apart from those that place crops.
_ORDER, _PLACE = 1, 2
# Of the network that permutes: four make it as good as random, more help where it is very small.
_ROUNDS = 6


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
        epoch, place = divmod(position, self.num_clips)
        key = _hash(_hash(self._seed, _ORDER), epoch)
        for i in range(self.num_clips):
            index = (place + i) % self.num_clips
            yield _permute(index, self.num_clips, key) if self._shuffle else index

    def draw(self, position: int, count: int) -> int:
        """A number in [0, count) that says where the crop of a position begins."""
        return _hash(_hash(self._seed, _PLACE), position) * count >> 64


def _permute(index: int, count: int, key: int) -> int:
    """Where a permutation of [0, count) that belongs to a key sends an index.

    A Feistel network permutes a power of four of numbers that holds them; as long as the result is
    beyond `count` it is sent on.
    """
    half = max(1, ((count - 1).bit_length() + 1) // 2)
    mask = (1 << half) - 1
    while True:
        left, right = index >> half, index & mask
        for number in range(_ROUNDS):
            left, right = right, left ^ (_hash(key, number << 32 | right) >> 32 & mask)
        index = left << half | right
        if index < count:
            return index


def _hash(key: int, value: int) -> int:
    """64 bits that look random, by the finaliser of SplitMix64.

    NumPy's generators would do as well but take longer to seed than a crop takes to read.
    """
    z = (key + (value + 1) * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)
