"""Clips of music by fluidsynth: notes, scales, melodies, chords, drums, and bands of them."""

import numpy as np

from corpus_making.streams import SAMPLES, SECONDS
from task_making.recipe import RATE, generator
from task_making.synthesizers import TICKS_PER_SECOND, midi_file, play_midi, ticks
from task_making.voices import PROGRAMS

ALLOWED_PROGRAMS = tuple(
    program
    for program in range(128)
    if program not in PROGRAMS["valid"] and program not in PROGRAMS["test"]
)
_DRUM_CHANNEL = 9
# Until the notes of a clip have died away, and the next one begins.
_SPACING = SECONDS + 2.0
# A time in seconds, its order among events at this time, and the message.
Event = tuple[float, int, bytes]


def music_clips(seed: int, block: int, clips: int) -> np.ndarray:
    """Clips of fluidsynth `(clips, SAMPLES)`."""
    rng = generator(seed, "corpus", "music", block)
    events: list[Event] = []
    for clip in range(clips):
        start = clip * _SPACING
        for channel in range(16):
            for controller in (120, 123):
                events.append((start, 0, bytes([0xB0 | channel, controller, 0])))
        events += [(start + 0.02 + time, order, what) for time, order, what in _new_clip(rng)]
    length = clips * _SPACING
    sound = play_midi(_to_midi(events, length))
    step = round(_SPACING * RATE)
    sound = np.pad(sound, (0, max(0, step * clips - sound.size)))
    return np.stack([sound[clip * step :][:SAMPLES] for clip in range(clips)])


def _to_midi(events: list[Event], length: float) -> bytes:
    now, messages = 0, []
    for time, _, message in sorted(events, key=lambda event: event[:2]):
        tick = round(time * TICKS_PER_SECOND)
        messages.append(ticks(tick - now) + message)
        now = tick
    return midi_file(messages, round(length * TICKS_PER_SECOND) - now)


def _new_clip(rng: np.random.Generator) -> list[Event]:
    kind = rng.choice(("note", "notes", "melody", "chords", "drums", "band"), p=_KIND_SHARES)
    if kind == "note":
        return _note(rng, 0)
    if kind == "drums":
        return _drums(rng)
    if kind != "band":
        return _part(rng, 0, kind)
    events = _drums(rng) if rng.random() < 0.6 else []
    for channel in range(int(rng.integers(2, 5))):
        events += _part(rng, channel, str(rng.choice(("melody", "chords", "notes"))))
    return events


_KIND_SHARES = (0.28, 0.16, 0.18, 0.13, 0.15, 0.1)


def _note(rng: np.random.Generator, channel: int) -> list[Event]:
    start = rng.uniform(0, 2.0)
    held = np.exp(rng.uniform(np.log(0.1), np.log(SECONDS - start)))
    return [
        _program(rng, channel),
        *_press(channel, start, held, int(rng.integers(21, 109)), int(rng.integers(25, 128))),
    ]


def _part(rng: np.random.Generator, channel: int, kind: str) -> list[Event]:
    """Notes on a beat: free ones, a melody of a scale, or chords."""
    events = [_program(rng, channel)]
    beat = np.exp(rng.uniform(np.log(0.1), np.log(1.0)))
    legato = rng.uniform(0.3, 1.1)
    lowest = int(rng.integers(28, 84))
    scale = np.sort(rng.choice(12, int(rng.integers(4, 8)), replace=False))
    place, time = 0, rng.uniform(0, 0.5)
    loudness = rng.integers(40, 120)
    while time < SECONDS:
        length = beat * float(rng.choice((0.5, 1, 1, 2)))
        if rng.random() < 0.85:
            place = int(np.clip(place + rng.integers(-3, 4), -7, 14))
            key = lowest + 12 * (place // scale.size) + int(scale[place % scale.size])
            keys = [key]
            if kind == "notes":
                keys = [int(rng.integers(21, 109))]
            elif kind == "chords":
                keys = [key, key + int(rng.choice((3, 4, 5))), key + int(rng.choice((7, 8, 9, 12)))]
            velocity = int(np.clip(loudness + rng.normal(0, 10), 1, 127))
            for one in keys:
                events += _press(channel, time, length * legato, one, velocity)
        time += length
    return events


def _drums(rng: np.random.Generator) -> list[Event]:
    """Some drums in a pattern that repeats, or single strokes."""
    events = []
    beat = rng.uniform(0.08, 0.3)
    if rng.random() < 0.3:
        times = np.sort(rng.uniform(0, SECONDS, int(rng.integers(1, 6))))
        keys = rng.integers(35, 82, times.size)
        for time, key in zip(times, keys, strict=True):
            events += _press(_DRUM_CHANNEL, time, 0.3, int(key), int(rng.integers(40, 128)))
        return events
    first = rng.uniform(0, 0.5)
    for key in rng.integers(35, 82, int(rng.integers(1, 5))):
        pattern = rng.random(int(rng.choice((6, 8, 12, 16)))) < rng.uniform(0.15, 0.6)
        loudness = rng.integers(50, 120)
        for step in np.flatnonzero(np.tile(pattern, 16)):
            time = first + step * beat
            if time < SECONDS:
                velocity = int(np.clip(loudness + rng.normal(0, 8), 1, 127))
                events += _press(_DRUM_CHANNEL, time, beat, int(key), velocity)
    return events


def _program(rng: np.random.Generator, channel: int) -> Event:
    return 0.0, 1, bytes([0xC0 | channel, int(rng.choice(ALLOWED_PROGRAMS))])


def _press(channel: int, time: float, held: float, key: int, velocity: int) -> list[Event]:
    key = int(np.clip(key, 0, 127))
    return [
        (time, 3, bytes([0x90 | channel, key, velocity])),
        (time + max(held, 0.02), 2, bytes([0x80 | channel, key, 0])),
    ]
