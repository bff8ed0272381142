# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Five programs in four languages exchange events through one proxy.

This process holds the proxy. The programs each publish their events every 50 ms and
print `got <name> <topic>` for what they receive; the counts make the table. Ends by
itself: exit code 0 once everyone has received everything, 1 if something is missing.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import juicebus

EXAMPLES = Path(__file__).resolve().parent
BINARIES = EXAMPLES.parent / "build" / "examples"
PROGRAMS = {
    "C": [str(BINARIES / "c-driver")],
    "C++": [str(BINARIES / "cpp-driver")],
    "Go": [str(BINARIES / "go-service")],
    "Python blocking": [
        sys.executable,
        str(EXAMPLES / "python" / "blocking_service.py"),
    ],
    "Python async": [sys.executable, str(EXAMPLES / "python" / "async_service.py")],
}
# The last two are classes of the real Juice package.
PUBLISHER_OF = {
    "FridgeReading": "C",
    "SetPoint": "C++",
    "FridgeSummary": "Go",
    "FridgeAlarm": "Python blocking",
    "TemperaturePoint": "Python blocking",
    "IPythonServiceState": "Python async",
}
DEADLINE_S = 40.0  # importing Juice takes a while on a slow machine
STOP_S = 5.0


class Program:
    """A running program and the events that it says it got."""

    def __init__(self, command: list[str], uris: tuple[str, str], changed: threading.Condition):
        self.got: Counter[str] = Counter()
        self.has_ended = False
        self._changed = changed
        self._process = subprocess.Popen(
            [*command, *uris, *PUBLISHER_OF],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            what, name, *_topic = line.split()
            with self._changed:
                if what == "got":
                    self.got[name] += 1
                self._changed.notify()
        with self._changed:
            self.has_ended = True
            self._changed.notify()

    def has_everything(self) -> bool:
        """Return whether it got at least one event of every name."""
        return all(self.got[name] for name in PUBLISHER_OF)

    def stop(self) -> int:
        """End its standard input, which ends it; return its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            code = self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._reader.join()
        return code


def main() -> int:
    """Run the programs; return the exit code."""
    changed = threading.Condition()
    any_port = "tcp://127.0.0.1:0"
    with juicebus.Proxy(any_port, any_port) as proxy:
        uris = (proxy.pub_uri, proxy.sub_uri)
        programs = {name: Program(command, uris, changed) for name, command in PROGRAMS.items()}

        def is_over() -> bool:
            running = programs.values()
            return all(p.has_everything() for p in running) or any(p.has_ended for p in running)

        with changed:
            changed.wait_for(is_over, DEADLINE_S)
        codes = {name: program.stop() for name, program in programs.items()}

    print(f"{'event':<22}{'from':<18}" + "".join(f"{name:>17}" for name in programs))
    for event, publisher in PUBLISHER_OF.items():
        counts = "".join(f"{program.got[event]:>17}" for program in programs.values())
        print(f"{event:<22}{publisher:<18}{counts}")
    wrong = [
        f"{name} got no {event} from {publisher}"
        for name, program in programs.items()
        for event, publisher in PUBLISHER_OF.items()
        if not program.got[event]
    ]
    wrong += [f"{name} ended with exit code {code}" for name, code in codes.items() if code != 0]
    print("\n".join(wrong) or "Every program received every event.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
