# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Peers whose ZMTP is malformed, a whole corpus of them at once (hostile_corpus.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from hostile import HostilePeer, greeting
from hostile_bystander import Bystanders
from hostile_corpus import BROKEN_FRAMES, GREETINGS, HANDSHAKES, ODD_FRAMES, ODD_HANDSHAKES
from proxy_process import ProxyProcess

pytestmark = pytest.mark.fault(7)

# How long a peer may take for its handshake, and some time to close on a loaded machine.
CUT_OFF_WITHIN_S = 5.0 + 5.0

Peers = dict[str, HostilePeer]


@contextmanager
def at_once(
    sides: dict[str, dict[str, bytes]], begin: Callable[[HostilePeer, str], None]
) -> Iterator[Peers]:
    """Yield a peer for each item of the corpora of the sides' URIs; each has said its item."""
    with ExitStack() as stack:
        peers: Peers = {}
        for uri, corpus in sides.items():
            for name, data in corpus.items():
                peer = stack.enter_context(HostilePeer(uri))
                begin(peer, uri)
                peer.send_what_goes(data)
                peers[f"{name} to {uri}"] = peer
        yield peers


def still_there(peers: Peers, timeout: float) -> list[str]:
    """Return who is not cut off in time."""
    there = []
    for name, peer in peers.items():
        try:
            peer.wait_until_cut_off(timeout)
        except TimeoutError:
            there.append(name)
    return there


@pytest.mark.parametrize("swapped", [False, True], ids=["greetings first", "handshakes first"])
def test_peer_that_makes_no_handshake_is_cut_off_and_good_ones_are_served(
    proxy: ProxyProcess, swapped: bool, record_property: Callable[[str, object], None]
) -> None:
    corpora = [GREETINGS, {name: greeting() + said for name, said in HANDSHAKES.items()}]
    if swapped:
        corpora.reverse()
    sides = dict(zip((proxy.pub_uri, proxy.sub_uri), corpora, strict=True))
    with Bystanders(proxy) as bystanders, at_once(sides, lambda peer, uri: None) as peers:
        served_s = bystanders.assert_served()
        assert still_there(peers, CUT_OFF_WITHIN_S) == []
        served_s = max(served_s, bystanders.assert_served())
        count = len(peers)
    record_property(
        "figure", f"{count} bad greetings and handshakes: cut off, good client {served_s:.2f} s"
    )


def shake_hands(proxy: ProxyProcess) -> Callable[[HostilePeer, str], None]:
    types = {proxy.pub_uri: b"XPUB", proxy.sub_uri: b"SUB"}
    return lambda peer, uri: peer.shake_hands(types[uri])


def test_peer_that_breaks_the_protocol_after_its_handshake_is_cut_off(
    proxy: ProxyProcess, record_property: Callable[[str, object], None]
) -> None:
    sides = dict.fromkeys((proxy.pub_uri, proxy.sub_uri), BROKEN_FRAMES)
    with Bystanders(proxy) as bystanders, at_once(sides, shake_hands(proxy)) as peers:
        assert still_there(peers, CUT_OFF_WITHIN_S) == []
        served_s = bystanders.assert_served()
        count = len(peers)
    record_property("figure", f"{count} broken frames: cut off, good client {served_s:.2f} s")


def test_what_is_only_odd_harms_nobody(
    proxy: ProxyProcess, record_property: Callable[[str, object], None]
) -> None:
    uris = (proxy.pub_uri, proxy.sub_uri)
    shakes = {name: greeting() + said for name, said in ODD_HANDSHAKES.items()}
    with (
        Bystanders(proxy) as bystanders,
        at_once(dict.fromkeys(uris, shakes), lambda peer, uri: None) as odd,
        at_once(dict.fromkeys(uris, ODD_FRAMES), shake_hands(proxy)) as peers,
    ):
        served_s = bystanders.assert_served()
        count = len(odd) + len(peers)
    record_property("figure", f"{count} odd ones: harmless, good client {served_s:.2f} s")
