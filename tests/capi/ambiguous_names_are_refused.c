// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// Two names of which one is a dotted prefix of the other: E_AMBIGUOUS, both named in
// the text; what was subscribed before stays, and unsubscribing it frees the name.
#include "bus.h"

static void one_arrives(bus b, const char *name) {
    juicebus_event event;
    publish(b.pub, name, NULL);
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &event));
    CHECK_TEXT(name, event.name);
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
}

int main(void) {
    bus b = bus_open();
    subscribe(b.sub, "Fridge.Upper", NULL);
    CHECK_STATUS(JUICEBUS_E_AMBIGUOUS, juicebus_subscriber_subscribe(b.sub, "Fridge", "x"));
    CHECK_ERROR_NAMES("\"Fridge\"");
    CHECK_ERROR_NAMES("\"Fridge.Upper\"");
    CHECK_STATUS(JUICEBUS_E_AMBIGUOUS,
                 juicebus_subscriber_subscribe(b.sub, "Fridge.Upper.4K", NULL));
    CHECK_ERROR_NAMES("\"Fridge.Upper.4K\"");
    settle(b.pub, b.sub);
    one_arrives(b, "Fridge.Upper");

    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_unsubscribe(b.sub, "Fridge.Upper", NULL));
    subscribe(b.sub, "Fridge", NULL);
    settle(b.pub, b.sub);
    one_arrives(b, "Fridge");
    bus_close(b);
    return 0;
}
