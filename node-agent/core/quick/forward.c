/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/quick/forward.h"

#include <errno.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"

/* What the kernel takes for a name (dev_valid_name()), less what would end it in a listing. */
static bool is_interface(const char *name)
{
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (*name <= ' ' || strchr("/:\"\x7f", *name))
			return false;
	return true;
}

static int read_interface(const struct conf_node *map, char interface[IFNAMSIZ], struct err *err)
{
	const struct conf_node *node;
	const char *name;
	int r = conf_require(map, "interface", &node, err);

	if (r >= 0)
		r = conf_get_text(map, "interface", IFNAMSIZ - 1, &name, err);
	if (r < 0)
		return r;
	if (!is_interface(name))
		return conf_fail(node, err, -EINVAL, "interface: \"%s\" is no name for an interface", name);
	text_copy(interface, IFNAMSIZ, name);
	return 0;
}

static int read_source(const struct conf_node *map, struct quick_snat *snat, struct err *err)
{
	int r = conf_require(map, "from", NULL, err);

	if (r >= 0)
		r = conf_get_prefix(map, "from", &snat->from, err);
	if (r < 0)
		return r;
	snat->from = prefix_mask(&snat->from);
	return read_interface(map, snat->interface, err);
}

static int read_masquerade(const struct conf_node *map, struct quick_snat *snat, struct err *err)
{
	static const char *const known[] = {"from", "interface"};
	int r = conf_check_keys(map, known, ARRAY_COUNT(known), err);

	return r < 0 ? r : read_source(map, snat, err);
}

static int read_snat(const struct conf_node *map, struct quick_snat *snat, struct err *err)
{
	static const char *const known[] = {"from", "interface", "to"};
	const struct conf_node *to;
	int r = conf_check_keys(map, known, ARRAY_COUNT(known), err);

	if (r >= 0)
		r = read_source(map, snat, err);
	if (r >= 0)
		r = conf_require(map, "to", &to, err);
	if (r >= 0)
		r = conf_get_addr(map, "to", &snat->to, err);
	if (r >= 0 && snat->to.family != snat->from.addr.family)
		return conf_fail(to, err, -EINVAL, "to: %s and from are of different families", to->text);
	return r;
}

static int read_list(const struct conf_node *node, const char *key,
	int (*read)(const struct conf_node *map, struct quick_snat *snat, struct err *err),
	struct quick_forward *forward, struct err *err)
{
	const struct conf_node *list = conf_find(node, key);
	size_t count = conf_list_count(list);
	int r = 0;

	if (count > QUICK_SNAT_MAX)
		return conf_fail(list, err, -E2BIG, "%s: %zu are too many: at most %d", key, count,
			(int)QUICK_SNAT_MAX);
	for (size_t i = 0; i < count && r >= 0; i++) {
		r = read(conf_list_item(list, i), &forward->snat[forward->snat_count++], err);
		if (r < 0)
			return err_prefix(err, r, "%s", key);
	}
	return 0;
}

static int read_policy(const struct conf_node *node, struct quick_forward *forward, struct err *err)
{
	static const char *const policies[] = {"accept", "drop"};
	unsigned policy = 0;
	int r = conf_get_word(node, "default", policies, ARRAY_COUNT(policies), &policy, err);

	forward->drop = policy == 1;
	return r;
}

int quick_forward_read(const struct conf_node *node, struct quick_forward *ret_forward, struct err *err)
{
	static const char *const known[] = {"default", "snat", "masquerade", "clamp_mss"};
	struct quick_forward forward = {.is_wanted = node != NULL};
	int r = node ? conf_check_keys(node, known, ARRAY_COUNT(known), err) : 0;

	if (r >= 0)
		r = read_policy(node, &forward, err);
	if (r >= 0)
		r = read_list(node, "snat", read_snat, &forward, err);
	if (r >= 0)
		r = read_list(node, "masquerade", read_masquerade, &forward, err);
	if (r >= 0)
		r = conf_get_bool(node, "clamp_mss", &forward.clamp_mss, err);
	if (r < 0)
		return err_prefix(err, r, "forward");
	*ret_forward = forward;
	return 0;
}

bool quick_forward_translates(const struct quick_forward *forward, int family)
{
	for (size_t i = 0; i < forward->snat_count; i++)
		if (forward->snat[i].from.addr.family == family)
			return true;
	return false;
}
