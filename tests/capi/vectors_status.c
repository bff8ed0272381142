// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// tests/vectors/status.json: every status has the number and the text written there.
#include "vector.h"

#include "status_vectors.h"

int main(void) {
    for (size_t i = 0; i < sizeof status_vectors / sizeof status_vectors[0]; i++) {
        const struct status_vector *v = &status_vectors[i];
        CHECK(v->constant == v->number);
        CHECK_TEXT(v->text, juicebus_status_text(v->number));
    }
    return 0;
}
