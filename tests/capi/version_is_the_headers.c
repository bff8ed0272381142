// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// The library that is loaded is of this header's version and ABI.
#include "check.h"

int main(void) {
    CHECK_TEXT(JUICEBUS_VERSION, juicebus_version());
    CHECK(juicebus_abi_version() == JUICEBUS_ABI_VERSION);
    return 0;
}
