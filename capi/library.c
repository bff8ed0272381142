/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * Functions about the library itself. Those without a status never enter Go.
 */
#include "trampoline.h"

EXPORT const char *juicebus_version(void) {
    return JUICEBUS_VERSION;
}

EXPORT int juicebus_abi_version(void) {
    return JUICEBUS_ABI_VERSION;
}

EXPORT const char *juicebus_status_text(int status) {
    switch (status) {
    case JUICEBUS_OK:
        return "ok";
    case JUICEBUS_TIMEOUT:
        return "timeout";
    case JUICEBUS_CLOSED:
        return "closed";
    case JUICEBUS_UNCONFIRMED:
        return "unconfirmed";
    case JUICEBUS_E_INVALID:
        return "invalid argument";
    case JUICEBUS_E_HANDLE:
        return "no such handle";
    case JUICEBUS_E_URI:
        return "bad URI";
    case JUICEBUS_E_AMBIGUOUS:
        return "ambiguous name";
    case JUICEBUS_E_PAYLOAD:
        return "bad payload";
    case JUICEBUS_E_TOO_LARGE:
        return "too large";
    case JUICEBUS_E_NOT_CONNECTED:
        return "not connected";
    case JUICEBUS_E_FORKED:
        return "forked";
    case JUICEBUS_E_PANIC:
        return "panic";
    case JUICEBUS_E_SYSTEM:
        return "system error";
    }
    return "unknown status";
}

EXPORT int juicebus_payload_check(const void *payload, size_t payload_size) {
    REQUIRE_ALIVE();
    REQUIRE(payload);
    REQUIRE_SIZE(payload_size);
    return gojb_payload_check(payload, payload_size);
}

EXPORT int juicebus_wait_closed(int64_t timeout_ms, uint64_t *given_up) {
    REQUIRE_ALIVE();
    REQUIRE_TIMEOUT(timeout_ms);
    uint64_t events = 0;
    int status = gojb_wait_closed(timeout_ms, &events);
    if (given_up)
        *given_up = events;
    return status;
}

EXPORT int juicebus_next_notice(uint64_t handle, juicebus_notice *notice) {
    REQUIRE_ALIVE();
    REQUIRE(notice);
    return gojb_next_notice(handle, notice);
}

EXPORT int juicebus_next_notice_fd(uint64_t handle, int *fd) {
    REQUIRE_ALIVE();
    REQUIRE(fd);
    return gojb_next_notice_fd(handle, fd);
}
