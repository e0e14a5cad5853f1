/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_UNIT_PROTO_SAMPLE_H
#define HOLDFAST_TESTS_UNIT_PROTO_SAMPLE_H

#include <check.h>
#include <jansson.h>

#include "proto/datagram.h"
#include "proto/desired.h"

/* Things to test with, and ways to spoil them. Every text and value returned is the caller's to free. */

/* The text of proto/examples/NAME. */
char *sample_text(const char *name, size_t *ret_size);
/* The bytes that proto/examples/NAME spells in hex, comments left out. */
size_t sample_hex(const char *name, uint8_t *buffer, size_t size);

/* A beat with `seats` seats, and names of `name_length` characters all over. */
struct datagram sample_beat(size_t seats, size_t name_length);

/* One tunnel wg0 and `peers` peers in order, named p0, p1, ..., each with one allowed IP of its own. */
struct desired *sample_desired(uint64_t generation, size_t peers);
/* A public key that sorts by `number`. */
struct key sample_key(uint32_t number);

/* Where in a message: "tunnels.0.forward.snat". */
json_t *sample_find(json_t *root, const char *path);
/* The example NAME with the member at PATH replaced by the JSON value `value` (NULL: taken out). */
char *sample_with(const char *name, const char *path, const char *value);
/* The example NAME with the array at PATH brought to `count` items by repeating its last one. */
char *sample_with_items(const char *name, const char *path, size_t count);
/* A JSON string of `length` times the letter a, quotes included. */
char *sample_long(size_t length);

#endif
