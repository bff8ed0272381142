// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// What juicebus.hpp owns can be moved, not copied: the new owner has it, the old one
// nothing; the destructor closes handles, and close wakes a thread that waits.
#include <juicebus.hpp>

#include "thread.h"

#include <string>
#include <type_traits>
#include <utility>

template <class Owner>
static constexpr bool moves_only =
    std::is_nothrow_move_constructible_v<Owner> && std::is_nothrow_move_assignable_v<Owner> &&
    !std::is_copy_constructible_v<Owner> && !std::is_copy_assignable_v<Owner>;

static_assert(moves_only<juicebus::publisher> && moves_only<juicebus::subscriber>);
static_assert(moves_only<juicebus::proxy> && moves_only<juicebus::event>);
static_assert(moves_only<juicebus::batch> && moves_only<juicebus::key_batch>);

static void handles() {
    const std::string uri = own_ipc_uri("nobody");
    juicebus::subscriber first(uri), second(uri);
    const juicebus_subscriber_t kept = second.handle(), replaced = first.handle();

    first = std::move(second);
    CHECK(first.handle() == kept && second.handle() == 0);
    CHECK_STATUS(JUICEBUS_CLOSED, juicebus_subscriber_ready(replaced, 0));
    {
        juicebus::subscriber third(std::move(first));
        CHECK(third.handle() == kept && first.handle() == 0);
    }
    CHECK_STATUS(JUICEBUS_CLOSED, juicebus_subscriber_ready(kept, 0));
}

static void events() {
    bus b = bus_open();
    subscribe(b.sub, "Temp", NULL);
    settle(b.pub, b.sub);
    publish(b.pub, "Temp", "1");
    publish(b.pub, "Temp", "2");

    juicebus_event raw;
    juicebus_batch raw_batch;
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &raw));
    juicebus::event first(raw);
    juicebus::event moved(std::move(first));
    CHECK(moved.topic() == "1" && first.name().empty() && first.payload().empty());
    first = std::move(moved);
    CHECK(first.topic() == "1");
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get_many(b.sub, 1, DEADLINE_MS, &raw_batch));
    juicebus::batch batch(raw_batch);
    juicebus::batch other(std::move(batch));
    CHECK(batch.empty() && other.size() == 1 && other[0].topic() == "2");
    batch = std::move(other);
    CHECK(batch.size() == 1);
    bus_close(b);
}

static int get(uint64_t handle) {
    juicebus_event event;
    return juicebus_subscriber_get(handle, -1, &event);
}

static void close_wakes() {
    juicebus::subscriber sub(own_ipc_uri("nobody"));
    waiter waiting;
    waiter_start(&waiting, get, sub.handle());
    sub.close();
    CHECK_STATUS(JUICEBUS_CLOSED, waiter_join(&waiting));
}

int main() {
    handles();
    events();
    close_wakes();
    return 0;
}
