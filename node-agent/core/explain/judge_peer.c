/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "node-agent/core/explain/judge.h"
#include "node-agent/core/explain/words.h"

enum { SESSION_S = 180 }; /* Reject-After-Time of WireGuard's paper, section 6.1 */

static void judge_unknown(struct judgement *judgement)
{
	const struct explain_facts *facts = judgement->facts;
	const struct explain_fleet *fleet = &facts->fleet;
	const char *peer = facts->question.peer;
	struct explain_finding *finding;
	struct key key;
	bool is_key = key_parse(peer, &key, NULL) >= 0;

	if (fleet->known) {
		finding = explain_find(judgement->findings, EXPLAIN_PEER, EXPLAIN_NO,
			"the agent knows %s, but no tunnel here has the peer", fleet->name);
		explain_todo(finding, "'holdfast status' says whether the gateway is set up");
	} else if (is_key) {
		finding = explain_find(judgement->findings, EXPLAIN_PEER, EXPLAIN_NO,
			"no tunnel of this machine has the peer %s", peer);
		explain_todo(finding, "'wg show all peers' lists those there are; a peer that is `disabled` "
				      "in fleet.yaml is on no tunnel");
	} else if (fleet->answered) {
		finding = explain_find(judgement->findings, EXPLAIN_PEER, EXPLAIN_NO,
			"the agent knows no peer named %s: it is told of the enabled peers of its own "
			"tunnels alone",
			peer);
		explain_todo(finding, "in fleet.yaml: is the name there, without `disabled`, with a tunnel "
				      "of this gateway in its "
				      "`tunnels:`? If so: 'holdfast apply'");
	} else {
		finding = explain_find(judgement->findings, EXPLAIN_PEER, EXPLAIN_NO,
			"%s is not a public key, and no agent answers that could know the name", peer);
		explain_todo(finding, "give the public key: 'wg show all peers' lists them");
	}
}

void judge_peer(struct judgement *judgement)
{
	const struct explain_facts *facts = judgement->facts;
	char key[KEY_TEXT_MAX];

	if (!facts->found) {
		judge_unknown(judgement);
		return;
	}
	explain_find(judgement->findings, EXPLAIN_PEER, EXPLAIN_OK, "%s%s%s on %s", facts->fleet.name,
		facts->fleet.name[0] ? ", " : "", key_format(&facts->peer.public_key, key),
		facts->tunnel.name);
}

void judge_tunnel(struct judgement *judgement)
{
	const struct explain_tunnel *tunnel = &judgement->facts->tunnel;
	struct explain_finding *finding;

	if (!tunnel->up) {
		finding = explain_find(
			judgement->findings, EXPLAIN_TUNNEL, EXPLAIN_NO, "%s is down", tunnel->name);
		explain_todo(finding, "'ip link set %s up', or bring the tunnel up", tunnel->name);
	} else if (!tunnel->has_private_key) {
		finding = explain_find(judgement->findings, EXPLAIN_TUNNEL, EXPLAIN_NO,
			"%s has no private key: it shakes hands with nobody", tunnel->name);
		explain_todo(finding, "set it: wg set %s private-key FILE", tunnel->name);
	} else {
		explain_find(judgement->findings, EXPLAIN_TUNNEL, EXPLAIN_OK, "%s is up, port %u, MTU %u",
			tunnel->name, tunnel->listen_port, tunnel->mtu);
	}
}

void judge_owner(struct judgement *judgement)
{
	const struct explain_fleet *fleet = &judgement->facts->fleet;
	struct explain_finding *finding;

	if (!fleet->endpoint[0])
		return;
	if (fleet->serves) {
		explain_find(judgement->findings, EXPLAIN_OWNER, EXPLAIN_OK, "%s is %s here", fleet->endpoint,
			fleet->role);
		return;
	}
	finding = explain_find(judgement->findings, EXPLAIN_OWNER, EXPLAIN_NO,
		"this gateway is %s for %s: its owner is elsewhere, and the fence is closed here",
		fleet->role, fleet->endpoint);
	explain_todo(finding, "'holdfast status' names the owner; ask there");
}

static void todo_held(struct explain_finding *finding, const char *shared)
{
	if (shared[0])
		explain_todo(finding,
			"nothing, if that is meant: of those who share it the first that lives "
			"has it: %s",
			shared);
	else
		explain_todo(finding, "a prefix belongs to the peer that was given it last: take it from the "
				      "one, or give the other a longer prefix");
}

void judge_allowed(struct judgement *judgement)
{
	const struct explain_facts *facts = judgement->facts;
	const struct explain_holder *holder = &facts->holder;
	char to[ADDR_TEXT_MAX], prefix[PREFIX_TEXT_MAX], theirs[KEY_TEXT_MAX], ours[KEY_TEXT_MAX];
	struct explain_finding *finding;

	addr_format(&facts->question.to, to, sizeof(to));
	prefix_format(&holder->prefix, prefix, sizeof(prefix));
	key_format(&facts->peer.public_key, ours);
	if (!holder->found) {
		finding = explain_find(judgement->findings, EXPLAIN_ALLOWED, EXPLAIN_NO,
			"%s is among the allowed IPs of no peer of %s: it takes no packet to it", to,
			facts->tunnel.name);
		if (facts->shared[0])
			todo_held(finding, facts->shared);
		else
			explain_todo(finding, "add it to the allowed IPs of %s", ours);
	} else if (!key_equal(&holder->peer, &facts->peer.public_key)) {
		finding = explain_find(judgement->findings, EXPLAIN_ALLOWED, EXPLAIN_NO,
			"%s gives %s to the peer %s (%s), not to %s", facts->tunnel.name, to,
			key_format(&holder->peer, theirs), prefix, ours);
		todo_held(finding, facts->shared);
	} else {
		explain_find(judgement->findings, EXPLAIN_ALLOWED, EXPLAIN_OK, "%s is the peer's%s%s", prefix,
			facts->shared[0] ? "; of those who share it the first that lives has it: " : "",
			facts->shared);
	}
}

void judge_endpoint(struct judgement *judgement)
{
	const struct explain_peer *peer = &judgement->facts->peer;
	char endpoint[ENDPOINT_TEXT_MAX];
	struct explain_finding *finding;

	if (!addr_is_set(&peer->endpoint.addr)) {
		finding = explain_find(judgement->findings, EXPLAIN_ENDPOINT, EXPLAIN_NO,
			"the peer has no endpoint: nobody knows where it is until it dials in");
		explain_todo(finding, "wait for it to send something, or give it an endpoint");
		return;
	}
	endpoint_format_zone(&peer->endpoint, peer->zone, endpoint, sizeof(endpoint));
	if (peer->keepalive_s)
		explain_find(judgement->findings, EXPLAIN_ENDPOINT, EXPLAIN_OK,
			"the peer is at %s, keepalive every %u s", endpoint, peer->keepalive_s);
	else
		explain_find(judgement->findings, EXPLAIN_ENDPOINT, EXPLAIN_OK,
			"the peer is at %s, no keepalive", endpoint);
}

static void judge_no_handshake(struct judgement *judgement)
{
	const struct explain_facts *facts = judgement->facts;
	const struct explain_peer *peer = &facts->peer;
	struct explain_finding *finding;
	char key[KEY_TEXT_MAX];

	if (!peer->tx_bytes || !addr_is_set(&peer->endpoint.addr)) {
		explain_find(judgement->findings, EXPLAIN_HANDSHAKE, EXPLAIN_DOUBTFUL,
			"there was no handshake yet, nor was one tried");
		return;
	}
	finding = explain_find(judgement->findings, EXPLAIN_HANDSHAKE, EXPLAIN_NO,
		"there never was a handshake: %" PRIu64 " bytes went out, and no good answer came",
		peer->tx_bytes);
	explain_todo(finding,
		"is the far end up, does UDP reach it and come back, does it have our public key %s as a "
		"peer, and "
		"the same preshared key?",
		key_format(&facts->tunnel.public_key, key));
}

void judge_handshake(struct judgement *judgement)
{
	const struct explain_peer *peer = &judgement->facts->peer;
	int64_t age_s = judgement->facts->now_s - peer->handshake_s;
	struct explain_finding *finding;
	char age[EXPLAIN_AGE_MAX];

	if (!peer->handshake_s) {
		judge_no_handshake(judgement);
		return;
	}
	explain_age_format(age_s > 0 ? age_s : 0, age);
	if (age_s <= SESSION_S) {
		explain_find(judgement->findings, EXPLAIN_HANDSHAKE, EXPLAIN_OK,
			"last %s ago; received %" PRIu64 " bytes, sent %" PRIu64, age, peer->rx_bytes,
			peer->tx_bytes);
	} else if (peer->keepalive_s) {
		finding = explain_find(judgement->findings, EXPLAIN_HANDSHAKE, EXPLAIN_NO,
			"last %s ago, although keepalives are sent: the peer no longer answers", age);
		explain_todo(finding, "is the far end up, and still at its endpoint?");
	} else {
		explain_find(judgement->findings, EXPLAIN_HANDSHAKE, EXPLAIN_DOUBTFUL,
			"last %s ago: the session is over, and the next packet begins a new one", age);
	}
}
