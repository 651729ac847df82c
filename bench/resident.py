"""How much memory a process has, from what Linux says of it."""

from __future__ import annotations

from pathlib import Path


def resident(kind: str, pid: int | str = "self") -> int:
    """MB that a process has in memory: ``VmRSS`` now, ``VmHWM`` at its peak. Raises OSError, ValueError once it has ended.

    Not getrusage or wait4: their peak begins with that of the process that started this one, and is kept across exec.
    """
    found = Path(f"/proc/{pid}/status").read_text().partition(f"{kind}:")[2].split()
    if not found:  # a process that has ended and is not waited for yet
        raise ValueError(f"process {pid} has no {kind}")
    return int(found[0]) // 1024
