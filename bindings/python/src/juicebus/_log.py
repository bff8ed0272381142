# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The logger "juicebus". Importing logging takes as long as much of this package."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging


def logger() -> logging.Logger:
    """Return it; logging is imported by the first who has something to say."""
    import logging

    return logging.getLogger("juicebus")
