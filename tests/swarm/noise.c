/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/swarm/noise.h"

#include <endian.h>
#include <string.h>

/* Offsets in messages. */
enum {
	AT_SENDER = 4,
	INITIATION_EPHEMERAL = 8,
	INITIATION_STATIC = 40,
	INITIATION_STAMP = 88,
	INITIATION_MAC = 116,
	RESPONSE_RECEIVER = 8,
	RESPONSE_EPHEMERAL = 12,
	RESPONSE_EMPTY = 44,
	RESPONSE_MAC = 60,
	COOKIE_NONCE = 8,
	COOKIE_SEALED = 32,
	DATA_COUNTER = 8,
};

static const char CONSTRUCTION[] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
static const char IDENTIFIER[] = "WireGuard v1 zx2c4 Jason@zx2c4.com";

uint32_t message_word(const uint8_t *message, size_t offset)
{
	uint32_t little;

	memcpy(&little, message + offset, sizeof(little));
	return le32toh(little);
}

static void put_word(uint8_t *message, size_t offset, uint32_t value)
{
	uint32_t little = htole32(value);

	memcpy(message + offset, &little, sizeof(little));
}

bool identity_make(struct identity *identity, const uint8_t private_key[32], const uint8_t peer[32],
	const uint8_t psk[32])
{
	memcpy(identity->private_key, private_key, 32);
	memcpy(identity->peer, peer, 32);
	memcpy(identity->psk, psk, 32);
	x25519_public(private_key, identity->public_key);
	hash_two("mac1----", 8, identity->public_key, 32, identity->own_mac_key);
	hash_two("mac1----", 8, peer, 32, identity->peer_mac_key);
	hash_two("cookie--", 8, peer, 32, identity->peer_cookie_key);
	return x25519_shared(private_key, peer, identity->shared);
}

/* ---- the symmetric state ---- */

static void begin(struct handshake *handshake, const uint8_t responder[32])
{
	hash_two(CONSTRUCTION, sizeof(CONSTRUCTION) - 1, "", 0, handshake->chain);
	hash_two(handshake->chain, HASH_BYTES, IDENTIFIER, sizeof(IDENTIFIER) - 1, handshake->hash);
	hash_two(handshake->hash, HASH_BYTES, responder, 32, handshake->hash);
}

static void mix_hash(struct handshake *handshake, const void *data, size_t size)
{
	hash_two(handshake->hash, HASH_BYTES, data, size, handshake->hash);
}

static void mix_ephemeral(struct handshake *handshake, const uint8_t ephemeral[32])
{
	kdf(handshake->chain, ephemeral, 32, handshake->chain, NULL, NULL);
	mix_hash(handshake, ephemeral, 32);
}

static void seal(
	struct handshake *handshake, const uint8_t key[32], const void *plain, size_t size, uint8_t *ret)
{
	aead_seal(key, 0, plain, size, handshake->hash, HASH_BYTES, ret);
	mix_hash(handshake, ret, size + TAG_BYTES);
}

static bool unseal(
	struct handshake *handshake, const uint8_t key[32], const uint8_t *sealed, size_t size, uint8_t *ret)
{
	bool genuine = aead_open(key, 0, sealed, size, handshake->hash, HASH_BYTES, ret);

	mix_hash(handshake, sealed, size);
	return genuine;
}

static bool mix_shared(
	struct handshake *handshake, const uint8_t own[32], const uint8_t other[32], uint8_t *ret_key)
{
	uint8_t shared[32];
	bool fine = x25519_shared(own, other, shared);

	kdf(handshake->chain, shared, 32, handshake->chain, ret_key, NULL);
	return fine;
}

/* ---- the two MACs at the end of a handshake message ---- */

static void add_macs(const struct identity *identity, const uint8_t *cookie, uint8_t *message, size_t at)
{
	mac_keyed(identity->peer_mac_key, 32, message, at, message + at);
	memset(message + at + MAC_BYTES, 0, MAC_BYTES);
	if (cookie != NULL)
		mac_keyed(cookie, MAC_BYTES, message, at + MAC_BYTES, message + at + MAC_BYTES);
}

static bool has_mac(const struct identity *identity, const uint8_t *message, size_t at)
{
	uint8_t mac[MAC_BYTES];

	mac_keyed(identity->own_mac_key, 32, message, at, mac);
	return memcmp(mac, message + at, MAC_BYTES) == 0;
}

/* ---- initiation ---- */

void initiation_write(const struct identity *identity, struct handshake *handshake, uint32_t index,
	const uint8_t secret[32], const uint8_t stamp[STAMP_BYTES], const uint8_t *cookie,
	uint8_t ret[INITIATION_BYTES])
{
	uint8_t key[32], *ephemeral = ret + INITIATION_EPHEMERAL;

	memcpy(handshake->ephemeral, secret, 32);
	handshake->own_index = index;
	put_word(ret, 0, MESSAGE_INITIATION);
	put_word(ret, AT_SENDER, index);
	x25519_public(secret, ephemeral);
	begin(handshake, identity->peer);
	mix_ephemeral(handshake, ephemeral);
	mix_shared(handshake, secret, identity->peer, key);
	seal(handshake, key, identity->public_key, 32, ret + INITIATION_STATIC);
	kdf(handshake->chain, identity->shared, 32, handshake->chain, key, NULL);
	seal(handshake, key, stamp, STAMP_BYTES, ret + INITIATION_STAMP);
	add_macs(identity, cookie, ret, INITIATION_MAC);
}

bool initiation_read(const struct identity *identity, struct handshake *handshake,
	const uint8_t message[INITIATION_BYTES], uint8_t ret_stamp[STAMP_BYTES])
{
	uint8_t key[32], sender[32];

	if (message_word(message, 0) != MESSAGE_INITIATION || !has_mac(identity, message, INITIATION_MAC))
		return false;
	handshake->peer_index = message_word(message, AT_SENDER);
	memcpy(handshake->peer_ephemeral, message + INITIATION_EPHEMERAL, 32);
	begin(handshake, identity->public_key);
	mix_ephemeral(handshake, handshake->peer_ephemeral);
	if (!mix_shared(handshake, identity->private_key, handshake->peer_ephemeral, key) ||
		!unseal(handshake, key, message + INITIATION_STATIC, 32 + TAG_BYTES, sender) ||
		memcmp(sender, identity->peer, 32) != 0)
		return false;
	kdf(handshake->chain, identity->shared, 32, handshake->chain, key, NULL);
	return unseal(handshake, key, message + INITIATION_STAMP, STAMP_BYTES + TAG_BYTES, ret_stamp);
}

/* ---- response ---- */

static void mix_psk(const struct identity *identity, struct handshake *handshake, uint8_t ret_key[32])
{
	uint8_t mixed[32];

	kdf(handshake->chain, identity->psk, 32, handshake->chain, mixed, ret_key);
	mix_hash(handshake, mixed, sizeof(mixed));
}

void response_write(const struct identity *identity, struct handshake *handshake, uint32_t index,
	const uint8_t secret[32], const uint8_t *cookie, uint8_t ret[RESPONSE_BYTES], struct keys *ret_keys)
{
	uint8_t key[32], *ephemeral = ret + RESPONSE_EPHEMERAL;

	handshake->own_index = index;
	put_word(ret, 0, MESSAGE_RESPONSE);
	put_word(ret, AT_SENDER, index);
	put_word(ret, RESPONSE_RECEIVER, handshake->peer_index);
	x25519_public(secret, ephemeral);
	mix_ephemeral(handshake, ephemeral);
	mix_shared(handshake, secret, handshake->peer_ephemeral, NULL);
	mix_shared(handshake, secret, identity->peer, NULL);
	mix_psk(identity, handshake, key);
	seal(handshake, key, "", 0, ret + RESPONSE_EMPTY);
	add_macs(identity, cookie, ret, RESPONSE_MAC);
	kdf(handshake->chain, "", 0, ret_keys->receive, ret_keys->send, NULL);
}

bool response_read(const struct identity *identity, struct handshake *handshake,
	const uint8_t message[RESPONSE_BYTES], struct keys *ret_keys)
{
	struct handshake next = *handshake;
	const uint8_t *ephemeral = message + RESPONSE_EPHEMERAL;
	uint8_t key[32], nothing[1];

	if (message_word(message, 0) != MESSAGE_RESPONSE || !has_mac(identity, message, RESPONSE_MAC) ||
		message_word(message, RESPONSE_RECEIVER) != handshake->own_index)
		return false;
	mix_ephemeral(&next, ephemeral);
	if (!mix_shared(&next, next.ephemeral, ephemeral, NULL) ||
		!mix_shared(&next, identity->private_key, ephemeral, NULL))
		return false;
	mix_psk(identity, &next, key);
	if (!unseal(&next, key, message + RESPONSE_EMPTY, TAG_BYTES, nothing))
		return false;
	next.peer_index = message_word(message, AT_SENDER);
	*handshake = next;
	kdf(handshake->chain, "", 0, ret_keys->send, ret_keys->receive, NULL);
	return true;
}

/* ---- cookies and data ---- */

bool cookie_read(const struct identity *identity, const uint8_t message[COOKIE_BYTES],
	const uint8_t mac1[MAC_BYTES], uint8_t ret_cookie[MAC_BYTES])
{
	return xaead_open(identity->peer_cookie_key, message + COOKIE_NONCE, message + COOKIE_SEALED,
		MAC_BYTES + TAG_BYTES, mac1, MAC_BYTES, ret_cookie);
}

size_t data_write(const struct keys *keys, uint32_t peer_index, uint64_t counter, const void *plain,
	size_t plain_size, uint8_t *ret)
{
	uint64_t little = htole64(counter);

	put_word(ret, 0, MESSAGE_DATA);
	put_word(ret, AT_SENDER, peer_index);
	memcpy(ret + DATA_COUNTER, &little, sizeof(little));
	aead_seal(keys->send, counter, plain, plain_size, NULL, 0, ret + DATA_HEADER_BYTES);
	return DATA_HEADER_BYTES + plain_size + TAG_BYTES;
}

long data_read(const struct keys *keys, const uint8_t *message, size_t size, uint64_t *ret_counter,
	uint8_t *ret_plain)
{
	uint64_t little;

	if (size < DATA_HEADER_BYTES + TAG_BYTES)
		return -1;
	memcpy(&little, message + DATA_COUNTER, sizeof(little));
	*ret_counter = le64toh(little);
	if (!aead_open(keys->receive, *ret_counter, message + DATA_HEADER_BYTES, size - DATA_HEADER_BYTES,
		    NULL, 0, ret_plain))
		return -1;
	return (long)(size - DATA_HEADER_BYTES - TAG_BYTES);
}
