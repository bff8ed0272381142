# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# What install() replaces and what it leaves, and that uninstall() undoes it.
from __future__ import annotations

import asyncio
import sys
import weakref
from collections.abc import Iterator
from contextlib import closing
from types import ModuleType

import pytest
from orangeqs.juice.client import pubsub
from orangeqs.juice.messaging import protocol, zmq
from orangeqs.juice.messaging.zmq import _proxy, _pubsub
from orangeqs.juice.task_manager import _service

import juicebus
from fleet import ORIGINAL, Ping
from juicebus import juice

COUNTERPARTS = {
    "ZMQSubscriberAsync": juicebus.SubscriberAsync,
    "ZMQSubscriberBlocking": juicebus.SubscriberBlocking,
    "ZMQPublisherAsync": juicebus.PublisherAsync,
    "ZMQPublisherBlocking": juicebus.PublisherBlocking,
    "ZMQSubscriber": juicebus.SubscriberAsync,
    "ZMQPublisher": juicebus.PublisherAsync,
    "ZMQProxy": juicebus.Proxy,
}
# Nobody listens there; no test here sends anything.
URI = "tcp://127.0.0.1:9"


@pytest.fixture
def late_module(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """A module that imports Juice's classes when the test asks for it."""
    module = ModuleType("late_module")
    sys.modules["late_module"] = module
    yield module
    del sys.modules["late_module"]


def import_late(module: ModuleType) -> None:
    exec("from orangeqs.juice.messaging.zmq import ZMQPublisherAsync as Late", vars(module))


@pytest.mark.parametrize("name", COUNTERPARTS)
def test_class_of_that_name_is_ours(installed: None, name: str) -> None:
    assert issubclass(getattr(zmq, name), COUNTERPARTS[name])
    assert getattr(zmq, name) is not COUNTERPARTS[name]
    assert getattr(zmq, name) is getattr(_proxy if name == "ZMQProxy" else _pubsub, name)


@pytest.mark.parametrize("name", COUNTERPARTS)
def test_uninstall_puts_juices_class_back(name: str) -> None:
    juice.install()
    juice.uninstall()
    assert getattr(zmq, name) is ORIGINAL[name]
    assert getattr(_proxy if name == "ZMQProxy" else _pubsub, name) is ORIGINAL[name]


def test_modules_imported_before_have_ours(installed: None) -> None:
    assert pubsub.ZMQPublisherAsync is zmq.ZMQPublisherAsync
    assert pubsub.ZMQSubscriberBlocking is zmq.ZMQSubscriberBlocking
    assert _service.ZMQProxy is zmq.ZMQProxy


def test_modules_imported_after_have_ours(installed: None, late_module: ModuleType) -> None:
    import_late(late_module)
    assert issubclass(late_module.Late, juicebus.PublisherAsync)


def test_uninstall_reaches_modules_imported_after_install(late_module: ModuleType) -> None:
    juice.install()
    import_late(late_module)
    juice.uninstall()
    assert late_module.Late is ORIGINAL["ZMQPublisherAsync"]
    assert pubsub.ZMQPublisherAsync is ORIGINAL["ZMQPublisherAsync"]


def test_second_install_changes_nothing(installed: None) -> None:
    before = {name: getattr(zmq, name) for name in COUNTERPARTS}
    juice.install()
    assert {name: getattr(zmq, name) for name in COUNTERPARTS} == before
    juice.uninstall()
    assert zmq.ZMQProxy is ORIGINAL["ZMQProxy"]


def test_uninstall_without_install_changes_nothing() -> None:
    juice.uninstall()
    assert {name: getattr(zmq, name) for name in COUNTERPARTS} == ORIGINAL


def test_class_derived_before_stays_juices() -> None:
    class Derived(zmq.ZMQPublisherBlocking):
        pass

    juice.install()
    try:
        assert issubclass(Derived, ORIGINAL["ZMQPublisherBlocking"])
        assert not issubclass(Derived, juicebus.PublisherBlocking)
    finally:
        juice.uninstall()


def test_juicebus_keeps_its_own_classes_after_uninstall() -> None:
    own = {name: getattr(juicebus, name) for name in juicebus.__all__}
    juice.install()
    juice.uninstall()
    assert {name: getattr(juicebus, name) for name in juicebus.__all__} == own


def test_what_remote_services_take_from_pubsub_stays_juices(installed: None) -> None:
    assert _pubsub._SubscriptionRegistry.__module__ == _pubsub.__name__
    assert _pubsub._name_and_topic_to_zmq_topic("a", "b") == b"a.b."


def test_async_subscriber_is_an_instance_of_juices_protocol(installed: None) -> None:
    with closing(zmq.ZMQSubscriberAsync(URI)) as subscriber:
        assert isinstance(subscriber, protocol.SubscriberAsync)


@pytest.mark.parametrize(
    "name", ["SubscriberAsync", "SubscriberBlocking", "PublisherAsync", "PublisherBlocking"]
)
def test_class_derives_from_juices_protocol_as_the_original_does(
    installed: None, name: str
) -> None:
    expected = getattr(protocol, name)
    assert expected in ORIGINAL[f"ZMQ{name}"].__mro__
    assert expected in getattr(zmq, f"ZMQ{name}").__mro__


def test_subscribers_take_an_event_type_in_brackets(installed: None) -> None:
    with closing(zmq.ZMQSubscriberAsync[Ping](URI)) as subscriber:
        assert isinstance(subscriber, juicebus.SubscriberAsync)
    with closing(zmq.ZMQSubscriberBlocking[Ping](URI)) as blocking:
        assert isinstance(blocking, juicebus.SubscriberBlocking)


def test_publishers_can_be_referenced_weakly(installed: None) -> None:
    with closing(zmq.ZMQPublisherAsync(URI)) as publisher:
        assert weakref.ref(publisher)() is publisher


def test_async_subscriber_takes_a_queue_and_says_it_is_deprecated(installed: None) -> None:
    async def queue_is_used() -> bool:
        queue: asyncio.Queue[Ping] = asyncio.Queue()
        with pytest.warns(DeprecationWarning):
            subscriber = zmq.ZMQSubscriberAsync(URI, queue=queue)
        with closing(subscriber), pytest.warns(DeprecationWarning):
            return subscriber.queue is queue

    assert asyncio.run(queue_is_used())


@pytest.mark.parametrize("name", ["ZMQSubscriber", "ZMQPublisher"])
def test_earlier_names_are_deprecated(installed: None, name: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"{name}Async"):
        getattr(zmq, name)(URI).close()


def test_unknown_codec_is_refused_and_nothing_replaced() -> None:
    with pytest.raises(ValueError, match="'xml'"):
        juice.install("xml")
    assert zmq.ZMQProxy is ORIGINAL["ZMQProxy"]
