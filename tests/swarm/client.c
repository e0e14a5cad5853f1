/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/swarm/client.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

#include "tests/swarm/echo.h"

enum { INITIATION_MAC_AT = 116, RESPONSE_MAC_AT = 60 };

/* SplitMix64 (Steele, Lea, Flood 2014): no two clients choose the same indices, whatever their seeds have in common. */
static uint64_t random_next(struct client *client)
{
	uint64_t z = client->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void client_init(struct client *client, uint32_t address, uint32_t target, int64_t ping_every_ms,
	uint64_t seed, int64_t now_ms)
{
	client->address = address;
	client->target = target;
	client->ping_every_ms = ping_every_ms;
	client->random = seed;
	client->unheard_ms = client->answered_ms = client->first_ms = -1;
	client->initiated_ms = now_ms - REKEY_TIMEOUT_MS;
	client->ping_ms = now_ms + (int64_t)(random_next(client) % (uint64_t)ping_every_ms);
}

void client_begin(struct client *client, int64_t now_ms)
{
	client->first_ms = -1;
	client->since_ms = now_ms;
}

void client_cross(struct client *client)
{
	client->crosses = true;
}

bool client_may_initiate(const struct client *client, int64_t now_ms)
{
	return now_ms - client->initiated_ms >= REKEY_TIMEOUT_MS;
}

static uint32_t new_index(struct client *client)
{
	client->indices++;
	return (uint32_t)random_next(client);
}

static uint8_t *append(struct client_actions *actions, size_t size)
{
	actions->items[actions->count].size = size;
	return actions->items[actions->count++].bytes;
}

/* ---- sending ---- */

static bool is_alive(const struct session *session, int64_t now_ms)
{
	return session->present && now_ms - session->made_ms < REJECT_AFTER_MS;
}

/* Seconds since 1970 with the offset of TAI64N, big endian. */
static void write_stamp(uint64_t wall_ns, uint8_t stamp[STAMP_BYTES])
{
	uint64_t seconds = htobe64(UINT64_C(0x400000000000000a) + wall_ns / UINT64_C(1000000000));
	uint32_t nanoseconds = htobe32((uint32_t)(wall_ns % UINT64_C(1000000000)));

	memcpy(stamp, &seconds, 8);
	memcpy(stamp + 8, &nanoseconds, 4);
}

static const uint8_t *cookie_of(const struct client *client)
{
	return client->has_cookie ? client->cookie : NULL;
}

static void initiate(struct client *client, const struct client_event *event, int64_t now_ms,
	struct client_actions *actions)
{
	uint8_t stamp[STAMP_BYTES], *message;

	if (!client_may_initiate(client, now_ms))
		return;
	message = append(actions, INITIATION_BYTES);
	write_stamp(event->wall_ns, stamp);
	initiation_write(&client->identity, &client->handshake, new_index(client), event->secret, stamp,
		cookie_of(client), message);
	memcpy(client->mac1, message + INITIATION_MAC_AT, MAC_BYTES);
	client->initiated_ms = now_ms;
	client->waits = true;
	client->holds = false;
}

static void ping(struct client *client, int64_t now_ms, struct client_actions *actions)
{
	struct session *session = &client->current;
	uint8_t packet[ECHO_PADDED_BYTES];
	uint8_t *message;

	client->ping_ms = now_ms + client->ping_every_ms;
	client->pings++;
	if (client->unheard_ms < 0)
		client->unheard_ms = now_ms;
	echo_write(client->address, client->target, (uint16_t)client->pings, packet);
	message = append(actions, 0);
	actions->items[actions->count - 1].size = data_write(
		&session->keys, session->peer_index, session->sent++, packet, sizeof(packet), message);
}

/* ---- receiving ---- */

/* What the network does, not the client: its answer is on its way for so long that the gateway has its initiation first. */
static void hold_response(struct client *client, struct client_actions *actions)
{
	memcpy(client->held, actions->items[--actions->count].bytes, RESPONSE_BYTES);
	client->holds = true;
}

static void let_go(struct client *client, struct client_actions *actions)
{
	memcpy(append(actions, RESPONSE_BYTES), client->held, RESPONSE_BYTES);
	client->holds = false;
	client->crossed++;
}

static void answer_initiation(struct client *client, const struct client_event *event, int64_t now_ms,
	struct client_actions *actions)
{
	struct handshake handshake = {0};
	struct session *next = &client->next;
	uint8_t stamp[STAMP_BYTES], *message;

	if (!initiation_read(&client->identity, &handshake, event->datagram, stamp) ||
		memcmp(stamp, client->latest_stamp, STAMP_BYTES) <= 0)
		return;
	memcpy(client->latest_stamp, stamp, STAMP_BYTES);
	message = append(actions, RESPONSE_BYTES);
	*next = (struct session){.made_ms = now_ms, .present = true};
	response_write(&client->identity, &handshake, new_index(client), event->secret, cookie_of(client),
		message, &next->keys);
	memcpy(client->mac1, message + RESPONSE_MAC_AT, MAC_BYTES);
	next->own_index = handshake.own_index;
	next->peer_index = handshake.peer_index;
	client->waits =
		false; /* one state for both directions, as the kernel has it: a response to ours finds nothing any more */
	client->handshakes_answered++;
}

static void take_initiation(struct client *client, const struct client_event *event, int64_t now_ms,
	struct client_actions *actions)
{
	bool crosses = client->crosses && client_may_initiate(client, now_ms);
	size_t before;

	client->holds = false; /* the gateway has given up what that would answer */
	if (crosses)
		initiate(client, event, now_ms, actions);
	before = actions->count;
	answer_initiation(client, event, now_ms, actions);
	if (!crosses || actions->count == before)
		return;
	client->crosses = false;
	hold_response(client, actions);
}

static void take_response(struct client *client, const struct client_event *event, int64_t now_ms,
	struct client_actions *actions)
{
	struct session session = {.made_ms = now_ms, .present = true, .initiated = true};

	if (client->holds && message_word(event->datagram, 8) == client->handshake.own_index)
		let_go(client, actions);
	if (!client->waits ||
		!response_read(&client->identity, &client->handshake, event->datagram, &session.keys))
		return;
	client->waits = false;
	session.own_index = client->handshake.own_index;
	session.peer_index = client->handshake.peer_index;
	client->current = session;
	client->next.present = false;
	client->unheard_ms = -1;
	client->handshakes_made++;
	ping(client, now_ms, actions);
}

static void take_cookie(struct client *client, const struct client_event *event)
{
	if (!cookie_read(&client->identity, event->datagram, client->mac1, client->cookie))
		return;
	client->has_cookie = true;
	client->cookies++;
}

static void take_answer(struct client *client, int64_t now_ms)
{
	client->answers++;
	client->answered_ms = now_ms;
	if (client->first_ms < 0 && now_ms >= client->since_ms)
		client->first_ms = now_ms;
}

/* The first data under a session that was answered confirms it. */
static bool confirm(struct client *client, const struct session *session)
{
	if (session != &client->next)
		return false;
	client->current = client->next;
	client->next.present = false;
	return true;
}

static void take_data(struct client *client, const struct client_event *event, int64_t now_ms,
	struct client_actions *actions)
{
	uint32_t index = message_word(event->datagram, 4);
	struct session *session =
		client->next.present && client->next.own_index == index ? &client->next : &client->current;
	uint8_t packet[CLIENT_MESSAGE_MAX];
	uint64_t counter;
	long size;

	if (!is_alive(session, now_ms) || session->own_index != index)
		return;
	size = data_read(&session->keys, event->datagram, event->size, &counter, packet);
	if (size < 0 || counter < session->received_next)
		return;
	session->received_next = counter + 1;
	client->unheard_ms = -1;
	if (confirm(client, session))
		ping(client, now_ms, actions);
	if (echo_is_answer(packet, (size_t)size, client->target, client->address))
		take_answer(client, now_ms);
}

static void take_datagram(struct client *client, const struct client_event *event, int64_t now_ms,
	struct client_actions *actions)
{
	if (event->size < COOKIE_BYTES / 2 || event->size > CLIENT_MESSAGE_MAX)
		return;
	switch (message_word(event->datagram, 0)) {
	case MESSAGE_INITIATION:
		if (event->size == INITIATION_BYTES)
			take_initiation(client, event, now_ms, actions);
		return;
	case MESSAGE_RESPONSE:
		if (event->size == RESPONSE_BYTES)
			take_response(client, event, now_ms, actions);
		return;
	case MESSAGE_COOKIE:
		if (event->size == COOKIE_BYTES)
			take_cookie(client, event);
		return;
	case MESSAGE_DATA:
		take_data(client, event, now_ms, actions);
		return;
	}
}

/* ---- time ---- */

static int64_t initiation_due(const struct client *client)
{
	const struct session *session = &client->current;
	int64_t due_ms = session->made_ms + (session->initiated ? REKEY_AFTER_MS : REJECT_AFTER_MS);

	if (!session->present)
		due_ms = client->initiated_ms;
	if (client->unheard_ms >= 0 && client->unheard_ms + NEW_HANDSHAKE_MS < due_ms)
		due_ms = client->unheard_ms + NEW_HANDSHAKE_MS;
	return due_ms < client->initiated_ms + REKEY_TIMEOUT_MS ? client->initiated_ms + REKEY_TIMEOUT_MS
								: due_ms;
}

int64_t client_deadline(const struct client *client)
{
	int64_t due_ms = initiation_due(client);

	return client->current.present && client->ping_ms < due_ms ? client->ping_ms : due_ms;
}

static void take_time(struct client *client, const struct client_event *event, int64_t now_ms,
	struct client_actions *actions)
{
	if (now_ms >= initiation_due(client))
		initiate(client, event, now_ms, actions);
	if (!is_alive(&client->current, now_ms))
		client->current.present = false;
	else if (now_ms >= client->ping_ms)
		ping(client, now_ms, actions);
}

void client_step(struct client *client, const struct client_event *event, int64_t now_ms,
	struct client_actions *actions)
{
	actions->count = 0;
	if (event->datagram != NULL)
		take_datagram(client, event, now_ms, actions);
	else
		take_time(client, event, now_ms, actions);
}
