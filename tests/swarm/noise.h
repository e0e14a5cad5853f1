/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_SWARM_NOISE_H
#define HOLDFAST_SWARM_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/swarm/primitive.h"

/*
 * WireGuard's handshake, Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s, and its messages (whitepaper section 5.4). Pure: randomness and
 * time are given. What a client needs: it knows the one peer that it talks to, so the static keys' product is made once.
 */
enum {
	INITIATION_BYTES = 148,
	RESPONSE_BYTES = 92,
	COOKIE_BYTES = 64,
	DATA_HEADER_BYTES = 16,
	STAMP_BYTES = 12,
};
enum message_type { MESSAGE_INITIATION = 1, MESSAGE_RESPONSE = 2, MESSAGE_COOKIE = 3, MESSAGE_DATA = 4 };

struct identity {
	uint8_t private_key[32], public_key[32], peer[32], shared[32], psk[32];
	uint8_t own_mac_key[32], peer_mac_key[32],
		peer_cookie_key[32]; /* of messages to us, to the peer; of its cookies */
};

/* A handshake between its two messages. */
struct handshake {
	uint8_t chain[HASH_BYTES], hash[HASH_BYTES];
	uint8_t ephemeral[32], peer_ephemeral[32];
	uint32_t own_index, peer_index;
};

struct keys {
	uint8_t send[32], receive[32];
};

/* Everything else of *identity follows from these. False: the peer's key is useless. */
bool identity_make(struct identity *identity, const uint8_t private_key[32], const uint8_t peer[32],
	const uint8_t psk[32]);

/* As initiator. secret: 32 random bytes. cookie: MAC_BYTES of the peer's latest, or NULL. */
void initiation_write(const struct identity *identity, struct handshake *handshake, uint32_t index,
	const uint8_t secret[32], const uint8_t stamp[STAMP_BYTES], const uint8_t *cookie,
	uint8_t ret[INITIATION_BYTES]);
bool response_read(const struct identity *identity, struct handshake *handshake,
	const uint8_t message[RESPONSE_BYTES], struct keys *ret_keys);

/* As responder. False: it is not from our peer, or not genuine; else *ret_stamp is what it says. */
bool initiation_read(const struct identity *identity, struct handshake *handshake,
	const uint8_t message[INITIATION_BYTES], uint8_t ret_stamp[STAMP_BYTES]);
void response_write(const struct identity *identity, struct handshake *handshake, uint32_t index,
	const uint8_t secret[32], const uint8_t *cookie, uint8_t ret[RESPONSE_BYTES], struct keys *ret_keys);

/* The cookie in a reply to the message whose first MAC was mac1. */
bool cookie_read(const struct identity *identity, const uint8_t message[COOKIE_BYTES],
	const uint8_t mac1[MAC_BYTES], uint8_t ret_cookie[MAC_BYTES]);

/* Returns the size; ret has room for DATA_HEADER_BYTES + plain_size + TAG_BYTES. */
size_t data_write(const struct keys *keys, uint32_t peer_index, uint64_t counter, const void *plain,
	size_t plain_size, uint8_t *ret);
/* Returns the size of the packet inside, 0 for a keepalive, -1 if it is not genuine. */
long data_read(const struct keys *keys, const uint8_t *message, size_t size, uint64_t *ret_counter,
	uint8_t *ret_plain);

uint32_t message_word(const uint8_t *message, size_t offset); /* little endian, as all indices */

#endif
