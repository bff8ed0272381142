// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// Port 0 gives a real port, the wildcard host works, ipc works; a taken address is
// E_SYSTEM with the address in the text, and leaves the other one free; a closed proxy
// frees its addresses.
#include "bus.h"

static void real_ports(bus b) {
    int pub_port = 0, sub_port = 0;
    CHECK(sscanf(b.pub_uri, "tcp://127.0.0.1:%d", &pub_port) == 1);
    CHECK(sscanf(b.sub_uri, "tcp://127.0.0.1:%d", &sub_port) == 1);
    CHECK(pub_port > 0 && sub_port > 0 && pub_port != sub_port);
}

static void short_memory_is_invalid(bus b) {
    char pub_uri[512] = "x", sub_uri[512] = "x";
    size_t size = strlen(b.pub_uri) + 1;
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_proxy_uris(b.proxy, pub_uri, 5, sub_uri, 512));
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_proxy_uris(b.proxy, pub_uri, size - 1, sub_uri, 512));
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_proxy_uris(b.proxy, pub_uri, 512, sub_uri, 0));
    CHECK_TEXT("x", pub_uri);
    CHECK_TEXT("x", sub_uri);
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_uris(b.proxy, pub_uri, size, sub_uri, 512));
    CHECK_TEXT(b.pub_uri, pub_uri);
}

static void taken_is_told(bus b) {
    juicebus_publisher_options binding;
    juicebus_publisher_t pub = 77;
    juicebus_proxy_t proxy = 77;
    const char *free_uri = own_ipc_uri("free");

    CHECK_STATUS(JUICEBUS_E_SYSTEM, juicebus_proxy_open(b.pub_uri, free_uri, NULL, &proxy));
    CHECK_ERROR_NAMES(b.pub_uri);
    CHECK_STATUS(JUICEBUS_E_SYSTEM, juicebus_proxy_open(free_uri, b.sub_uri, NULL, &proxy));
    CHECK_ERROR_NAMES(b.sub_uri);
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_options_init(&binding, sizeof binding));
    binding.bind = 1;
    CHECK_STATUS(JUICEBUS_E_SYSTEM, juicebus_publisher_open(b.pub_uri, &binding, &pub));
    CHECK_ERROR_NAMES(b.pub_uri);
    CHECK(proxy == 77 && pub == 77);
    proxy = proxy_open_at(free_uri, "tcp://127.0.0.1:0");
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_close(proxy));
}

static void wildcard(void) {
    juicebus_proxy_t proxy = proxy_open_at("tcp://*:0", "tcp://*:0");
    char pub_uri[512], sub_uri[512];
    int port = 0;
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_uris(proxy, pub_uri, 512, sub_uri, 512));
    CHECK(sscanf(strrchr(pub_uri, ':'), ":%d", &port) == 1 && port > 0);
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_close(proxy));
}

static void closed_frees_its_addresses(bus b) {
    for (int i = 0; i < 20; i++) {
        CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_close(b.proxy));
        b.proxy = proxy_open_at(b.pub_uri, b.sub_uri);
    }
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_close(b.proxy));
}

int main(void) {
    bus b = bus_open();
    real_ports(b);
    short_memory_is_invalid(b);
    taken_is_told(b);
    wildcard();
    closed_frees_its_addresses(b);
    bus_close(b);
    return 0;
}
