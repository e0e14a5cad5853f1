/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/state/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "common/json/read.h"
#include "common/json/write.h"

enum { SEATS_FILE_MAX = 64 * 1024 };

static char *path_in(const char *directory, const char *name)
{
	struct text text = {0};

	text_add(&text, "%s/%s", directory, name);
	return text_take(&text);
}

int state_prepare(const char *directory, struct err *err)
{
	return file_make_directories(directory, 0700, err);
}

int state_load_desired(const char *directory, struct desired **ret_desired, struct err *err)
{
	CLEANUP_FREE char *path = path_in(directory, "desired.json");
	char *json;
	size_t size;
	int r;

	file_sweep(path);
	r = file_read(path, PROTO_JSON_MAX, &json, &size, err);

	if (r < 0)
		return r;
	r = desired_decode(json, size, ret_desired, err);
	if (r < 0)
		err_prefix(err, r, "%s", path);
	mem_wipe(json, size);
	free(json);
	return r;
}

int state_save_desired(const char *directory, const struct desired *desired, struct err *err)
{
	CLEANUP_FREE char *path = path_in(directory, "desired.json");
	char *json = desired_encode(desired);
	size_t size = strlen(json);
	int r = file_write(path, json, size, 0600, err);

	mem_wipe(json, size);
	free(json);
	return r;
}

static int read_epoch(const struct jnode *object, const char *name, struct epoch *ret_epoch, struct err *err)
{
	char text[EPOCH_TEXT_MAX];
	int r = jnode_text(object, name, JSON_REQUIRED, text, sizeof(text), err);

	return r < 0 ? r : epoch_parse(text, ret_epoch, err);
}

static int read_seat(const struct jnode *object, struct state_seat *seat, struct err *err)
{
	int r = jnode_name(object, "endpoint", JSON_REQUIRED, seat->endpoint, sizeof(seat->endpoint), err);

	if (r >= 0)
		r = read_epoch(object, "highest", &seat->disk.highest, err);
	if (r >= 0)
		r = read_epoch(object, "served", &seat->disk.served, err);
	if (r >= 0)
		r = read_epoch(object, "released", &seat->disk.released, err);
	if (r >= 0)
		r = read_epoch(object, "claimed", &seat->disk.claimed, err);
	return r;
}

static int read_seats(const json_t *json, struct state_seats *ret_seats, struct err *err)
{
	struct state_seats seats = {0};
	struct jnode root = jnode_root(json), list;
	int r = jnode_array(&root, "seats", JSON_REQUIRED, PROTO_ENDPOINTS_MAX, &list, err);

	for (size_t i = 0; r >= 0 && i < jnode_count(&list); i++) {
		struct jnode item = jnode_item(&list, i);

		r = read_seat(&item, &seats.items[seats.count++], err);
	}
	if (r >= 0)
		r = jnode_bool(&root, "stranger", JSON_REQUIRED, &seats.stranger, err);
	if (r >= 0)
		r = jnode_u64(&root, "floor", JSON_REQUIRED, 0, INT64_MAX, &seats.floor, err);
	if (r >= 0)
		*ret_seats = seats;
	return r;
}

int state_load_seats(const char *directory, struct state_seats *ret_seats, struct err *err)
{
	CLEANUP_FREE char *path = path_in(directory, "seats.json");
	CLEANUP_FREE char *text = NULL;
	json_t *json;
	size_t size;
	int r;

	file_sweep(path);
	r = file_read(path, SEATS_FILE_MAX, &text, &size, err);

	if (r == -ENOENT) {
		*ret_seats = (struct state_seats){0};
		return 0;
	}
	if (r < 0)
		return r;
	r = json_parse_bytes(text, size, &json_limits_message, &json, err);
	if (r < 0)
		return err_prefix(err, r, "%s", path);
	r = read_seats(json, ret_seats, err);
	json_decref(json);
	return r < 0 ? err_prefix(err, r, "%s", path) : 0;
}

static void write_epoch(json_t *to, const char *name, const struct epoch *epoch)
{
	char text[EPOCH_TEXT_MAX];

	jput_text(to, name, epoch_format(epoch, text));
}

int state_save_seats(const char *directory, const struct state_seats *seats, struct err *err)
{
	CLEANUP_FREE char *path = path_in(directory, "seats.json");
	CLEANUP_FREE char *text = NULL;
	json_t *json = json_object(), *list = jput_array(json, "seats");
	size_t size;

	jput_bool(json, "stranger", seats->stranger);
	jput_u64(json, "floor", seats->floor);
	for (size_t i = 0; i < seats->count; i++) {
		const struct state_seat *seat = &seats->items[i];
		json_t *item = jput_object(list, NULL);

		jput_text(item, "endpoint", seat->endpoint);
		write_epoch(item, "highest", &seat->disk.highest);
		write_epoch(item, "served", &seat->disk.served);
		write_epoch(item, "released", &seat->disk.released);
		write_epoch(item, "claimed", &seat->disk.claimed);
	}
	text = json_compact(json, &size);
	json_decref(json);
	return file_write(path, text, size, 0600, err);
}

const struct seat_disk *state_find_seat(const struct state_seats *seats, const char *endpoint)
{
	for (size_t i = 0; i < seats->count; i++)
		if (!strcmp(seats->items[i].endpoint, endpoint))
			return &seats->items[i].disk;
	return NULL;
}

void state_keep_seats(struct state_seats *seats, const struct state_seats *before)
{
	for (size_t i = 0; i < before->count && seats->count < PROTO_ENDPOINTS_MAX; i++)
		if (!state_find_seat(seats, before->items[i].endpoint))
			seats->items[seats->count++] = before->items[i];
}
