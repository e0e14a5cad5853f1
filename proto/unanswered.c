/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/unanswered.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "proto/message.h"

void unanswered_put(json_t *to, const char *name, const struct unanswered *items, size_t count)
{
	json_t *array = jput_array(to, name);

	for (size_t i = 0; i < count; i++) {
		json_t *item = jput_object(array, NULL);

		jput_text(item, "tunnel", items[i].tunnel);
		jput_key(item, "public_key", &items[i].public_key);
		jput_prefix(item, "prefix", &items[i].prefix);
	}
}

static int get_one(const struct jnode *from, struct unanswered *item, struct err *err)
{
	int r;

	if ((r = jnode_name(from, "tunnel", JSON_REQUIRED, item->tunnel, sizeof(item->tunnel), err)) ||
		(r = jnode_key(from, "public_key", JSON_REQUIRED, &item->public_key, err)))
		return r;
	return jnode_prefix(from, "prefix", JSON_REQUIRED, &item->prefix, err);
}

int unanswered_get(const struct jnode *array, struct unanswered *ret_items, struct err *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < jnode_count(array); i++) {
		struct jnode item = jnode_item(array, i);

		r = get_one(&item, &ret_items[i], err);
	}
	return r;
}

void unanswered_news_put(json_t *to, const char *name, const struct unanswered_news *news)
{
	json_t *object = jput_object(to, name), *tunnels = jput_array(object, "tunnels");

	for (size_t i = 0; i < news->tunnel_count; i++)
		jput_text(tunnels, NULL, news->tunnels[i]);
	unanswered_put(object, "claims", news->items, news->count);
}

static int get_tunnels(const struct jnode *from, struct unanswered_news *news, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, "tunnels", JSON_REQUIRED, PROTO_TUNNELS_MAX, &array, err);

	for (size_t i = 0; !r && i < jnode_count(&array); i++) {
		struct jnode item = jnode_item(&array, i);

		r = jnode_name(&item, NULL, JSON_REQUIRED, news->tunnels[i], sizeof(news->tunnels[i]), err);
		news->tunnel_count = i + 1;
	}
	return r;
}

static int get_claims(const struct jnode *from, struct unanswered_news *news, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, "claims", JSON_REQUIRED, UNANSWERED_TOLD_MAX, &array, err);

	if (r)
		return r;
	news->count = jnode_count(&array);
	if (news->count)
		news->items = mem_new(news->count, sizeof(*news->items));
	return unanswered_get(&array, news->items, err);
}

int unanswered_news_get(
	const struct jnode *from, const char *name, struct unanswered_news **ret_news, struct err *err)
{
	struct unanswered_news *news;
	struct jnode object;
	int r = jnode_object(from, name, JSON_REQUIRED, &object, err);

	if (r)
		return r;
	news = mem_new(1, sizeof(*news));
	r = get_tunnels(&object, news, err);
	if (!r)
		r = get_claims(&object, news, err);
	if (r)
		unanswered_news_free(news);
	else
		*ret_news = news;
	return r;
}

bool unanswered_news_is_of(const struct unanswered_news *news, const char *tunnel)
{
	for (size_t i = 0; i < news->tunnel_count; i++)
		if (!strcmp(news->tunnels[i], tunnel))
			return true;
	return false;
}

static bool same(const struct unanswered *a, const struct unanswered *b)
{
	return !strcmp(a->tunnel, b->tunnel) && key_equal(&a->public_key, &b->public_key) &&
	       prefix_equal(&a->prefix, &b->prefix);
}

bool unanswered_news_equal(const struct unanswered_news *a, const struct unanswered_news *b)
{
	if (a->tunnel_count != b->tunnel_count || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->tunnel_count; i++)
		if (strcmp(a->tunnels[i], b->tunnels[i]))
			return false;
	for (size_t i = 0; i < a->count; i++)
		if (!same(&a->items[i], &b->items[i]))
			return false;
	return true;
}

struct unanswered_news *unanswered_news_copy(const struct unanswered_news *news)
{
	struct unanswered_news *copy = mem_new(1, sizeof(*copy));

	*copy = *news;
	copy->items = news->count ? mem_copy(news->items, news->count * sizeof(*news->items)) : NULL;
	return copy;
}

void unanswered_news_free(struct unanswered_news *news)
{
	if (!news)
		return;
	free(news->items);
	free(news);
}
