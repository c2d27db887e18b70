"""Programs that some tools call and pip does not install: where they are missing, it is said."""

import shutil

import pytest

SYNTHESIZER_REASON = "needs espeak-ng, fluidsynth and fluid-soundfont-gm (apt-get install)"


@pytest.fixture
def synthesizers() -> None:
    """Skips the test unless the programs are installed."""
    from task_making.synthesizers import SOUND_FONT

    programs = all(shutil.which(name) for name in ("espeak-ng", "fluidsynth"))
    if not (programs and SOUND_FONT.exists()):
        pytest.skip(SYNTHESIZER_REASON)


def pytest_terminal_summary(terminalreporter) -> None:
    reports = terminalreporter.stats.get("skipped", [])
    skipped = [report for report in reports if SYNTHESIZER_REASON in str(report.longrepr)]
    if skipped:
        line = f"Tests with synthesizers that did NOT run: {len(skipped)}. {SYNTHESIZER_REASON}"
        terminalreporter.write_line(line, yellow=True)
