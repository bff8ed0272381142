#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# Builds the shared library: sh capi/build.sh build/lib/libjuicebus.so.1
#
# The one owner of the link flags. The Makefile, CMakeLists.txt and the wheel's
# build hook call it; what they get is loaded by bindings and drivers. It works
# from any directory. More flags for go come from the environment: GOFLAGS, CC.
set -eu

die() {
    echo "capi/build.sh: $1" >&2
    exit 1
}

[ $# -eq 1 ] || die "one argument wanted, the path of the library to write; got $#"

capi=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$(dirname "$1")"
out=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")

command -v go >/dev/null || die "no go in PATH; install Go 1.26 or newer"
cc=${CC:-cc}
command -v "${cc%% *}" >/dev/null || die "no C compiler: $cc is not in PATH; install gcc"
command -v pkg-config >/dev/null || die "no pkg-config in PATH; install pkg-config"
pkg-config --exists libzmq ||
    die "pkg-config finds no libzmq.pc; install libzmq3-dev (Debian) or zeromq-devel (Fedora)"

# A new file that is moved into place: a process that has the old library loaded
# keeps it whole. The header that cgo writes beside it goes with the directory.
tmp=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

soname=-Wl,-soname,libjuicebus.so.1
exports=-Wl,--version-script=$capi/juicebus.map

cd "$capi"
CGO_ENABLED=1 CC="$cc" go build -buildmode=c-shared -trimpath -buildvcs=false \
    -ldflags "-s -w -extldflags '$soname \"$exports\"'" -o "$tmp/libjuicebus.so.1" .
mv -f "$tmp/libjuicebus.so.1" "$out"
