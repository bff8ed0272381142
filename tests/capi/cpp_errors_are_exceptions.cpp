// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// juicebus.hpp throws what the C call returns: the status, its class, and the text; a
// timeout of get is no exception.
#include <juicebus.hpp>

#include "bus.h"

#include <string>

template <class Error, class Call> static void throws(int status, const char *word, Call call) {
    try {
        call();
    } catch (const Error &error) {
        CHECK(error.status() == status);
        CHECK(std::string(error.what()).find(word) != std::string::npos);
        return;
    }
    CHECK(false && "an exception was expected");
}

static void errors() {
    const std::string nobody = own_ipc_uri("nobody");
    juicebus::publisher_options options;
    options.max_events = 0;
    juicebus::publisher pub(nobody, options);
    options.max_events = 1;
    juicebus::publisher full(nobody, options);
    juicebus::subscriber sub(nobody);
    const std::chrono::milliseconds at_once(0);

    throws<juicebus::error>(JUICEBUS_E_URI, "nonsense", [] { juicebus::publisher p("nonsense"); });
    throws<juicebus::error>(JUICEBUS_E_URI, "nonsense", [] { juicebus::subscriber s("nonsense"); });
    throws<juicebus::error>(JUICEBUS_E_URI, "nonsense",
                            [] { juicebus::proxy p("tcp://127.0.0.1:0", "nonsense"); });
    throws<juicebus::not_connected_error>(JUICEBUS_E_NOT_CONNECTED, nobody.c_str(), [&] {
        pub.publish("Temp", "", std::string("{}"), at_once);
    });
    full.publish("Temp", "", std::string("{}"), at_once);
    throws<juicebus::timeout_error>(JUICEBUS_TIMEOUT, "",
                                    [&] { full.publish("Temp", "", std::string("{}"), at_once); });
    throws<juicebus::timeout_error>(JUICEBUS_TIMEOUT, "", [&] { full.flush(at_once); });
    throws<juicebus::timeout_error>(JUICEBUS_TIMEOUT, "", [&] { sub.ready(at_once); });
    throws<juicebus::not_connected_error>(JUICEBUS_E_NOT_CONNECTED, "",
                                          [&] { pub.wait_connected(at_once); });
    throws<juicebus::error>(JUICEBUS_E_PAYLOAD, "",
                            [&] { juicebus::payload_check(std::string("[]")); });
    sub.subscribe("A");
    throws<juicebus::error>(JUICEBUS_E_AMBIGUOUS, "A.B", [&] { sub.subscribe("A.B"); });
    throws<juicebus::error>(JUICEBUS_E_INVALID, "", [&] { sub.get_many(0, at_once); });
    CHECK(!sub.get(at_once).has_value());
    CHECK(sub.get_many(5, at_once).empty());
}

// As a C string it would silently be another name.
static void nul_in_a_text() {
    juicebus::subscriber sub(own_ipc_uri("nobody"));
    const std::string name("Te\0mp", 5);
    throws<juicebus::error>(JUICEBUS_E_INVALID, "NUL", [&] { sub.subscribe(name); });
    throws<juicebus::error>(JUICEBUS_E_INVALID, "NUL", [&] { sub.subscribe("Temp", name); });
}

static void closed() {
    juicebus::publisher pub(own_ipc_uri("nobody"));
    juicebus::subscriber sub(own_ipc_uri("nobody"));
    CHECK(pub.close());
    CHECK(pub.close());
    sub.close();
    sub.close();
    throws<juicebus::closed_error>(JUICEBUS_CLOSED, "closed", [&] { sub.get(juicebus::forever); });
    throws<juicebus::closed_error>(JUICEBUS_CLOSED, "closed", [&] { sub.subscribe("Temp"); });
    throws<juicebus::closed_error>(JUICEBUS_CLOSED, "closed", [&] { pub.wait_connected(); });
    throws<juicebus::closed_error>(JUICEBUS_CLOSED, "closed", [&] { pub.stats(); });
}

int main() {
    errors();
    nul_in_a_text();
    closed();
    return 0;
}
