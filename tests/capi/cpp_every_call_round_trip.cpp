// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// Every call of juicebus.hpp, once, with what it gives back: an event published in each
// way is received in each way, and counted.
#include <juicebus.hpp>

#include "bus.h"

#include <string>
#include <vector>

static const std::chrono::milliseconds deadline(DEADLINE_MS);

static juicebus::proxy open_proxy() {
    juicebus::proxy_options options;
    CHECK(options.hold_ms == 500);
    options.hold_ms = 0;
    return juicebus::proxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0", options);
}

static void publish_in_each_way(juicebus::publisher &pub) {
    const std::vector<unsigned char> cbor = {0xa1, 0x61, 'k', 0x01};
    juicebus_event raw{};
    juicebus_frame frames[3] = {{"Temp.frames.", 12}, {"ab", 2}, {"c", 1}};
    std::size_t sent = 77;

    pub.publish("Temp", "cbor", cbor, deadline);
    pub.publish("Temp", "", std::string(R"({"k": 1})"), deadline);
    raw.name = "Temp";
    raw.topic = "many";
    raw.payload = cbor.data();
    raw.payload_size = cbor.size();
    pub.publish_many(&raw, 1, deadline, &sent);
    CHECK(sent == 1);
    pub.send_frames(frames, 3, deadline);
}

static void receive_in_each_way(juicebus::subscriber &sub) {
    juicebus::event event = sub.get(deadline).value();
    CHECK(event.name() == "Temp" && event.topic() == "cbor");
    CHECK(event.format() == juicebus::format::cbor);
    CHECK(event.payload().size() == 4 && event.payload().data()[0] == std::byte{0xa1});
    event = sub.get(deadline).value();
    CHECK(event.topic().empty() && event.format() == juicebus::format::json);
    CHECK(event.payload().text() == R"({"k": 1})");

    std::vector<std::string> topics;
    while (topics.size() < 2)
        for (juicebus::event_view view : sub.get_many(2, deadline)) {
            topics.emplace_back(view.topic());
            CHECK(view.topic() == "many" || view.frame_count() == 2);
            CHECK(view.topic() == "many" || view.frame(1).text() == "c");
        }
    CHECK(topics == (std::vector<std::string>{"many", "frames"}));
}

static void counts(juicebus::proxy &proxy, juicebus::publisher &pub, juicebus::subscriber &sub) {
    bool counted = false;
    CHECK(pub.stats().events >= 4 && sub.stats().events >= 4 && proxy.stats().events >= 4);
    for (const juicebus_key_count &count : proxy.keys())
        counted = counted || (std::string(count.key) == "Temp.cbor." && count.events == 1);
    CHECK(counted);
    CHECK(proxy.keys().empty());
    CHECK(pub.next_notice().value().kind == JUICEBUS_NOTICE_CONNECTED);
    CHECK(sub.next_notice().value().kind == JUICEBUS_NOTICE_CONNECTED);
    CHECK(!sub.next_notice().has_value());
}

static void fds(juicebus::proxy &proxy, juicebus::publisher &pub, juicebus::subscriber &sub) {
    for (int fd : {proxy.fd(), pub.fd(), sub.fd(), pub.notice_fd(), sub.notice_fd()})
        CHECK(close(fd) == 0);
}

int main() {
    juicebus::proxy proxy = open_proxy();
    juicebus::publisher pub(proxy.pub_uri());
    juicebus::subscriber sub(proxy.sub_uri());

    sub.subscribe("Temp");
    settle(pub.handle(), sub.handle());
    pub.wait_connected(deadline);
    CHECK(pub.flush(deadline) && sub.ready(deadline));
    publish_in_each_way(pub);
    CHECK(pub.flush_first(pub.stats().events, deadline));
    receive_in_each_way(sub);
    counts(proxy, pub, sub);
    fds(proxy, pub, sub);
    sub.unsubscribe("Temp");
    juicebus::payload_check(std::string("{}"));
    std::uint64_t left = 77, given_up = 77;
    CHECK(pub.close(deadline, &left) && left == 0);
    CHECK(juicebus::wait_closed(deadline, &given_up) && given_up == 0);
    sub.close();
    proxy.close();
    return 0;
}
