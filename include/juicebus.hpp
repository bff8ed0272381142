// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// juicebus.hpp: juicebus.h for C++17. The same words, no logic of its own: handles
// and events free themselves, errors are exceptions, a timeout of get is an empty
// std::optional. Read juicebus.h for what each call means; here stands what differs.
//
//     juicebus::subscriber sub("tcp://127.0.0.1:5123");
//     sub.subscribe("Temperature");
//     while (auto event = sub.get(juicebus::forever))
//         std::cout << event->topic() << "\n";
#ifndef JUICEBUS_HPP
#define JUICEBUS_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "juicebus.h"

namespace juicebus {

using std::chrono::milliseconds;

/// The timeout that waits for ever. 0 ms does not wait.
inline constexpr milliseconds forever{-1};

/// Thrown for every status that is not an outcome of the call. what() is
/// juicebus_last_error(), or the status's text where the status is no error.
class error : public std::runtime_error {
  public:
    explicit error(int status)
        : error(status, status < 0 ? juicebus_last_error() : juicebus_status_text(status)) {}
    error(int status, const std::string &text) : std::runtime_error(text), status_(status) {}
    /// The status of the C call, such as JUICEBUS_E_URI.
    int status() const noexcept { return status_; }

  private:
    int status_;
};

/// JUICEBUS_TIMEOUT, where no return value says so.
class timeout_error : public error {
    using error::error;
};
/// JUICEBUS_CLOSED: this thread or another one closed the object.
class closed_error : public error {
    using error::error;
};
/// JUICEBUS_E_NOT_CONNECTED: no proxy there, and no queue or no time to wait for one.
class not_connected_error : public error {
    using error::error;
};

namespace detail {

inline void check(int status) {
    switch (status) {
    case JUICEBUS_OK:
        return;
    case JUICEBUS_TIMEOUT:
        throw timeout_error(status);
    case JUICEBUS_CLOSED:
        throw closed_error(status);
    case JUICEBUS_E_NOT_CONNECTED:
        throw not_connected_error(status);
    default:
        throw error(status);
    }
}

/// True for OK, false for the one outcome that the caller can return as false.
inline bool check_unless(int outcome, int status) {
    if (status != outcome)
        check(status);
    return status == JUICEBUS_OK;
}

/// A C string would silently end at the first NUL.
inline const char *text(const std::string &text) {
    if (text.find('\0') != std::string::npos)
        throw error(JUICEBUS_E_INVALID, "the text \"" + std::string(text.c_str()) + "\" holds NUL");
    return text.c_str();
}

inline std::optional<juicebus_notice> next_notice(std::uint64_t handle) {
    juicebus_notice notice;
    if (!check_unless(JUICEBUS_TIMEOUT, juicebus_next_notice(handle, &notice)))
        return std::nullopt;
    return notice;
}

inline int notice_fd(std::uint64_t handle) {
    int fd = -1;
    check(juicebus_next_notice_fd(handle, &fd));
    return fd;
}

inline int close_publisher(std::uint64_t handle) {
    return juicebus_publisher_close(handle, 1000);
}

/// Owns one handle; 0 is none.
template <int (*Close)(std::uint64_t)> class handle {
  public:
    handle() = default;
    handle(handle &&other) noexcept : value(std::exchange(other.value, 0)) {}
    handle &operator=(handle &&other) noexcept {
        if (this != &other) {
            reset();
            value = std::exchange(other.value, 0);
        }
        return *this;
    }
    ~handle() { reset(); }
    std::uint64_t value = 0;

  private:
    void reset() noexcept {
        if (value != 0)
            Close(value);
    }
};

} // namespace detail

/// A run of bytes that somebody else owns.
class bytes_view {
  public:
    bytes_view() = default;
    bytes_view(const void *data, std::size_t size)
        : data_(static_cast<const std::byte *>(data)), size_(size) {}
    /// From what holds bytes in a row: std::string, std::vector<unsigned char>, std::array, …
    template <class Bytes,
              std::enable_if_t<sizeof(*std::declval<const Bytes &>().data()) == 1, int> = 0>
    bytes_view(const Bytes &bytes) : bytes_view(bytes.data(), bytes.size()) {}

    const std::byte *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    const std::byte *begin() const noexcept { return data_; }
    const std::byte *end() const noexcept { return data_ + size_; }
    /// The same bytes as text, for JSON.
    std::string_view text() const noexcept {
        return {reinterpret_cast<const char *>(data_), size_};
    }

  private:
    const std::byte *data_ = nullptr;
    std::size_t size_ = 0;
};

/// How a received payload is encoded.
enum class format {
    other = JUICEBUS_FORMAT_OTHER,
    cbor = JUICEBUS_FORMAT_CBOR,
    json = JUICEBUS_FORMAT_JSON,
};

/// Reads a received event that somebody else owns: a batch, or an event. What the
/// accessors return lives as long as that owner.
class event_view {
  public:
    explicit event_view(const juicebus_event &raw) noexcept : raw_(raw) {}
    std::string_view name() const noexcept { return {raw_.name, raw_.name_size}; }
    /// Empty if the event has none.
    std::string_view topic() const noexcept { return {raw_.topic, raw_.topic_size}; }
    /// The first payload frame; empty if there is none.
    bytes_view payload() const noexcept { return {raw_.payload, raw_.payload_size}; }
    std::size_t frame_count() const noexcept { return raw_.frame_count; }
    /// Payload frame `index`, which is less than frame_count().
    bytes_view frame(std::size_t index) const noexcept {
        return {raw_.frames[index].data, raw_.frames[index].size};
    }
    juicebus::format format() const noexcept { return static_cast<juicebus::format>(raw_.format); }

  protected:
    juicebus_event raw_;
};

/// A received event that owns its memory. Move-only; a moved-from event is empty.
class event : public event_view {
  public:
    /// Takes over what juicebus_subscriber_get gave.
    explicit event(const juicebus_event &raw) noexcept : event_view(raw) {}
    event(event &&other) noexcept : event_view(std::exchange(other.raw_, juicebus_event{})) {}
    event &operator=(event &&other) noexcept {
        std::swap(raw_, other.raw_);
        return *this;
    }
    ~event() { juicebus_event_free(&raw_); }
};

/// Several received events, in order; it owns their memory. Move-only.
///
///     for (juicebus::event_view event : sub.get_many(100, juicebus::forever)) …
class batch {
  public:
    /// Empty.
    batch() noexcept : raw_{} {}
    /// Takes over what juicebus_subscriber_get_many gave.
    explicit batch(const juicebus_batch &raw) noexcept : raw_(raw) {}
    batch(batch &&other) noexcept : raw_(std::exchange(other.raw_, juicebus_batch{})) {}
    batch &operator=(batch &&other) noexcept {
        std::swap(raw_, other.raw_);
        return *this;
    }
    ~batch() { juicebus_batch_free(&raw_); }

    class iterator {
      public:
        explicit iterator(const juicebus_event *at) noexcept : at_(at) {}
        event_view operator*() const noexcept { return event_view(*at_); }
        iterator &operator++() noexcept {
            ++at_;
            return *this;
        }
        bool operator!=(const iterator &other) const noexcept { return at_ != other.at_; }

      private:
        const juicebus_event *at_;
    };
    std::size_t size() const noexcept { return raw_.count; }
    bool empty() const noexcept { return raw_.count == 0; }
    /// How often the subscriber has begun to drop events for want of room.
    std::uint64_t slow() const noexcept { return raw_.slow; }
    event_view operator[](std::size_t index) const noexcept {
        return event_view(raw_.events[index]);
    }
    iterator begin() const noexcept { return iterator(raw_.events); }
    iterator end() const noexcept { return iterator(raw_.events + raw_.count); }

  private:
    juicebus_batch raw_;
};

/// juicebus_publisher_options with its defaults filled in.
struct publisher_options : juicebus_publisher_options {
    publisher_options() {
        detail::check(juicebus_publisher_options_init(this, sizeof(juicebus_publisher_options)));
    }
};
/// juicebus_subscriber_options with its defaults filled in.
struct subscriber_options : juicebus_subscriber_options {
    subscriber_options() {
        detail::check(juicebus_subscriber_options_init(this, sizeof(juicebus_subscriber_options)));
    }
};
/// juicebus_proxy_options with its defaults filled in.
struct proxy_options : juicebus_proxy_options {
    proxy_options() {
        detail::check(juicebus_proxy_options_init(this, sizeof(juicebus_proxy_options)));
    }
};

using publisher_stats = struct juicebus_publisher_stats;
using subscriber_stats = struct juicebus_subscriber_stats;
using proxy_stats = struct juicebus_proxy_stats;
using notice = juicebus_notice;

/// Publishes events. Any thread may use it, and many at once; moving is not among
/// that. Move-only. The destructor hands over what is queued, for up to 1 s.
class publisher {
  public:
    /// Opens; does not block, needs no proxy yet. Throws error: E_URI, E_INVALID, E_SYSTEM.
    explicit publisher(const std::string &uri,
                       const publisher_options &options = publisher_options()) {
        detail::check(juicebus_publisher_open(detail::text(uri), &options, &handle_.value));
    }
    /// Publishes one event; an empty topic is none. Sends it, or queues it while there is
    /// no proxy; blocks up to `timeout` while the queue is full. Throws timeout_error (it
    /// stayed full), not_connected_error (no proxy and no queue), closed_error, or error:
    /// E_INVALID, E_PAYLOAD, E_TOO_LARGE.
    void publish(const std::string &name, const std::string &topic, bytes_view payload,
                 milliseconds timeout = milliseconds(5000)) {
        detail::check(juicebus_publisher_publish(handle_.value, detail::text(name),
                                                 detail::text(topic), payload.data(),
                                                 payload.size(), timeout.count()));
    }
    /// Publishes many in one crossing. `sent`, if not null, is how many were accepted, also
    /// when it throws. Blocks and throws as publish.
    void publish_many(const juicebus_event *events, std::size_t count,
                      milliseconds timeout = milliseconds(5000), std::size_t *sent = nullptr) {
        detail::check(
            juicebus_publisher_publish_many(handle_.value, events, count, timeout.count(), sent));
    }
    /// Sends key and payload frames as they are, unchecked. Blocks and throws as publish.
    void send_frames(const juicebus_frame *frames, std::size_t count,
                     milliseconds timeout = milliseconds(5000)) {
        detail::check(
            juicebus_publisher_send_frames(handle_.value, frames, count, timeout.count()));
    }
    /// Waits for the proxy. Throws not_connected_error, closed_error.
    void wait_connected(milliseconds timeout = milliseconds(5000)) {
        detail::check(juicebus_publisher_wait_connected(handle_.value, timeout.count()));
    }
    /// Waits until the proxy has confirmed all published so far. False: it cannot be known.
    /// Throws timeout_error, closed_error.
    bool flush(milliseconds timeout = milliseconds(5000)) {
        return detail::check_unless(JUICEBUS_UNCONFIRMED,
                                    juicebus_publisher_flush(handle_.value, timeout.count()));
    }
    /// The same for the first `events` that were accepted, as stats() counts them: for
    /// waiting in slices while others publish.
    bool flush_first(std::uint64_t events, milliseconds timeout) {
        return detail::check_unless(
            JUICEBUS_UNCONFIRMED,
            juicebus_publisher_flush_first(handle_.value, events, timeout.count()));
    }
    /// Readable when it is worth trying again. Yours to close(2).
    int fd() const {
        int fd = -1;
        detail::check(juicebus_publisher_fd(handle_.value, &fd));
        return fd;
    }
    /// The counts since it was opened. Does not block.
    publisher_stats stats() const {
        publisher_stats stats{};
        stats.struct_size = sizeof stats;
        detail::check(juicebus_publisher_stats(handle_.value, &stats));
        return stats;
    }
    /// The oldest unread notice, if any. Does not block.
    std::optional<notice> next_notice() { return detail::next_notice(handle_.value); }
    /// Readable while a notice waits, and for good once closed. Yours to close(2).
    int notice_fd() const { return detail::notice_fd(handle_.value); }
    /// Closes. False: not known to be all handed over; the library goes on for up to 1 s
    /// from the call. `left`, if not null, is how many events are left, at most.
    bool close(milliseconds timeout = milliseconds(1000), std::uint64_t *left = nullptr) {
        std::uint64_t events = 0;
        const bool done = detail::check_unless(
            JUICEBUS_TIMEOUT,
            juicebus_publisher_close_counted(handle_.value, timeout.count(), &events));
        if (left)
            *left = events;
        return done;
    }
    /// For the C functions; stays owned.
    juicebus_publisher_t handle() const noexcept { return handle_.value; }

  private:
    detail::handle<detail::close_publisher> handle_;
};

/// Receives events. Any thread may use it, and many at once; moving is not among that.
/// Move-only. Closing, or the destructor, ends what other threads wait for.
class subscriber {
  public:
    /// Opens; does not block, needs no proxy yet. Throws error: E_URI, E_INVALID, E_SYSTEM.
    explicit subscriber(const std::string &uri,
                        const subscriber_options &options = subscriber_options()) {
        detail::check(juicebus_subscriber_open(detail::text(uri), &options, &handle_.value));
    }
    /// Subscribes to a name, and to one topic if it is not empty. Does not block.
    /// Throws closed_error, or error: E_INVALID, E_AMBIGUOUS.
    void subscribe(const std::string &name, const std::string &topic = {}) {
        detail::check(
            juicebus_subscriber_subscribe(handle_.value, detail::text(name), detail::text(topic)));
    }
    /// Ends one subscription. Does not block. Throws as subscribe.
    void unsubscribe(const std::string &name, const std::string &topic = {}) {
        detail::check(juicebus_subscriber_unsubscribe(handle_.value, detail::text(name),
                                                      detail::text(topic)));
    }
    /// Waits until the proxy has confirmed that all subscriptions are live. False: it is a
    /// legacy proxy, which cannot.
    /// Throws timeout_error, closed_error.
    bool ready(milliseconds timeout = milliseconds(5000)) {
        return detail::check_unless(JUICEBUS_UNCONFIRMED,
                                    juicebus_subscriber_ready(handle_.value, timeout.count()));
    }
    /// Takes the next event; blocks up to `timeout`. Empty: the time was up.
    /// Throws closed_error.
    std::optional<event> get(milliseconds timeout) {
        juicebus_event raw;
        if (!detail::check_unless(JUICEBUS_TIMEOUT,
                                  juicebus_subscriber_get(handle_.value, timeout.count(), &raw)))
            return std::nullopt;
        return event(raw);
    }
    /// Waits for the first event, then takes what is there, up to `max`. Empty: the time
    /// was up. Throws closed_error, or error: E_INVALID.
    batch get_many(std::size_t max, milliseconds timeout) {
        juicebus_batch raw;
        if (!detail::check_unless(JUICEBUS_TIMEOUT, juicebus_subscriber_get_many(
                                                        handle_.value, max, timeout.count(), &raw)))
            return batch();
        return batch(raw);
    }
    /// Readable while an event waits. Yours to close(2).
    int fd() const {
        int fd = -1;
        detail::check(juicebus_subscriber_fd(handle_.value, &fd));
        return fd;
    }
    /// The counts since it was opened. Does not block.
    subscriber_stats stats() const {
        subscriber_stats stats{};
        stats.struct_size = sizeof stats;
        detail::check(juicebus_subscriber_stats(handle_.value, &stats));
        return stats;
    }
    /// The oldest unread notice, if any. Does not block.
    std::optional<notice> next_notice() { return detail::next_notice(handle_.value); }
    /// Readable while a notice waits, and for good once closed. Yours to close(2).
    int notice_fd() const { return detail::notice_fd(handle_.value); }
    /// Closes: threads that wait get closed_error at once. Does not block.
    void close() { detail::check(juicebus_subscriber_close(handle_.value)); }
    /// For the C functions; stays owned.
    juicebus_subscriber_t handle() const noexcept { return handle_.value; }

  private:
    detail::handle<juicebus_subscriber_close> handle_;
};

/// The keys that a proxy forwarded, with their counts; it owns their memory. Move-only.
class key_batch {
  public:
    key_batch() noexcept : raw_{} {}
    /// Takes over what juicebus_proxy_keys gave.
    explicit key_batch(const juicebus_key_batch &raw) noexcept : raw_(raw) {}
    key_batch(key_batch &&other) noexcept : raw_(std::exchange(other.raw_, juicebus_key_batch{})) {}
    key_batch &operator=(key_batch &&other) noexcept {
        std::swap(raw_, other.raw_);
        return *this;
    }
    ~key_batch() { juicebus_key_batch_free(&raw_); }
    std::size_t size() const noexcept { return raw_.count; }
    bool empty() const noexcept { return raw_.count == 0; }
    const juicebus_key_count *begin() const noexcept { return raw_.keys; }
    const juicebus_key_count *end() const noexcept { return raw_.keys + raw_.count; }

  private:
    juicebus_key_batch raw_;
};

/// A proxy inside this process. Any thread may use it; moving is not among that.
/// Move-only. The destructor stops it.
class proxy {
  public:
    /// Listens at both addresses, port 0 for any. Throws error: E_URI, E_INVALID, E_SYSTEM.
    proxy(const std::string &pub_uri, const std::string &sub_uri,
          const proxy_options &options = proxy_options()) {
        detail::check(juicebus_proxy_open(detail::text(pub_uri), detail::text(sub_uri), &options,
                                          &handle_.value));
    }
    /// Where publishers connect, with the real port.
    std::string pub_uri() const { return uris().first; }
    /// Where subscribers connect, with the real port.
    std::string sub_uri() const { return uris().second; }
    /// The keys forwarded since the last call; may be empty. Does not block.
    key_batch keys() {
        juicebus_key_batch raw;
        if (!detail::check_unless(JUICEBUS_TIMEOUT, juicebus_proxy_keys(handle_.value, &raw)))
            return key_batch();
        return key_batch(raw);
    }
    /// Readable while keys() has something. Yours to close(2).
    int fd() const {
        int fd = -1;
        detail::check(juicebus_proxy_fd(handle_.value, &fd));
        return fd;
    }
    /// The counts since it was opened. Does not block.
    proxy_stats stats() const {
        proxy_stats stats{};
        stats.struct_size = sizeof stats;
        detail::check(juicebus_proxy_stats(handle_.value, &stats));
        return stats;
    }
    /// Stops forwarding and frees the addresses.
    void close() { detail::check(juicebus_proxy_close(handle_.value)); }
    /// For the C functions; stays owned.
    juicebus_proxy_t handle() const noexcept { return handle_.value; }

  private:
    std::pair<std::string, std::string> uris() const {
        char pub[512], sub[512];
        detail::check(juicebus_proxy_uris(handle_.value, pub, sizeof pub, sub, sizeof sub));
        return {pub, sub};
    }
    detail::handle<juicebus_proxy_close> handle_;
};

/// Throws error (E_PAYLOAD, with the reason) unless publish would take the payload.
inline void payload_check(bytes_view payload) {
    detail::check(juicebus_payload_check(payload.data(), payload.size()));
}

/// Waits until every closed publisher has handed over or given up. False: the time was
/// up. `given_up`, if not null, is how many events were given up that no close told of.
inline bool wait_closed(milliseconds timeout, std::uint64_t *given_up = nullptr) {
    return detail::check_unless(JUICEBUS_TIMEOUT, juicebus_wait_closed(timeout.count(), given_up));
}

} // namespace juicebus

#endif
