"""Voices of animals."""

from collections.abc import Callable

import numpy as np

from task_making.recipe import RATE
from task_making.synthesis import (
    arch,
    band,
    formants,
    glide,
    regular,
    repeat,
    seconds,
    tone,
    wander,
)

Rng = np.random.Generator
_REED = tuple(1 / number**0.7 for number in range(1, 25))


def _calls(
    rng: Rng, samples: int, interval: float, length: float, make: Callable[[int], np.ndarray]
) -> np.ndarray:
    return repeat(samples, regular(rng, samples / RATE, interval, 0.1), length, make)


def _throat(
    rng: Rng, track: np.ndarray, mouth: tuple[float, ...], breath: float = 0.1
) -> np.ndarray:
    """A voice of some pitch, through a throat."""
    air = band(rng, track.size, 300, 6000) * breath
    return formants(tone(track, track.size, _REED) + air, mouth) * arch(track.size, 0.5)


def dog(rng: Rng, samples: int) -> np.ndarray:
    pitch = rng.uniform(250, 600)
    mouth = (rng.uniform(600, 1000), rng.uniform(1300, 2000))

    def bark(n: int) -> np.ndarray:
        rise = pitch * 2 ** (0.5 * arch(n) - 0.3 * np.linspace(0, 1, n))
        return _throat(rng, rise, mouth, 0.8)

    return _calls(rng, samples, rng.uniform(0.35, 0.8), rng.uniform(0.12, 0.2), bark)


def cat(rng: Rng, samples: int) -> np.ndarray:
    """A mew that opens and closes: the pitch rises, then falls."""
    pitch = rng.uniform(400, 700)
    mouth = (rng.uniform(900, 1300), rng.uniform(2000, 2800))
    length = rng.uniform(0.6, 1.1)
    return _calls(
        rng,
        samples,
        length + 0.6,
        length,
        lambda n: _throat(rng, pitch * 2 ** (0.5 * arch(n)), mouth),
    )


def cow(rng: Rng, samples: int) -> np.ndarray:
    pitch = rng.uniform(90, 180)
    length = rng.uniform(1.0, 1.6)
    mouth = (rng.uniform(250, 450), rng.uniform(700, 1100))
    return _calls(
        rng,
        samples,
        length + 0.4,
        length,
        lambda n: _throat(rng, pitch * 2 ** (0.3 * arch(n)), mouth),
    )


def crow(rng: Rng, samples: int) -> np.ndarray:
    pitch = rng.uniform(300, 600)
    mouth = (rng.uniform(1000, 1500), rng.uniform(1800, 2600))
    return _calls(
        rng,
        samples,
        rng.uniform(0.5, 0.8),
        rng.uniform(0.25, 0.4),
        lambda n: _throat(rng, glide(pitch * 1.1, pitch * 0.8, n), mouth, 1.2),
    )


def owl(rng: Rng, samples: int) -> np.ndarray:
    """Hoots without harmonics."""
    pitch = rng.uniform(300, 600)
    return _calls(
        rng,
        samples,
        rng.uniform(0.5, 0.9),
        rng.uniform(0.25, 0.45),
        lambda n: tone(pitch * 2 ** (0.1 * arch(n)), n, (1, 0.08)) * arch(n),
    )


def frog(rng: Rng, samples: int) -> np.ndarray:
    """Croaks: pulses so quick that they are nearly a tone."""
    pulses = rng.uniform(25, 60)
    mouth = (rng.uniform(500, 900), rng.uniform(1400, 2200))
    return _calls(
        rng,
        samples,
        rng.uniform(0.5, 0.9),
        rng.uniform(0.25, 0.45),
        lambda n: formants(tone(pulses, n, [1.0] * 60), mouth) * arch(n, 0.5),
    )


def cricket(rng: Rng, samples: int) -> np.ndarray:
    """Groups of three short chirps."""
    pitch, chirps = rng.uniform(3000, 5500), rng.uniform(25, 40)
    return _calls(
        rng,
        samples,
        rng.uniform(0.3, 0.6),
        3 / chirps,
        lambda n: tone(pitch, n, (1,)) * np.sin(np.pi * chirps * seconds(n)) ** 2,
    )


def bee(rng: Rng, samples: int) -> np.ndarray:
    """A buzz that comes near and goes away."""
    track = rng.uniform(150, 280) * wander(rng, samples, 5, 0.93, 1.07)
    return tone(track, samples, _REED) * wander(rng, samples, 3, 0.1, 1) ** 2


def bird_rising(rng: Rng, samples: int) -> np.ndarray:
    return _gliding_bird(rng, samples, rising=True)


def bird_falling(rng: Rng, samples: int) -> np.ndarray:
    return _gliding_bird(rng, samples, rising=False)


def _gliding_bird(rng: Rng, samples: int, rising: bool) -> np.ndarray:
    low = rng.uniform(1500, 3000)
    high = low * rng.uniform(1.4, 2)
    start, end = (low, high) if rising else (high, low)
    return _calls(
        rng,
        samples,
        rng.uniform(0.3, 0.6),
        rng.uniform(0.12, 0.25),
        lambda n: tone(glide(start, end, n), n, (1, 0.15)) * arch(n),
    )


def bird_trill(rng: Rng, samples: int) -> np.ndarray:
    """Up and down many times in a call."""
    pitch, trills = rng.uniform(2000, 3800), rng.uniform(15, 28)
    return _calls(
        rng,
        samples,
        rng.uniform(0.7, 1.1),
        rng.uniform(0.4, 0.6),
        lambda n: (
            tone(pitch * 2 ** (0.3 * np.sin(2 * np.pi * trills * seconds(n))), n, (1, 0.15))
            * arch(n, 0.5)
        ),
    )


ANIMALS: dict[str, Callable[[Rng, int], np.ndarray]] = {
    make.__name__: make
    for make in (
        bee,
        bird_falling,
        bird_rising,
        bird_trill,
        cat,
        cow,
        cricket,
        crow,
        dog,
        frog,
        owl,
    )
}
