/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The ends behind handles, for the trampolines that try the usual thing past Go before
 * they enter it. Go's own table, handles.go, decides what a handle is; this one knows
 * the open publishers and subscribers only. Private to capi.
 */
#ifndef JUICEBUS_ENDS_H
#define JUICEBUS_ENDS_H

#include "exports.h"

struct jb_end;

/* The end of an open handle of a kind, held: jb_end_release follows. NULL: ask Go. */
struct jb_end *jbc_hold(uint64_t handle, uint64_t kind);

/* The same, whatever its kind is. */
struct jb_end *jbc_hold_any(uint64_t handle);

/* jb_use_msgpack for a handle that has just been opened. */
void jbc_use_msgpack(uint64_t handle);

#endif
