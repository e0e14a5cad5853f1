/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/drill.h"

#include <errno.h>

#include "proto/message.h"

void drill_order_put(json_t *to, const char *name, const struct drill_order *order)
{
	json_t *object = jput_object(to, name);

	jput_text(object, "endpoint", order->endpoint);
	jput_hex64(object, "id", order->id);
	jput_u64(object, "for_ms", order->for_ms);
}

static int get_id(const struct jnode *from, uint64_t *ret_id, struct err *err)
{
	int r = jnode_hex64(from, "id", JSON_REQUIRED, ret_id, err);

	return r || *ret_id ? r : jnode_fail(from, err, -EINVAL, "an id of 0");
}

static int get_u32(
	const struct jnode *from, const char *name, uint64_t max, uint32_t *ret_value, struct err *err)
{
	uint64_t value;
	int r = jnode_u64(from, name, JSON_REQUIRED, 0, max, &value, err);

	if (!r)
		*ret_value = (uint32_t)value;
	return r;
}

int drill_order_get(
	const struct jnode *from, const char *name, struct drill_order *ret_order, struct err *err)
{
	struct drill_order order = {0};
	struct jnode object;
	int r;

	if ((r = jnode_object(from, name, JSON_REQUIRED, &object, err)) ||
		(r = jnode_name(
			 &object, "endpoint", JSON_REQUIRED, order.endpoint, sizeof(order.endpoint), err)) ||
		(r = get_id(&object, &order.id, err)) ||
		(r = get_u32(&object, "for_ms", DRILL_MS_MAX, &order.for_ms, err)))
		return r;
	*ret_order = order;
	return 0;
}

void drill_result_put(json_t *to, const char *name, const struct drill_result *result)
{
	json_t *object = jput_object(to, name), *rows;

	jput_hex64(object, "id", result->id);
	jput_text(object, "endpoint", result->endpoint);
	rows = jput_array(object, "rows");
	for (size_t i = 0; i < result->row_count; i++) {
		json_t *row = jput_object(rows, NULL);

		jput_text(row, "sender", result->rows[i].sender);
		jput_addr(row, "target", &result->rows[i].target);
		jput_u64(row, "sent", result->rows[i].sent);
		jput_u64(row, "received", result->rows[i].received);
	}
}

static int get_row(const struct jnode *from, struct drill_row *row, struct err *err)
{
	int r;

	if ((r = jnode_name(from, "sender", JSON_REQUIRED, row->sender, sizeof(row->sender), err)) ||
		(r = jnode_addr(from, "target", JSON_REQUIRED, &row->target, err)) ||
		(r = get_u32(from, "sent", UINT32_MAX, &row->sent, err)))
		return r;
	return get_u32(from, "received", UINT32_MAX, &row->received, err);
}

int drill_result_get(const struct jnode *from, const char *name, struct drill_result *result, struct err *err)
{
	struct jnode object, rows;
	int r = jnode_object(from, name, JSON_OPTIONAL, &object, err);

	if (r || !object.json)
		return r;
	if ((r = get_id(&object, &result->id, err)) ||
		(r = jnode_name(&object, "endpoint", JSON_REQUIRED, result->endpoint,
			 sizeof(result->endpoint), err)) ||
		(r = jnode_array(&object, "rows", JSON_REQUIRED, DRILL_ROWS_MAX, &rows, err)))
		return r;
	result->row_count = jnode_count(&rows);
	for (size_t i = 0; !r && i < result->row_count; i++) {
		struct jnode item = jnode_item(&rows, i);

		r = get_row(&item, &result->rows[i], err);
	}
	return r;
}
