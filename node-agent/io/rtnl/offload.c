/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/rtnl/offload.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"

/* netdev_features_t has 64 bits, and a second word is to come: twice of that is room enough. */
enum { FEATURES_MAX = 256, BITS = 32, BLOCKS_MAX = FEATURES_MAX / BITS };

static const char *const joining[] = {"rx-gro-list", "rx-udp-gro-forwarding"};

/* Features are bits whose names the kernel tells. */
struct features {
	int fd;
	struct ifreq request;
	unsigned count;
	char names[FEATURES_MAX][ETH_GSTRING_LEN];
};

static int ask(struct features *features, void *question)
{
	features->request.ifr_data = question;
	return ioctl(features->fd, SIOCETHTOOL, &features->request) < 0 ? -errno : 0;
}

static int read_count(struct features *features)
{
	union {
		struct ethtool_sset_info info;
		unsigned char room[sizeof(struct ethtool_sset_info) + sizeof(__u32)];
	} question = {.room = {0}};
	int r;

	question.info.cmd = ETHTOOL_GSSET_INFO;
	question.info.sset_mask = 1ULL << ETH_SS_FEATURES;
	r = ask(features, &question);
	features->count = r >= 0 && question.info.sset_mask ? question.info.data[0] : 0;
	return features->count > FEATURES_MAX ? -E2BIG : r;
}

static int read_names(struct features *features)
{
	union {
		struct ethtool_gstrings strings;
		unsigned char room[sizeof(struct ethtool_gstrings) + FEATURES_MAX * ETH_GSTRING_LEN];
	} question = {.room = {0}};
	int r = read_count(features);

	if (r < 0)
		return r;
	question.strings.cmd = ETHTOOL_GSTRINGS;
	question.strings.string_set = ETH_SS_FEATURES;
	question.strings.len = features->count;
	r = ask(features, &question);
	if (r >= 0)
		memcpy(features->names, question.strings.data, sizeof(features->names));
	return r;
}

static void features_close(struct features *features)
{
	if (features->fd >= 0)
		close(features->fd);
}

static int features_open(struct features *features, const char *device)
{
	*features = (struct features){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
	if (features->fd < 0)
		return -errno;
	if (!text_copy(features->request.ifr_name, sizeof(features->request.ifr_name), device))
		return -ENODEV;
	return read_names(features);
}

/* -1: this kernel has none of that name. */
static int find(const struct features *features, const char *name)
{
	for (unsigned i = 0; i < features->count; i++)
		if (!strncmp(features->names[i], name, ETH_GSTRING_LEN))
			return (int)i;
	return -1;
}

static int any_is_active(struct features *features, bool *ret_any)
{
	union {
		struct ethtool_gfeatures features;
		unsigned char room[sizeof(struct ethtool_gfeatures) +
				   BLOCKS_MAX * sizeof(struct ethtool_get_features_block)];
	} question = {.room = {0}};
	int r;

	*ret_any = false;
	question.features.cmd = ETHTOOL_GFEATURES;
	question.features.size = BLOCKS_MAX;
	r = ask(features, &question);
	for (size_t i = 0; r >= 0 && i < ARRAY_COUNT(joining); i++) {
		int bit = find(features, joining[i]);

		if (bit >= 0 && question.features.features[bit / BITS].active >> bit % BITS & 1)
			*ret_any = true;
	}
	return r;
}

/* Those that the kernel has; another block than theirs stays as it is. */
static int switch_off(struct features *features)
{
	union {
		struct ethtool_sfeatures features;
		unsigned char room[sizeof(struct ethtool_sfeatures) +
				   BLOCKS_MAX * sizeof(struct ethtool_set_features_block)];
	} question = {.room = {0}};

	question.features.cmd = ETHTOOL_SFEATURES;
	question.features.size = (features->count + BITS - 1) / BITS;
	for (size_t i = 0; i < ARRAY_COUNT(joining); i++) {
		int bit = find(features, joining[i]);

		if (bit >= 0)
			question.features.features[bit / BITS].valid |= 1U << bit % BITS;
	}
	return ask(features, &question);
}

/* A device without any such interface (-EOPNOTSUPP) joins nothing. */
int offload_joins_udp(const char *device, bool *ret_joins, struct err *err)
{
	struct features features;
	int r = features_open(&features, device);

	*ret_joins = false;
	if (r >= 0)
		r = any_is_active(&features, ret_joins);
	features_close(&features);
	return r < 0 && r != -EOPNOTSUPP ? err_set(err, r, "ethtool -k %s: %s", device, strerror(-r)) : 0;
}

int offload_stop_joining_udp(const char *device, struct err *err)
{
	struct features features;
	bool joins = false;
	int r = features_open(&features, device);

	if (r >= 0)
		r = switch_off(&features);
	if (r >= 0)
		r = any_is_active(&features, &joins);
	if (r >= 0 && joins)
		r = -EOPNOTSUPP;
	features_close(&features);
	return r < 0 ? err_set(err, r, "ethtool -K %s %s off %s off: %s", device, joining[0], joining[1],
			       strerror(-r))
		     : 0;
}
