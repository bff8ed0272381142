// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// tests/vectors/keys.json through everything that takes a name and a topic: publish,
// publish_many, subscribe, unsubscribe; and what is accepted arrives with the same
// name and topic, and passes the proxy with the key written there.
#include "bus.h"
#include "vector.h"

#include "keys_vectors.h"

static juicebus_event outgoing(text name, text topic) {
    juicebus_event event;
    memset(&event, 0, sizeof event);
    event.name = name.data;
    event.topic = topic.data;
    event.payload = EMPTY_MAP;
    event.payload_size = EMPTY_MAP_SIZE;
    return event;
}

static void arrives(juicebus_subscriber_t sub, text name, text topic) {
    juicebus_event event;
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(sub, DEADLINE_MS, &event));
    CHECK_TEXT(name.data, event.name);
    CHECK_TEXT(topic.data == NULL ? "" : topic.data, event.topic);
    CHECK(event.name_size == name.size && event.topic_size == topic.size);
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
}

// The proxy counts what it has forwarded a moment later.
static void passes_the_proxy_as(juicebus_proxy_t proxy, text key) {
    juicebus_key_batch batch;
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    int seen = 0;
    while (!seen) {
        CHECK(now_ms() < deadline_ms);
        if (juicebus_proxy_keys(proxy, &batch) != JUICEBUS_OK)
            continue;
        for (size_t i = 0; i < batch.count; i++)
            seen += batch.keys[i].key_size == key.size &&
                    memcmp(batch.keys[i].key, key.data, key.size + 1) == 0;
        CHECK_STATUS(JUICEBUS_OK, juicebus_key_batch_free(&batch));
    }
    CHECK(seen == 1);
}

static void accepted(bus b, const struct key_vector *v, text name, text topic) {
    text key = text_of(v->key);
    juicebus_event event = outgoing(name, topic);
    juicebus_subscriber_t sub;

    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_open(b.sub_uri, NULL, &sub));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_subscribe(sub, name.data, topic.data));
    settle(b.pub, sub);
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_publish(b.pub, name.data, topic.data, EMPTY_MAP,
                                                         EMPTY_MAP_SIZE, DEADLINE_MS));
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_publish_many(b.pub, &event, 1, DEADLINE_MS, NULL));
    arrives(sub, name, topic);
    arrives(sub, name, topic);
    passes_the_proxy_as(b.proxy, key);
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_unsubscribe(sub, name.data, topic.data));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(sub));
    free(key.data);
}

// A C string would end at the NUL: these go the way on which they keep it.
static void refused_as_frame(bus b, text name, text topic, int status) {
    juicebus_frame key;
    size_t size = name.size + 1 + (topic.size > 0 ? topic.size + 1 : 0);
    char *data = (char *)malloc(size + 1);
    CHECK(data != NULL);
    memcpy(data, name.data, name.size);
    data[name.size] = '.';
    if (topic.size > 0) {
        memcpy(data + name.size + 1, topic.data, topic.size);
        data[size - 1] = '.';
    }
    key.data = data;
    key.size = size;
    CHECK_STATUS(status, juicebus_publisher_send_frames(b.pub, &key, 1, 10));
    free(data);
}

static void refused(bus b, const struct key_vector *v, text name, text topic) {
    juicebus_event event = outgoing(name, topic);
    size_t sent = 77;
    CHECK_STATUS(v->status, juicebus_publisher_publish(b.pub, name.data, topic.data, EMPTY_MAP,
                                                       EMPTY_MAP_SIZE, 10));
    CHECK_STATUS(v->status, juicebus_publisher_publish_many(b.pub, &event, 1, 10, &sent));
    CHECK(sent == 0);
    CHECK_STATUS(v->status, juicebus_subscriber_subscribe(b.sub, name.data, topic.data));
    CHECK_STATUS(v->status, juicebus_subscriber_unsubscribe(b.sub, name.data, topic.data));
}

int main(void) {
    bus b = bus_open();
    for (size_t i = 0; i < sizeof key_vectors / sizeof key_vectors[0]; i++) {
        const struct key_vector *v = &key_vectors[i];
        text name = text_of(v->name), topic = text_of(v->topic);
        fprintf(stderr, "%s\n", v->id);
        if (v->status == JUICEBUS_OK)
            accepted(b, v, name, topic);
        else if (strlen(name.data) < name.size || (topic.size && strlen(topic.data) < topic.size))
            refused_as_frame(b, name, topic, v->status);
        else
            refused(b, v, name, topic);
        free(name.data);
        free(topic.data);
    }
    bus_close(b);
    return 0;
}
