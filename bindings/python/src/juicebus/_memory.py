# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Keeps the memory of large payloads in the process, for the next ones.

glibc gives what is free at the end of its memory back to the system, when that is more than
twice the largest block that it had mapped and freed so far. A few copies of one large payload
are; then each event costs a page fault for every 4 KiB of every copy, several times what
copying costs. So a block of four payloads is freed once, that nobody has written to. It is
what any program does to glibc that frees a large array; what glibc may keep then is eight
payloads. A host that has set its thresholds keeps those.
"""

from __future__ import annotations

# Beyond, what could be kept is not worth it.
_BYTES_MAX = 1 << 22

_expected = 0


def expect(size: int) -> None:
    """Note that a payload of so many bytes has come, and that others like it may."""
    global _expected
    if _expected < size <= _BYTES_MAX:
        _expected = 2 * size
        bytes(4 * size)
