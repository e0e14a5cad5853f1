/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/stranger.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/message.h"

enum { STATUS = 404 };

char *stranger_encode(const struct stranger *stranger)
{
	json_t *json = message_new();
	char detail[PROTO_NAME_MAX + 64];

	snprintf(detail, sizeof(detail), "no gateway \"%s\" in the fleet", stranger->gateway);
	jput_text(json, "type", STRANGER_PROBLEM);
	jput_text(json, "title", "Not Found");
	jput_u64(json, "status", STATUS);
	jput_text(json, "detail", detail);
	jput_text(json, "gateway", stranger->gateway);
	jput_hex64(json, "store", stranger->store);
	return message_take(json);
}

static int read_members(const struct jnode *root, struct stranger *stranger, struct err *err)
{
	char type[sizeof(STRANGER_PROBLEM)];
	int r = jnode_text(root, "type", JSON_REQUIRED, type, sizeof(type), err);

	if (r < 0)
		return r;
	if (strcmp(type, STRANGER_PROBLEM))
		return jnode_fail(root, err, -EINVAL, "another problem");
	r = jnode_name(root, "gateway", JSON_REQUIRED, stranger->gateway, sizeof(stranger->gateway), err);
	return r < 0 ? r : jnode_hex64(root, "store", JSON_REQUIRED, &stranger->store, err);
}

int stranger_decode(const char *text, size_t size, struct stranger *ret_stranger, struct err *err)
{
	struct stranger stranger = {0};
	struct jnode root;
	json_t *json;
	int r = message_parse(text, size, &json, err);

	if (r < 0)
		return -EINVAL;
	root = jnode_root(json);
	r = read_members(&root, &stranger, err);
	json_decref(json);
	if (r < 0)
		return -EINVAL;
	*ret_stranger = stranger;
	return 0;
}
