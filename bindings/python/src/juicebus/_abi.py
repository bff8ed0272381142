# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The C interface as ctypes sees it, in the order of juicebus.h, and nothing else.

Pointers to bytes that we pass in are declared c_char_p, whatever the header calls them:
ctypes then takes a bytes object as it is and keeps it alive. What the library gives us
is read through memoryviews, see _batch.py. next: _library.py
"""

from __future__ import annotations

import ctypes
from ctypes import c_char, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint64, c_void_p
from typing import Any

ABI_VERSION = 1

FORMAT_OTHER = 0
FORMAT_CBOR = 1
FORMAT_JSON = 2
FORMAT_MSGPACK = 3

PACKED_UNCHECKED = 0x80000000

OVERFLOW_BLOCK = 0
OVERFLOW_DROP_OLDEST = 1
OVERFLOW_DROP_NEWEST = 2


class Frame(ctypes.Structure):
    """juicebus_frame: a run of bytes."""

    _fields_ = [("data", c_char_p), ("size", c_size_t)]


class Event(ctypes.Structure):
    """juicebus_event: one event, received or to be published."""

    _fields_ = [
        ("name", c_char_p),
        ("topic", c_char_p),
        ("payload", c_char_p),
        ("payload_size", c_size_t),
        ("frames", ctypes.POINTER(Frame)),
        ("frame_count", c_size_t),
        ("name_size", c_size_t),
        ("topic_size", c_size_t),
        ("size", c_size_t),
        ("format", c_int32),
        ("unchecked", c_int32),
        ("owner", c_void_p),
    ]


class Batch(ctypes.Structure):
    """juicebus_batch: events received, in one block of memory."""

    _fields_ = [
        ("events", c_void_p),
        ("count", c_size_t),
        ("data", c_void_p),
        ("data_size", c_size_t),
        ("slow", c_uint64),
    ]


class PublisherOptions(ctypes.Structure):
    """juicebus_publisher_options."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("max_events", c_int64),
        ("max_event_bytes", c_int64),
        ("bind", c_int32),
        ("check_payload", c_int32),
        ("max_bytes", c_int64),
        ("overflow", c_int32),
        ("heartbeat_ms", c_int32),
        ("msgpack", c_int32),
        ("reserved", c_int32),
    ]


class PublisherStats(ctypes.Structure):
    """struct juicebus_publisher_stats."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("events", c_uint64),
        ("bytes", c_uint64),
        ("dropped", c_uint64),
        ("reconnects", c_uint64),
        ("connected", c_int32),
        ("reserved", c_int32),
        ("pending_events", c_uint64),
        ("pending_bytes", c_uint64),
        ("unconfirmed", c_uint64),
        ("connected_since_unix_ns", c_int64),
    ]


class SubscriberOptions(ctypes.Structure):
    """juicebus_subscriber_options."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("max_events", c_int64),
        ("max_event_bytes", c_int64),
        ("max_bytes", c_int64),
        ("overflow", c_int32),
        ("heartbeat_ms", c_int32),
        ("msgpack", c_int32),
        ("reserved", c_int32),
    ]


class SubscriberStats(ctypes.Structure):
    """struct juicebus_subscriber_stats."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("events", c_uint64),
        ("bytes", c_uint64),
        ("dropped", c_uint64),
        ("skipped", c_uint64),
        ("lost", c_int64),
        ("reconnects", c_uint64),
        ("connected", c_int32),
        ("reserved", c_int32),
        ("pending_events", c_uint64),
        ("pending_bytes", c_uint64),
        ("slow", c_uint64),
        ("connected_since_unix_ns", c_int64),
    ]


class Notice(ctypes.Structure):
    """juicebus_notice: something that happened to a connection."""

    _fields_ = [
        ("kind", c_int32),
        ("reserved", c_int32),
        ("time_unix_ns", c_int64),
        ("text", c_char * 256),
    ]


class ProxyOptions(ctypes.Structure):
    """juicebus_proxy_options."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("hold_ms", c_int64),
        ("max_event_bytes", c_int64),
        ("max_keys", c_int64),
        ("max_bytes", c_int64),
        ("max_subscriptions", c_int64),
    ]


class KeyCount(ctypes.Structure):
    """juicebus_key_count: what one key has had through the proxy."""

    _fields_ = [
        ("key", c_void_p),
        ("key_size", c_size_t),
        ("events", c_uint64),
        ("bytes", c_uint64),
        ("last_seen_unix_ns", c_int64),
    ]


class KeyBatch(ctypes.Structure):
    """juicebus_key_batch: keys and their counts."""

    _fields_ = [("keys", ctypes.POINTER(KeyCount)), ("count", c_size_t)]


class ProxyStats(ctypes.Structure):
    """struct juicebus_proxy_stats."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("events", c_uint64),
        ("bytes", c_uint64),
        ("refused", c_uint64),
        ("keys", c_uint64),
        ("cut_off", c_uint64),
    ]


_P: Any = ctypes.POINTER

# The argument types of every function that the library exports.
FUNCTIONS: dict[str, list[Any]] = {
    "juicebus_version": [],
    "juicebus_abi_version": [],
    "juicebus_status_text": [c_int],
    "juicebus_last_error": [],
    "juicebus_payload_check": [c_char_p, c_size_t],
    "juicebus_publisher_options_init": [_P(PublisherOptions), c_size_t],
    "juicebus_publisher_open": [c_char_p, _P(PublisherOptions), _P(c_uint64)],
    "juicebus_publisher_publish": [c_uint64, c_char_p, c_char_p, c_char_p, c_size_t, c_int64],
    "juicebus_publisher_publish_many": [c_uint64, _P(Event), c_size_t, c_int64, _P(c_size_t)],
    "juicebus_publisher_publish_packed": [c_uint64, c_char_p, c_size_t, c_int64, _P(c_size_t)],
    "juicebus_publisher_send_frames": [c_uint64, _P(Frame), c_size_t, c_int64],
    "juicebus_publisher_send_packed": [c_uint64, c_char_p, c_size_t, c_int64],
    "juicebus_publisher_wait_connected": [c_uint64, c_int64],
    "juicebus_publisher_flush": [c_uint64, c_int64],
    "juicebus_publisher_flush_first": [c_uint64, c_uint64, c_int64],
    "juicebus_publisher_fd": [c_uint64, _P(c_int)],
    "juicebus_publisher_stats": [c_uint64, _P(PublisherStats)],
    "juicebus_publisher_close": [c_uint64, c_int64],
    "juicebus_publisher_close_counted": [c_uint64, c_int64, _P(c_uint64)],
    "juicebus_wait_closed": [c_int64, _P(c_uint64)],
    "juicebus_subscriber_options_init": [_P(SubscriberOptions), c_size_t],
    "juicebus_subscriber_open": [c_char_p, _P(SubscriberOptions), _P(c_uint64)],
    "juicebus_subscriber_subscribe": [c_uint64, c_char_p, c_char_p],
    "juicebus_subscriber_unsubscribe": [c_uint64, c_char_p, c_char_p],
    "juicebus_subscriber_ready": [c_uint64, c_int64],
    "juicebus_subscriber_get": [c_uint64, c_int64, _P(Event)],
    "juicebus_event_free": [_P(Event)],
    "juicebus_subscriber_get_many": [c_uint64, c_size_t, c_int64, _P(Batch)],
    "juicebus_batch_free": [_P(Batch)],
    "juicebus_subscriber_fd": [c_uint64, _P(c_int)],
    "juicebus_subscriber_stats": [c_uint64, _P(SubscriberStats)],
    "juicebus_subscriber_close": [c_uint64],
    "juicebus_next_notice": [c_uint64, _P(Notice)],
    "juicebus_next_notice_fd": [c_uint64, _P(c_int)],
    "juicebus_proxy_options_init": [_P(ProxyOptions), c_size_t],
    "juicebus_proxy_open": [c_char_p, c_char_p, _P(ProxyOptions), _P(c_uint64)],
    "juicebus_proxy_uris": [c_uint64, c_char_p, c_size_t, c_char_p, c_size_t],
    "juicebus_proxy_keys": [c_uint64, _P(KeyBatch)],
    "juicebus_key_batch_free": [_P(KeyBatch)],
    "juicebus_proxy_fd": [c_uint64, _P(c_int)],
    "juicebus_proxy_stats": [c_uint64, _P(ProxyStats)],
    "juicebus_proxy_close": [c_uint64],
}

# What they return, where it is no status (an int).
RESULTS: dict[str, Any] = {
    "juicebus_version": c_char_p,
    "juicebus_status_text": c_char_p,
    "juicebus_last_error": c_char_p,
}
