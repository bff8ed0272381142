# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# make run shows it work, make test checks all of it, make help lists the rest.
# Everything that is built lies under build/. On Debian, as root or with sudo,
# system packages that are absent are installed; Go, Python 3, gcc and make are
# needed first.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.SUFFIXES:
MAKEFLAGS += --warn-undefined-variables --no-builtin-rules --no-print-directory

PREFIX ?= /usr/local
DESTDIR ?=
PYTHON ?= python3
# One test by (a part of) its name: make test T=cancelled_get
T ?=

VENV := build/venv
PY := $(VENV)/bin/python
LIB := build/lib/libjuicebus.so
PROXY := build/bin/juicebus-proxy
VERSION := $(shell sed -n 's/^\#define JUICEBUS_VERSION "\(.*\)"/\1/p' include/juicebus.h)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

GO_FILES := go.mod $(wildcard go.sum) $(shell find core capi cmd include -type f ! -name '*_test.go')
PY_FILES := $(shell find bindings/python -type f ! -path '*/__pycache__/*')
PY_CHECKED := $(shell find bindings tests examples -name '*.py')
EXAMPLES := $(addprefix build/examples/,c-driver cpp-driver go-service)
PEERS := $(addprefix build/conformance/,c-peer cpp-peer go-peer)
C_CHECKED := $(shell find capi core include tests examples -name '*.[ch]' -o -name '*.[ch]pp')

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## Say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: run
run: build $(EXAMPLES) ## Let C, C++, Go and Python exchange events through the proxy
	@$(PY) examples/run.py

.PHONY: test
test: test-go test-c test-python test-conformance test-faults test-readme ## Run all tests, or those whose name contains T=

# With the lines of core that any Go test of core runs; below 90 % it fails.
.PHONY: test-go
test-go: build/stamps/system
ifeq ($(T),)
	go test -race -coverpkg=./core/... -coverprofile=build/coverage.out ./core/...
	@go tool cover -func=build/coverage.out | awk '/^total:/ { print "coverage of core: " $$3; exit $$3 + 0 < 90 }'
	go test -race $$(go list ./... | grep -v /core)
else
	go test -race -run '(?i)$(T)' ./...
endif

# The programs are also what some rows of the fault matrix run.
.PHONY: c-programs
c-programs: build/stamps/system warnings $(PROXY)
	cmake -S . -B build/cmake -DJUICEBUS_TESTS=ON >build/cmake.log || { cat build/cmake.log; exit 1; }
	MAKEFLAGS= cmake --build build/cmake -j 2 >build/cmake.log || { cat build/cmake.log; exit 1; }

.PHONY: test-c
test-c: c-programs
	ctest --test-dir build/cmake --output-on-failure $(if $(T),-R '$(T)')

# Header and trampolines compile without a warning as C11 and as C++17.
WARNINGS := -Wall -Wextra -Wpedantic -Werror -fsyntax-only
.PHONY: warnings
warnings: build/stamps/system
	cc -std=c11 $(WARNINGS) capi/*.c core/internal/socket/*.c -x c include/juicebus.h
	g++ -std=c++17 $(WARNINGS) -x c++ capi/*.c include/juicebus.h include/juicebus.hpp

# 5: no test of that name here. The second run finds unawaited and slow callbacks; of the
# twins it leaves out the blocking one.
# PYTHONPATH: processes that tests start find the event classes beside the tests. env: in
# the background a shell lets Ctrl-C be ignored, by all that the tests start too.
PYTEST := PYTHONPATH=$(CURDIR)/tests/python env --default-signal=INT $(PY) -m pytest -q -W error -o cache_dir=build/pytest $(if $(T),-k '$(T)')
WITH_ASYNCIO := not blocking or aio or async
.PHONY: test-python
test-python: build
	$(PYTEST) tests/python tests/build tests/bench || test $$? = $(if $(T),5,0)
	PYTHONASYNCIODEBUG=1 $(PYTEST) -k '$(if $(T),($(T)) and) ($(WITH_ASYNCIO))' tests/python || test $$? = $(if $(T),5,0)

.PHONY: test-conformance
test-conformance: build $(PEERS)
	$(if $(T),,$(PY) tests/conformance/run.py)

# The fault matrix; its table is printed at the end.
.PHONY: test-faults
test-faults: build c-programs ## Run the fault matrix, but for its long rows
	$(PYTEST) -m 'not soak' tests/faults || test $$? = $(if $(T),5,0)

.PHONY: soak
soak: build c-programs ## Run the long rows of the fault matrix: an hour and more
	$(PYTEST) -m soak tests/faults

FUZZTIME ?= 300s
.PHONY: fuzz
fuzz: build/stamps/system ## Run each fuzz target for FUZZTIME=300s
	@for package in $$(go list ./core/... ./capi); do \
		for target in $$(go test -list '^Fuzz' $$package | grep ^Fuzz || true); do \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x $$package; \
		done; \
	done

# Leak detection is off: Go's runtime never frees. zmq4 reads monitor events misaligned.
SANITIZE := -g -fsanitize=address,undefined -fno-sanitize-recover=undefined
SANITIZED := CC=gcc ASAN_OPTIONS=detect_leaks=0 GOFLAGS=-asan CGO_LDFLAGS=-fsanitize=undefined \
	CGO_CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=undefined -fno-sanitize=alignment -fno-sanitize-recover=undefined'
.PHONY: test-asan
test-asan: build/stamps/system ## Run the C tests with the address and undefined behaviour sanitizers
	$(SANITIZED) cmake -S . -B build/asan -DJUICEBUS_TESTS=ON -DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++ \
		-DCMAKE_C_FLAGS='$(SANITIZE)' -DCMAKE_CXX_FLAGS='$(SANITIZE)' >build/asan.log || { cat build/asan.log; exit 1; }
	MAKEFLAGS= $(SANITIZED) cmake --build build/asan -j 2 >build/asan.log || { cat build/asan.log; exit 1; }
	$(SANITIZED) ctest --test-dir build/asan -E cxx17 --output-on-failure

.PHONY: test-readme
test-readme: build $(EXAMPLES)
	$(PYTEST) tests/readme || test $$? = $(if $(T),5,0)

# Measures by a part of their names: make bench B=latency
B ?=

.PHONY: bench
bench: build build/stamps/bench ## Measure beside the peers, in 15 minutes; B=name: some of it
	$(PY) tests/bench $(B)

build/stamps/bench: tests/bench/requirements.txt build/stamps/venv .ci/packages
	PYTHON='$(PYTHON)' bash .ci/packages nats-server
	$(PY) -m pip install -q -r tests/bench/requirements.txt
	@touch $@

.PHONY: lint
lint: build warnings ## Check formatting, types, layering and spelling
	@test -z "$$(gofmt -l core capi cmd tests examples | tee /dev/stderr)"
	go vet ./...
	go run $(STATICCHECK) ./...
	go test ./tests/layers
	$(VENV)/bin/clang-format --dry-run -Werror $(C_CHECKED)
	$(VENV)/bin/ruff check $(PY_CHECKED)
	$(VENV)/bin/ruff format --check $(PY_CHECKED)
	$(VENV)/bin/mypy --config-file bindings/python/pyproject.toml bindings/python/src/juicebus bindings/python/*.py
	$(VENV)/bin/codespell .

.PHONY: fmt
fmt: build/stamps/venv ## Format Go, C and Python
	gofmt -w core capi cmd tests examples
	$(VENV)/bin/clang-format -i $(C_CHECKED)
	$(VENV)/bin/ruff check --fix $(PY_CHECKED)
	$(VENV)/bin/ruff format $(PY_CHECKED)

.PHONY: build
build: $(LIB) $(PROXY) build/stamps/installed ## Build library, proxy and wheel; install the wheel in build/venv

$(LIB).1: build/stamps/system $(GO_FILES)
	sh capi/build.sh $@

$(LIB): $(LIB).1
	ln -sf libjuicebus.so.1 $@

$(PROXY): build/stamps/system $(GO_FILES)
	go build -trimpath -buildvcs=false -o $@ ./cmd/proxy
	@touch $@

# Programs of this repository's own, linked as a user's would be.
STRICT := -O2 -Wall -Wextra -Wpedantic -Werror -pthread -Iinclude
LINK := -Lbuild/lib -ljuicebus -Wl,-rpath,$(CURDIR)/build/lib

build/examples/c-driver: examples/c/driver.c
build/conformance/c-peer: tests/conformance/peers/peer.c
build/examples/c-driver build/conformance/c-peer: $(LIB)
	mkdir -p $(@D)
	$(CC) -std=c11 $(STRICT) $(filter %.c,$^) -o $@ $(LINK)

build/examples/cpp-driver: examples/cpp/driver.cpp
build/conformance/cpp-peer: tests/conformance/peers/peer.cpp
build/examples/cpp-driver build/conformance/cpp-peer: $(LIB)
	mkdir -p $(@D)
	$(CXX) -std=c++17 $(STRICT) $(filter %.cpp,$^) -o $@ $(LINK)

build/examples/go-service: $(wildcard examples/go/*.go) $(PROXY)
	go build -trimpath -buildvcs=false -o $@ ./examples/go
	@touch $@

build/conformance/go-peer: $(wildcard tests/conformance/peers/gopeer/*.go) $(PROXY)
	go build -trimpath -buildvcs=false -o $@ ./tests/conformance/peers/gopeer
	@touch $@

build/stamps/wheel: build/stamps/venv $(GO_FILES) $(PY_FILES)
	rm -rf build/wheel
	$(PY) -m pip wheel -q --no-deps --no-build-isolation -w build/wheel ./bindings/python
	@touch $@

build/stamps/installed: build/stamps/wheel
	$(PY) -m pip install -q --no-deps --force-reinstall build/wheel/*.whl
	@touch $@

build/stamps/venv: tests/requirements.txt build/stamps/system
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install -q -r tests/requirements.txt
	@touch $@

build/stamps/system: .ci/packages
	mkdir -p $(@D)
	PYTHON='$(PYTHON)' bash .ci/packages
	@touch $@

.PHONY: install
install: $(LIB) $(PROXY) ## Install library, headers, pkg-config and CMake files and proxy: PREFIX=, DESTDIR=
	install -d '$(DESTDIR)$(PREFIX)'/{bin,include,lib/pkgconfig,lib/cmake/juicebus}
	install -m 644 $(LIB).1 '$(DESTDIR)$(PREFIX)/lib'
	ln -sf libjuicebus.so.1 '$(DESTDIR)$(PREFIX)/lib/libjuicebus.so'
	install -m 644 include/juicebus.h include/juicebus.hpp '$(DESTDIR)$(PREFIX)/include'
	sed 's/@VERSION@/$(VERSION)/' capi/juicebus.pc.in >'$(DESTDIR)$(PREFIX)/lib/pkgconfig/juicebus.pc'
	install -m 644 cmake/juicebusConfig.cmake '$(DESTDIR)$(PREFIX)/lib/cmake/juicebus'
	sed 's/@VERSION@/$(VERSION)/' cmake/juicebusConfigVersion.cmake.in \
		>'$(DESTDIR)$(PREFIX)/lib/cmake/juicebus/juicebusConfigVersion.cmake'
	install $(PROXY) '$(DESTDIR)$(PREFIX)/bin'
	if [ -z '$(DESTDIR)' ] && [ "$$(id -u)" = 0 ]; then ldconfig; fi

.PHONY: clean
clean: ## Remove build/
	rm -rf build
