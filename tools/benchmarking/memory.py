"""Peak resident memory of this process."""

import ctypes
import resource
import sys


class ResidentMemory:
    """How far the peak of the process rose above what it held when this object was made.

    Linux lets a process set its peak back to what it holds now. Where that works, the growth does
    not miss what earlier imports had freed again, and the peak of the steady state can be told from
    that of compilation.
    """

    def __init__(self) -> None:
        self.restart()
        self._before = _peak()

    def restart(self) -> bool:
        """Forget the peak so far; False where the system does not let us."""
        # Of glibc: give back what was freed, such as a compiler's memory, but is still resident.
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
        try:
            with open("/proc/self/clear_refs", "w", encoding="ascii") as clear:
                clear.write("5")
        except OSError:
            return False
        return True

    def growth(self) -> int:
        """Bytes of the peak above the start."""
        return max(0, _peak() - self._before)


def _peak() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
