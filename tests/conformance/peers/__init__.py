# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The programs that the conformance run lets talk to each other, one per library."""
