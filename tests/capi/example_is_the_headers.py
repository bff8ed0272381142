# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The program in the comment at the top of juicebus.h is examples/c/example.c."""

import sys
from itertools import dropwhile
from pathlib import Path

INDENT = " *     "


def program_of_comment(header: str) -> list[str]:
    """Return the program's lines, from its first #include to the end of main."""
    first = f"{INDENT}#include <juicebus.h>"
    lines = list(dropwhile(lambda line: line != first, header.split("\n")))
    end = lines.index(f"{INDENT}}}") + 1
    return [line.removeprefix(INDENT) if line != " *" else "" for line in lines[:end]]


def program_of_file(source: str) -> list[str]:
    """Return the file's lines without the comment at its top."""
    return list(dropwhile(lambda line: line.startswith("//"), source.rstrip("\n").split("\n")))


def main() -> None:
    """Compare: example_is_the_headers.py juicebus.h example.c."""
    header, source = (Path(name).read_text(encoding="utf-8") for name in sys.argv[1:])
    pairs = zip(program_of_comment(header), program_of_file(source), strict=True)
    different = [f"header: {there}\nfile:   {here}" for there, here in pairs if there != here]
    if different:
        raise SystemExit("\n".join(different))


main()
