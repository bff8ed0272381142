# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Peers that want more than their share: subscriptions, connections, file descriptors."""

from __future__ import annotations

import itertools
import os
import random
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

import juicebus
from addresses import free_uri, host_and_port
from events import Probe
from hostile import MORE, HostilePeer, command, frame, subscription
from hostile_bystander import SERVED_WITHIN_S, Bystanders, seconds_until_served
from probing import DEADLINE_S, until
from procfs import descriptors
from proxy_process import JUICEBUS_PROXY, ProxyProcess
from sides import taken

pytestmark = pytest.mark.fault(10)

SUBSCRIPTIONS = 1_000_000
CONNECTIONS = 1_000
DESCRIPTORS = 64
MIB = 1 << 20
LOAD_MAX = 0.5
# What the proxy is watched for under a load that does not end.
WATCHED_S = 3.0

# Filters, and by how much the proxy may grow until it cuts off who sends them: those of
# a fleet, the longest, and those that branch at each byte, where libzmq keeps a table
# for 256 children at each branch. Of the longest, a subscriber may have 1.6 MB and have them
# on its way again, for which libzmq takes 64 times as much; then the proxy has to notice.
FILTERS: dict[str, tuple[Callable[[int], bytes], int]] = {
    "usual": (lambda n: b"Name%07d.x." % n, 64 * MIB),
    "longest": (lambda n: b"%07d" % n + bytes(1000), 384 * MIB),
    "branching": (lambda n: bytes(255 * (n >> bit & 1) for bit in range(20)), 160 * MIB),
}


def shuffled(filters: Callable[[int], bytes], count: int) -> Iterator[bytes]:
    numbers = list(range(count))
    random.Random(1).shuffle(numbers)
    return (subscription(filters(number)) for number in numbers)


@pytest.mark.parametrize("kind", FILTERS)
def test_subscriber_with_too_many_subscriptions_is_cut_off(
    proxy: ProxyProcess, kind: str, record_property: Callable[[str, object], None]
) -> None:
    filters, growth_max = FILTERS[kind]
    count = SUBSCRIPTIONS if kind == "usual" else SUBSCRIPTIONS // 10
    flood = b"".join(shuffled(filters, count))
    with Bystanders(proxy) as bystanders, HostilePeer(proxy.sub_uri) as hostile:
        hostile.shake_hands(b"SUB")
        hostile.send_until_cut_off(flood, DEADLINE_S)
        served_s = bystanders.assert_served()
        growth = bystanders.growth_bytes()
    assert growth <= growth_max
    record_property(
        "figure",
        f"{count:,} {kind} subscriptions: cut off, growth {growth // MIB} MiB, "
        f"good client {served_s:.2f} s",
    )


# What a peer says in one piece, with heartbeats in it, before it breaks its connection off:
# far more than a libzmq socket with a bound takes in at once. Such a socket ends its process
# when it reads on (libzmq#4364).
HEARTBEAT = command(b"PING", bytes(2))
FLOODS: dict[str, tuple[Callable[[ProxyProcess], str], bytes, bytes]] = {
    "publishers": (
        lambda proxy: proxy.pub_uri,
        b"XPUB",
        (frame(b"Flood.", MORE) + frame(b"\xa0")) * 700 + HEARTBEAT,
    ),
    "subscribers": (
        lambda proxy: proxy.sub_uri,
        b"SUB",
        b"".join(subscription(b"Flood%d." % n) for n in range(600)) + HEARTBEAT,
    ),
}
BREAKS = 50


@pytest.mark.parametrize("side", FLOODS)
def test_peers_that_break_off_behind_a_flood_with_heartbeats_harm_nobody(
    proxy: ProxyProcess, side: str, record_property: Callable[[str, object], None]
) -> None:
    uri, socket_type, flood = FLOODS[side]
    wait = random.Random(1)
    with Bystanders(proxy) as bystanders:
        for _ in range(BREAKS):
            with HostilePeer(uri(proxy)) as hostile:
                hostile.shake_hands(socket_type)
                hostile.send_what_goes(flood)
                # At once, and when the proxy is in the middle of it.
                select.select([], [], [], wait.random() * 0.004)
                hostile.reset()
        served_s = bystanders.assert_served()
    record_property(
        "figure",
        f"{BREAKS} {side} break off behind a flood with heartbeats: good client {served_s:.2f} s",
    )


def test_proxy_that_slept_while_its_subscribers_subscribed_and_left_is_back(
    proxy: ProxyProcess, record_property: Callable[[str, object], None]
) -> None:
    # Their own heartbeats lie among their subscriptions, and end the connections meanwhile.
    with Bystanders(proxy) as bystanders, ExitStack() as stack:
        subscribers = [
            stack.enter_context(juicebus.SubscriberBlocking[Any](proxy.sub_uri, heartbeat=0.2))
            for _ in range(10)
        ]
        for subscriber in subscribers:
            subscriber.subscribe(Probe)
            assert subscriber.ready(DEADLINE_S)
        topics = itertools.count()

        def subscribe_once_more() -> None:
            topic = f"t{next(topics)}"
            for subscriber in subscribers:
                subscriber.subscribe(Probe, topic=topic)
            select.select([], [], [], 0.01)

        os.kill(proxy.pid, signal.SIGSTOP)
        stack.callback(os.kill, proxy.pid, signal.SIGCONT)  # also when this fails
        until(lambda: not any(each.stats().connected for each in subscribers), subscribe_once_more)
        os.kill(proxy.pid, signal.SIGCONT)
        served_s = bystanders.assert_served()
        assert all(subscriber.ready(DEADLINE_S) for subscriber in subscribers)
    record_property(
        "figure",
        f"proxy asleep while {len(subscribers)} subscribers subscribe and leave: good client "
        f"{served_s:.2f} s",
    )


@contextmanager
def silent_connections(uri: str, count: int) -> Iterator[list[socket.socket]]:
    """Yield connections that have been begun and never say anything."""
    with ExitStack() as stack:
        silent = []
        for _ in range(count):
            connection = stack.enter_context(socket.socket())
            connection.setblocking(False)
            connection.connect_ex(host_and_port(uri))
            silent.append(connection)
        yield silent


def cut_off(connections: list[socket.socket]) -> int:
    """Return how many of them the other side has ended."""
    poll = select.poll()
    for connection in connections:
        poll.register(connection, select.POLLRDHUP)
    return sum(1 for _, events in poll.poll(0) if events & (select.POLLRDHUP | select.POLLHUP))


def watch(proxy: ProxyProcess, end: float) -> float:
    """Serve good clients until then; return how long the slowest had to wait."""
    slowest_s = seconds_until_served(proxy)
    while time.monotonic() < end:
        slowest_s = max(slowest_s, seconds_until_served(proxy))
    return slowest_s


@pytest.mark.parametrize("side", ["publishers", "subscribers"])
def test_connections_without_handshake_are_cut_off_when_they_are_too_many(
    proxy: ProxyProcess, side: str, record_property: Callable[[str, object], None]
) -> None:
    uri = proxy.pub_uri if side == "publishers" else proxy.sub_uri
    with Bystanders(proxy) as bystanders, silent_connections(uri, CONNECTIONS) as silent:
        slowest_s = watch(proxy, time.monotonic() + WATCHED_S)
        held = CONNECTIONS - cut_off(silent)
        load, growth = bystanders.load(), bystanders.growth_bytes()
        bystanders.assert_still_there()
    assert held <= 128
    assert slowest_s <= SERVED_WITHIN_S
    assert load < LOAD_MAX
    assert growth <= 16 * MIB
    record_property(
        "figure",
        f"{CONNECTIONS:,} silent connections of {side}: {held} kept, growth "
        f"{growth // MIB} MiB, CPU {load:.0%}, good client {slowest_s:.2f} s",
    )


def proxy_with_few_descriptors() -> ProxyProcess:
    pub, sub = free_uri(), free_uri()
    command = ["prlimit", f"--nofile={DESCRIPTORS}", str(JUICEBUS_PROXY)]
    command += ["--pub", pub, "--sub", sub, "--hold", "0"]
    return ProxyProcess(command, pub, sub, JUICEBUS_PROXY.parent)


@pytest.mark.parametrize("side", ["publishers", "subscribers"])
def test_with_64_descriptors_good_clients_keep_theirs_and_new_ones_get_some(
    side: str, record_property: Callable[[str, object], None]
) -> None:
    with proxy_with_few_descriptors() as proxy:
        uri = proxy.pub_uri if side == "publishers" else proxy.sub_uri
        with Bystanders(proxy) as bystanders, silent_connections(uri, CONNECTIONS) as silent:
            slowest_s = watch(proxy, time.monotonic() + WATCHED_S)
            held = CONNECTIONS - cut_off(silent)
            load, most = bystanders.load(), descriptors(proxy.pid)
            bystanders.assert_still_there()
    assert held < DESCRIPTORS
    assert slowest_s <= SERVED_WITHIN_S
    assert load < LOAD_MAX
    record_property(
        "figure",
        f"{DESCRIPTORS} descriptors, {CONNECTIONS:,} silent connections of {side}: {most} "
        f"used, CPU {load:.0%}, good client {slowest_s:.2f} s",
    )


def test_with_64_descriptors_peers_that_are_there_are_not_dropped_for_new_ones(
    record_property: Callable[[str, object], None],
) -> None:
    with proxy_with_few_descriptors() as proxy, ExitStack() as stack:
        with Bystanders(proxy) as bystanders:
            # Each makes its handshake: they are peers, until there is no room for more.
            there, refused = 0, 0
            for _ in range(DESCRIPTORS):
                peer = stack.enter_context(HostilePeer(proxy.sub_uri))
                try:
                    peer.shake_hands(b"SUB")
                    peer.wait_for_frame()
                    there += 1
                except ConnectionError:
                    refused += 1
            used = descriptors(proxy.pid)
            # Somebody good tries again and again, as there is no room.
            late = stack.enter_context(juicebus.SubscriberBlocking[Any](proxy.sub_uri))
            end = time.monotonic() + WATCHED_S
            while time.monotonic() < end:
                bystanders.assert_still_there()
                assert taken(late, 0.05) == []
            load = bystanders.load()
        assert refused > 0
        assert DESCRIPTORS - 20 <= used < DESCRIPTORS
        assert load < LOAD_MAX
        stack.close()
        served_s = seconds_until_served(proxy)
    assert served_s <= SERVED_WITHIN_S
    record_property(
        "figure",
        f"{DESCRIPTORS} descriptors: {there} subscribers there, {refused} more refused, CPU "
        f"{load:.0%}, good client {served_s:.2f} s when they left",
    )
