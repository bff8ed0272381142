/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The proxy's trampolines; juicebus.h documents them. Next: proxy.go.
 */
#include <string.h>

#include "../core/internal/socket/memory.h"
#include "trampoline.h"

static const juicebus_proxy_options defaults = {
    sizeof(juicebus_proxy_options),
    500,      /* hold_ms */
    64 << 20, /* max_event_bytes */
    10000,    /* max_keys */
    64 << 20, /* max_bytes */
    25000,    /* max_subscriptions */
};

EXPORT int juicebus_proxy_options_init(juicebus_proxy_options *options, size_t struct_size) {
    REQUIRE_ALIVE();
    REQUIRE(options);
    return jbc_init_options(__func__, options, struct_size, &defaults, sizeof defaults);
}

EXPORT int juicebus_proxy_open(const char *pub_uri, const char *sub_uri,
                               const juicebus_proxy_options *options, juicebus_proxy_t *proxy) {
    REQUIRE_ALIVE();
    REQUIRE(pub_uri);
    REQUIRE(sub_uri);
    REQUIRE(proxy);
    juicebus_proxy_options all = defaults;
    int status = jbc_copy_options(__func__, &all, sizeof all, options);
    return status != JUICEBUS_OK ? status : gojb_proxy_open(pub_uri, sub_uri, &all, proxy);
}

EXPORT int juicebus_proxy_uris(juicebus_proxy_t proxy, char *pub_uri, size_t pub_uri_size,
                               char *sub_uri, size_t sub_uri_size) {
    REQUIRE_ALIVE();
    REQUIRE(pub_uri);
    REQUIRE(sub_uri);
    return gojb_proxy_uris(proxy, pub_uri, pub_uri_size, sub_uri, sub_uri_size);
}

EXPORT int juicebus_proxy_keys(juicebus_proxy_t proxy, juicebus_key_batch *batch) {
    REQUIRE_ALIVE();
    REQUIRE(batch);
    return gojb_proxy_keys(proxy, batch);
}

EXPORT int juicebus_key_batch_free(juicebus_key_batch *batch) {
    REQUIRE_ALIVE();
    if (batch) {
        jb_free(batch->keys);
        memset(batch, 0, sizeof *batch);
    }
    return JUICEBUS_OK;
}

EXPORT int juicebus_proxy_fd(juicebus_proxy_t proxy, int *fd) {
    REQUIRE_ALIVE();
    REQUIRE(fd);
    return gojb_proxy_fd(proxy, fd);
}

EXPORT int juicebus_proxy_stats(juicebus_proxy_t proxy, struct juicebus_proxy_stats *stats) {
    REQUIRE_ALIVE();
    REQUIRE(stats);
    struct juicebus_proxy_stats all;
    memset(&all, 0, sizeof all);
    int status = gojb_proxy_stats(proxy, &all);
    return status != JUICEBUS_OK ? status : jbc_copy_stats(__func__, stats, &all, sizeof all);
}

EXPORT int juicebus_proxy_close(juicebus_proxy_t proxy) {
    REQUIRE_ALIVE();
    return gojb_proxy_close(proxy);
}
