# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Frames over the size limit, and messages of many frames that never end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import juicebus
from events import Probe
from hostile import MORE, HostilePeer, HostileProxy, frame, head
from hostile_bystander import Bystanders
from probing import DEADLINE_S, until, until_received
from procfs import peak_resident_bytes, resident_bytes
from proxy_process import ProxyProcess

pytestmark = pytest.mark.fault(6)

MIB = 1 << 20
LIMIT_BYTES = 64 * MIB

SIDES: dict[str, tuple[Callable[[ProxyProcess], str], bytes]] = {
    "publishers": (lambda proxy: proxy.pub_uri, b"XPUB"),
    "subscribers": (lambda proxy: proxy.sub_uri, b"XSUB"),
}
# Frames that another one always follows. libzmq needs 64 bytes for an empty one, of two
# on the wire.
ENDLESS = {
    "1 MiB frames": frame(bytes(MIB), MORE),
    "100-byte frames": frame(bytes(100), MORE) * 1_000,
    "empty frames": frame(b"", MORE) * 100_000,
}


@pytest.mark.parametrize("size", [LIMIT_BYTES + 1, 1 << 62], ids=["limit and 1", "2^62"])
@pytest.mark.parametrize("side", SIDES)
def test_frame_over_the_limit_costs_the_peer_its_connection_and_the_proxy_nothing(
    proxy: ProxyProcess, side: str, size: int, record_property: Callable[[str, object], None]
) -> None:
    uri, socket_type = SIDES[side]
    with Bystanders(proxy) as bystanders, HostilePeer(uri(proxy)) as hostile:
        hostile.shake_hands(socket_type)
        hostile.socket.sendall(head(size))
        hostile.wait_until_cut_off(DEADLINE_S)
        bystanders.assert_served()
        growth = bystanders.growth_bytes()
    assert growth <= 8 * MIB
    record_property(
        "figure", f"frame of {size:,} bytes to {side}: cut off, growth {growth / MIB:.1f} MiB"
    )


@pytest.mark.parametrize("frames", ENDLESS)
@pytest.mark.parametrize("side", SIDES)
def test_peer_whose_message_does_not_end_is_cut_off_before_it_takes_the_memory(
    proxy: ProxyProcess, side: str, frames: str, record_property: Callable[[str, object], None]
) -> None:
    uri, socket_type = SIDES[side]
    with Bystanders(proxy) as bystanders, HostilePeer(uri(proxy)) as hostile:
        hostile.shake_hands(socket_type)
        sent = hostile.send_until_cut_off(ENDLESS[frames], DEADLINE_S)
        served_s = bystanders.assert_served()
        growth = bystanders.growth_bytes()
    # A frame of 100 bytes takes libzmq more than twice that.
    assert growth <= (2 if "1 MiB" in frames or "empty" in frames else 3) * LIMIT_BYTES
    record_property(
        "figure",
        f"endless {frames} to {side}: cut off after {sent // MIB} MiB, growth "
        f"{growth // MIB} MiB, good client {served_s:.2f} s",
    )


@pytest.mark.parametrize("frames", ENDLESS)
def test_memory_of_peers_that_are_cut_off_is_free_for_the_next(
    proxy: ProxyProcess, frames: str
) -> None:
    # On a loaded machine each may take some more than its limit, but not all of them.
    attacks, growth_max = 6, 4 * LIMIT_BYTES
    with Bystanders(proxy) as bystanders:
        for _ in range(attacks):
            with HostilePeer(proxy.pub_uri) as hostile:
                hostile.shake_hands(b"XPUB")
                hostile.send_until_cut_off(ENDLESS[frames], DEADLINE_S)
        bystanders.assert_still_there()
        assert bystanders.growth_bytes() <= growth_max


@contextmanager
def own_growth(limit: int) -> Iterator[None]:
    """This process, where the client is, grows by no more than twice the limit.

    And by what arrives until a client first looks, which it does each 0.1 s: loopback
    carries 1 to 2 GB/s, or millions of tiny frames, each 64 bytes in libzmq. Those are
    known by the process's memory, which a host uses too; so the client is slow to judge.
    """
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak
    before = resident_bytes(os.getpid())
    yield
    assert peak_resident_bytes(os.getpid()) - before <= 2 * limit + 600_000_000


def hostile_answers() -> dict[str, bytes]:
    return {"frame over the limit": head(1 << 62), **ENDLESS}


@pytest.mark.parametrize("answer", hostile_answers())
def test_subscriber_of_a_hostile_proxy_is_back_when_a_good_one_is_there(answer: str) -> None:
    good = ProxyProcess.juicebus("--hold", "0")
    with HostileProxy(good.sub_uri, b"XPUB") as hostile, own_growth(LIMIT_BYTES):
        subscriber = juicebus.SubscriberBlocking[Any](good.sub_uri)
        subscriber.subscribe(Probe)
        hostile.send_until_cut_off(hostile_answers()[answer], DEADLINE_S)
    with good, juicebus.PublisherBlocking(good.pub_uri) as publisher, subscriber:
        until_received(publisher, subscriber, Probe())


@pytest.mark.parametrize("answer", hostile_answers())
def test_publisher_of_a_hostile_proxy_is_back_when_a_good_one_is_there(answer: str) -> None:
    good = ProxyProcess.juicebus("--hold", "0")
    with HostileProxy(good.pub_uri, b"XSUB") as hostile, own_growth(LIMIT_BYTES):
        publisher = juicebus.PublisherBlocking(good.pub_uri)
        hostile.send_until_cut_off(hostile_answers()[answer], DEADLINE_S)
    with good, juicebus.SubscriberBlocking[Any](good.sub_uri) as subscriber, publisher:
        subscriber.subscribe(Probe)
        until_received(publisher, subscriber, Probe())


def test_client_takes_events_between_the_attacks_of_a_hostile_proxy() -> None:
    good = ProxyProcess.juicebus("--hold", "0")
    with HostileProxy(good.sub_uri, b"XPUB") as hostile:
        with juicebus.SubscriberBlocking[Any](good.sub_uri) as subscriber:
            subscriber.subscribe(Probe)
            event = frame(b"Probe.", MORE) + frame(Probe().to_msg()[0])
            came: list[Any] = []

            def attempt() -> None:
                hostile.send_once_to_a_new_client(event + head(1 << 62))
                came.append(subscriber.get(DEADLINE_S))

            until(lambda: len(came) >= 3, attempt)
