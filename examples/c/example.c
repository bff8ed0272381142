// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// The program at the top of juicebus.h, word for word: a test compares them.
// clang-format off
#include <juicebus.h>
#include <stdio.h>

int main(void) {
    juicebus_proxy_t proxy;      // a fleet has its own; here we embed one
    juicebus_publisher_t pub;
    juicebus_subscriber_t sub;
    juicebus_event event;
    // {"kelvin": 4.2} in CBOR
    const unsigned char payload[] = {0xa1, 0x66, 'k', 'e', 'l', 'v', 'i', 'n', 0xfb,
                                     0x40, 0x10, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcd};

    if (juicebus_proxy_open("ipc:///tmp/example-pub", "ipc:///tmp/example-sub", NULL, &proxy) ||
        juicebus_subscriber_open("ipc:///tmp/example-sub", NULL, &sub) ||
        juicebus_subscriber_subscribe(sub, "Temperature", NULL) ||
        juicebus_subscriber_ready(sub, 5000) ||
        juicebus_publisher_open("ipc:///tmp/example-pub", NULL, &pub) ||
        juicebus_publisher_publish(pub, "Temperature", "4K", payload, sizeof payload, 5000) ||
        juicebus_subscriber_get(sub, 5000, &event)) {
        fprintf(stderr, "%s\n", juicebus_last_error());
        return 1;
    }
    printf("%s %s: %zu bytes\n", event.name, event.topic, event.payload_size);
    juicebus_event_free(&event);
    juicebus_publisher_close(pub, 1000);
    juicebus_subscriber_close(sub);
    juicebus_proxy_close(proxy);
    return 0;
}
