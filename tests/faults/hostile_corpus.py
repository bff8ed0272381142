# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What a peer may say that is no ZMTP: before its handshake, in it, and after it.

The classes are those that libzmq's own fuzz targets begin with: greetings, commands of
a handshake, and frames, each too short, too long, of the wrong kind, or cut in two.
"""

from __future__ import annotations

import random

from hostile import COMMAND, MORE, command, frame, greeting, head, ready

SIGNATURE = b"\xff" + bytes(8) + b"\x7f"


def _property(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + len(value).to_bytes(4, "big") + value


def _noise(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


# In place of a greeting. Each is no handshake, whatever it is.
GREETINGS = {
    "first byte only": b"\xff",
    "half a signature": SIGNATURE[:5],
    "signature and no version": SIGNATURE,
    "version and no mechanism": SIGNATURE + b"\3\0",
    "all but the last byte": greeting()[:-1],
    "signature that does not end in 7F": b"\xff" + bytes(8) + b"\0" + greeting()[10:],
    "only FF": b"\xff" * 64,
    "only 7F": b"\x7f" * 64,
    "only zeros": bytes(64),
    "mechanism unknown": greeting(mechanism=b"OTHER"),
    "mechanism empty": greeting(mechanism=b""),
    "mechanism without an end": greeting(mechanism=b"N" * 20),
    "mechanism not text": greeting(mechanism=b"\xff" * 20),
    "mechanism that the proxy does not use": greeting(mechanism=b"PLAIN"),
    "CURVE": greeting(mechanism=b"CURVE") + command(b"HELLO", bytes(194)),
    "GSSAPI": greeting(mechanism=b"GSSAPI"),
    "HTTP": b"GET / HTTP/1.1\r\nHost: proxy\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + _noise(1, 500),
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "version 1, size 0": b"\0",
    "version 1, size 0 after a good frame": b"\1\0\0\0\0\0",
    "version 1, size of 8 bytes": b"\xff" + b"\x7f" * 8 + b"\0",
    "version 1, largest size": b"\xff" + b"\xff" * 8 + b"\0",
    "version 2, no type": SIGNATURE + b"\1",
    "version 2, type unknown": SIGNATURE + b"\1\x63" + b"\0\0",
    "version 2, identity of 2^62 bytes": SIGNATURE + b"\1\1" + head(1 << 62),
    **{f"noise {seed}": _noise(seed, 1000) for seed in range(20)},
    **{f"signature and noise {seed}": SIGNATURE + _noise(seed, 1000) for seed in range(20)},
}

# After a good greeting, in place of READY.
HANDSHAKES = {
    "nothing": b"",
    "READY of another type": ready(b"REQ"),
    "READY of a type that is not": ready(b"NONE"),
    "READY of an empty type": ready(b""),
    "READY of a type of 60 kB": ready(b"X" * 60_000),
    "READY in the other case": ready(b"xpub"),
    "READY twice": ready(b"XPUB") * 2,
    "READY and then ERROR": ready(b"XPUB") + command(b"ERROR", b"\0"),
    "half a READY": ready(b"XPUB")[:10],
    "name longer than the command": frame(b"\xffREADY", COMMAND),
    "name empty": frame(b"\0", COMMAND),
    "empty command": frame(b"", COMMAND),
    "property longer than the command": command(b"READY", b"\x0bSocket-Type\0\0\xff\xffXPUB"),
    "property of 2^32 bytes": command(b"READY", b"\x0bSocket-Type\xff\xff\xff\xffXPUB"),
    "property name longer than the command": command(b"READY", b"\xffSocket-Type"),
    "property cut after its name": command(b"READY", b"\x0bSocket-Type\0\0"),
    "command of 2^62 bytes": head(1 << 62, COMMAND),
    "INITIATE": command(b"INITIATE", bytes(200)),
    "HELLO of PLAIN": command(b"HELLO", b"\4user\4pass"),
    "WELCOME": command(b"WELCOME"),
    "ERROR": command(b"ERROR", b"\4nope"),
    "ERROR shorter than it says": command(b"ERROR", b"\xffno"),
    "ERROR empty": command(b"ERROR"),
    "unknown command": command(b"OTHER", b"x"),
    **{f"noise {seed}": _noise(seed, 1000) for seed in range(20)},
    **{f"command of noise {seed}": frame(_noise(seed, 100), COMMAND) for seed in range(20)},
}

# After a good greeting, what libzmq takes for a handshake although it is none.
ODD_HANDSHAKES = {
    "frame that is no command": frame(b"\5READY"),
    "READY without a type": command(b"READY"),
    "command with more": frame(b"\5READY", COMMAND | MORE),
    "flags that are reserved": frame(b"\5READY", 0xF8 | COMMAND),
    "property without a name": command(b"READY", _property(b"", b"XPUB")),
}

# After a good handshake, what breaks the protocol.
BROKEN_FRAMES = {
    "PING with half a time": command(b"PING", b"\0"),
    "PING with a context of 255 bytes": command(b"PING", b"\0\1" + bytes(255)),
    "PING with a context of 60 kB": command(b"PING", b"\0\1" + bytes(60_000)),
    "long frame of 2^63 bytes": head(1 << 63),
    "long frame of all ones": head((1 << 64) - 1),
    **{f"noise {seed}": _noise(seed, 1000) for seed in range(20)},
}

# After a good handshake, what is odd or of no use, and to be passed over.
ODD_FRAMES = {
    "empty command": frame(b"", COMMAND),
    "unknown command": command(b"OTHER", b"x"),
    "command with more": frame(b"\4PING\0\0", COMMAND | MORE),
    "command name longer than the command": frame(b"\xffPING", COMMAND),
    "READY again": ready(b"XPUB"),
    "ERROR": command(b"ERROR", b"\4nope"),
    "PING without a time": command(b"PING"),
    "PONG that nobody asked for": command(b"PONG", bytes(16)),
    "SUBSCRIBE": command(b"SUBSCRIBE", b"A."),
    "SUBSCRIBE that is cut": command(b"SUBSCRI", b""),
    "CANCEL of nothing": command(b"CANCEL", b"A."),
    "empty frame": frame(b""),
    "subscription to all": frame(b"\1"),
    "unsubscription of nothing": frame(b"\0never"),
    "unsubscription twice": frame(b"\1A.") + frame(b"\0A.") * 2,
    "frame that is neither": frame(b"\7what"),
    "flags that are reserved": frame(b"\1A.", 0xF8),
    "subscription in two frames": frame(b"\1A.", MORE) + frame(b"B."),
    "half a frame": frame(b"\1A.")[:3],
    "long frame of no bytes": head(0),
    "reserved key": frame(b"\1\xffr" + bytes(16)),
    "reserved key of no kind": frame(b"\1\xff"),
    "reserved key cut": frame(b"\1\xffc"),
    **{f"command of noise {seed}": frame(_noise(seed, 100), COMMAND) for seed in range(20)},
    **{f"frame of noise {seed}": frame(_noise(seed, 100)) for seed in range(20)},
}
