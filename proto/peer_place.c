/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/peer_place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

int peer_place_parse(const char *text, struct desired_peer_key *ret_place)
{
	const char *colon = strchr(text, ':');
	struct desired_peer_key place = {0};

	if (*text) {
		if (!colon || (size_t)(colon - text) >= sizeof(place.tunnel))
			return -EINVAL;
		memcpy(place.tunnel, text, (size_t)(colon - text));
		if (!text_is_name(place.tunnel, PROTO_INTERFACE_MAX) ||
			key_parse_hex(colon + 1, &place.public_key) < 0)
			return -EINVAL;
	}
	*ret_place = place;
	return 0;
}

char *peer_place_format(const struct desired_peer *peer, char buffer[PEER_PLACE_TEXT_MAX])
{
	char hex[KEY_HEX_MAX];

	snprintf(buffer, PEER_PLACE_TEXT_MAX, "%s:%s", peer->tunnel, key_format_hex(&peer->public_key, hex));
	return buffer;
}

size_t peer_place_find(const struct desired *desired, const char *tunnel, const struct key *behind)
{
	struct desired_peer wanted = {0};
	size_t low = 0, high = desired->peer_count;

	text_copy(wanted.tunnel, sizeof(wanted.tunnel), tunnel);
	if (behind)
		wanted.public_key = *behind;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = desired_peer_compare(&desired->peers[middle], &wanted);

		if (order < 0 || (order == 0 && behind))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
