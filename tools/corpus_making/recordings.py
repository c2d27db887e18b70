"""Clips of recordings that anybody may use, from clones of public repositories."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from corpus_making.sounds import place, play_slower, read_sound
from corpus_making.streams import SAMPLES
from task_making.recipe import RATE, generator

_SUFFIXES = {".wav", ".flac", ".aif"}


@dataclass(frozen=True)
class Repository:
    """Recordings in a repository.

    Args:
        url: to clone from; its last part is the name of the clone's folder.
        commit: whose files are meant.
        licence: of the recordings.
        what: is recorded.
        folder: of the repository that holds them.
        files: how many there are.
        share: of the clips of recordings.
        octaves: by how much they are played slower or faster at most.
        named_in: files of the repository that name the recordings under this licence, where it
            holds others too.
    """

    url: str
    commit: str
    licence: str
    what: str
    folder: str
    files: int
    share: float
    octaves: float
    named_in: str = ""

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    def find(self, clones: Path) -> tuple[Path, ...]:
        """The recordings, in order of their names."""
        paths = sorted(
            path
            for path in (clones / self.name / self.folder).rglob("*")
            if path.suffix.lower() in _SUFFIXES
        )
        if self.named_in:
            lists = (clones / self.name).glob(self.named_in)
            named = {word for path in lists for word in path.read_text("utf-8").split()}
            named = {word.rpartition("/")[2] for word in named}
            paths = [path for path in paths if path.name in named]
        return tuple(paths)


_VOICE = {"licence": "CC0 1.0", "share": 0.17, "octaves": 0.45}
REPOSITORIES = (
    Repository(
        "https://github.com/rhasspy/dataset-voice-kathleen",
        "c51cb971036a127359b43c621f26ca5081eab13e",
        what="a woman reads in English",
        folder="data",
        files=1620,
        **_VOICE,
    ),
    Repository(
        "https://github.com/rhasspy/dataset-voice-kerstin",
        "f73127135cf80d6ef52aef6af58c49774f4fd625",
        what="a woman reads in German",
        folder="verified",
        files=1374,
        **_VOICE,
    ),
    Repository(
        "https://github.com/rhasspy/dataset-voice-nathalie",
        "3b3e91f39d13e2e681d8937575efb9bd3b3d8f5c",
        what="a woman reads in Dutch",
        folder="verified",
        files=1130,
        **_VOICE,
    ),
    Repository(
        "https://github.com/rhasspy/dataset-voice-flemishguy",
        "2576e9c8e5b6eec92e45010b5ede87c4f836f21e",
        what="a man reads in Flemish",
        folder="wavs",
        files=1139,
        **_VOICE,
    ),
    Repository(
        "https://github.com/OpenVoiceOS/ovos-ww-community-dataset",
        "914a79326fbee6bbadbb67cd177a0634c625d6da",
        "public domain",
        "people say single words and sentences in English and Spanish; noises of a household",
        folder=".",
        files=1799,
        share=0.25,
        octaves=0.3,
        named_in="licenses/license-2*.txt",
    ),
    Repository(
        "https://github.com/sonic-pi-net/sonic-pi",
        "c0002065a976b1355e7889f4aa96a1804e2b8119",
        "CC0 1.0",
        "instruments, loops and sounds",
        folder="etc/samples",
        files=195,
        share=0.07,
        octaves=0.3,
    ),
)


def missing_recordings(clones: Path) -> list[str]:
    """What is to be done until all repositories are in the folder `clones`."""
    problems = []
    for one in REPOSITORIES:
        found = one.find(clones)
        if len(found) != one.files or not all(map(_is_sound, found)):
            folder = clones / one.name
            problems.append(
                f"{folder}: expected {one.files} recordings of commit {one.commit}, received "
                f"{len(found)}: git clone {one.url} {folder} && "
                f"git -C {folder} checkout {one.commit}"
            )
    return problems


def recorded_clips(clones: Path, seed: int, block: int, clips: int) -> np.ndarray:
    """Clips of one recording, or of several from one repository in a row, `(clips, SAMPLES)`."""
    rng = generator(seed, "corpus", "recordings", block)
    return np.stack([_new_clip(clones, rng) for _ in range(clips)])


def _new_clip(clones: Path, rng: np.random.Generator) -> np.ndarray:
    shares = np.array([one.share for one in REPOSITORIES])
    repository = REPOSITORIES[int(rng.choice(len(REPOSITORIES), p=shares / shares.sum()))]
    recordings = _find(repository, clones)
    factor = float(2 ** rng.uniform(-repository.octaves, repository.octaves))
    wanted = SAMPLES if rng.random() < 0.5 else 1
    parts = [np.zeros(0)]
    while sum(part.size for part in parts) < wanted:
        sound = play_slower(read_sound(recordings[int(rng.integers(len(recordings)))]), factor)
        parts += [sound, np.zeros(int(rng.uniform(0.05, 0.8) * RATE))] if sound.size else []
    return place(np.concatenate(parts[:-1]), rng)


def _is_sound(path: Path) -> bool:
    """And not, for example, what git leaves of a large file without git-lfs."""
    try:
        return soundfile.info(path).frames > 0
    except soundfile.LibsndfileError:
        return False


@functools.lru_cache
def _find(repository: Repository, clones: Path) -> tuple[Path, ...]:
    return repository.find(clones)
