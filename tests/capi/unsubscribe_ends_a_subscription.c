// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// After unsubscribe its events no longer come, while those of other topics do; the
// same subscription made twice is one; ending one that never was is OK; and a name is
// taken as long as it has one topic.
#include "bus.h"

static void next_is(bus b, const char *topic) {
    juicebus_event event;
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &event));
    CHECK_TEXT("Temp", event.name);
    CHECK_TEXT(topic, event.topic);
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
}

int main(void) {
    bus b = bus_open();
    subscribe(b.sub, "Temp", "a");
    subscribe(b.sub, "Temp", "a");
    subscribe(b.sub, "Temp", "b");
    settle(b.pub, b.sub);
    publish(b.pub, "Temp", "a");
    publish(b.pub, "Temp", "b");
    next_is(b, "a");
    next_is(b, "b");

    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_unsubscribe(b.sub, "Temp", "a"));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_unsubscribe(b.sub, "Temp", "c"));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_unsubscribe(b.sub, "Never", NULL));
    settle(b.pub, b.sub);
    publish(b.pub, "Temp", "a");
    publish(b.pub, "Temp", "b");
    next_is(b, "b");

    CHECK_STATUS(JUICEBUS_E_AMBIGUOUS, juicebus_subscriber_subscribe(b.sub, "Temp.x", NULL));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_unsubscribe(b.sub, "Temp", "b"));
    subscribe(b.sub, "Temp.x", NULL);
    bus_close(b);
    return 0;
}
