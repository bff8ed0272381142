// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// A URI that is malformed or of an unknown scheme: E_URI at once, and the text names
// it. A host that does not resolve yet is no error.
#include "bus.h"

static const char *const never_valid[] = {
    "",           "tcp",        "127.0.0.1:5122",        "tcp://",
    "tcp://host", "tcp://h:",   "tcp://127.0.0.1:65536", "tcp://127.0.0.1:http",
    "tcp://:1",   "ipc://",     "http://127.0.0.1:5122", "tcp:/127.0.0.1:5122",
    "://h:1",     "tcp://h h:1"};

static void refused_by_all(const char *uri) {
    juicebus_publisher_options binding;
    juicebus_publisher_t pub = 77;
    juicebus_subscriber_t sub = 77;
    juicebus_proxy_t proxy = 77;

    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_options_init(&binding, sizeof binding));
    binding.bind = 1;
    CHECK_STATUS(JUICEBUS_E_URI, juicebus_publisher_open(uri, NULL, &pub));
    CHECK_ERROR_NAMES(uri);
    CHECK_STATUS(JUICEBUS_E_URI, juicebus_publisher_open(uri, &binding, &pub));
    CHECK_ERROR_NAMES(uri);
    CHECK_STATUS(JUICEBUS_E_URI, juicebus_subscriber_open(uri, NULL, &sub));
    CHECK_ERROR_NAMES(uri);
    CHECK_STATUS(JUICEBUS_E_URI, juicebus_proxy_open(uri, "tcp://127.0.0.1:0", NULL, &proxy));
    CHECK_ERROR_NAMES(uri);
    CHECK_STATUS(JUICEBUS_E_URI, juicebus_proxy_open("tcp://127.0.0.1:0", uri, NULL, &proxy));
    CHECK_ERROR_NAMES(uri);
    CHECK(pub == 77 && sub == 77 && proxy == 77);
}

int main(void) {
    juicebus_publisher_t pub;
    juicebus_subscriber_t sub;

    for (size_t i = 0; i < sizeof never_valid / sizeof never_valid[0]; i++)
        refused_by_all(never_valid[i]);
    CHECK_STATUS(JUICEBUS_E_URI, juicebus_publisher_open("tcp://127.0.0.1:0", NULL, &pub));
    CHECK_STATUS(JUICEBUS_E_URI, juicebus_subscriber_open("tcp://*:5123", NULL, &sub));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_open("tcp://not-there.invalid:5123", NULL, &sub));
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open("tcp://not-there.invalid:5122", NULL, &pub));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(sub));
    close_at_once(pub);
    return 0;
}
