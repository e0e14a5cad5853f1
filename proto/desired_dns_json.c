/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "common/base/host.h"
#include "proto/desired_json.h"

/* Left out where there are none. */
void desired_dns_put(json_t *to, const struct texts *dns)
{
	json_t *array = dns->count ? jput_array(to, "dns") : NULL;

	for (size_t i = 0; i < dns->count; i++)
		jput_text(array, NULL, dns->items[i]);
}

/* They become lines of resolv.conf(5), and words of a program's. */
int desired_dns_get(const struct jnode *from, struct texts *dns, struct err *err)
{
	char word[HOST_MAX + 1];
	struct jnode array;
	struct addr server;
	int r = jnode_array(from, "dns", JSON_OPTIONAL, PROTO_DNS_MAX, &array, err);

	for (size_t i = 0; !r && i < jnode_count(&array); i++) {
		struct jnode item = jnode_item(&array, i);

		r = jnode_text(&item, NULL, JSON_REQUIRED, word, sizeof(word), err);
		if (!r && addr_parse(word, &server, NULL) < 0 && !host_is_name(word))
			r = jnode_fail(&item, err, -EINVAL, "neither an address nor a domain");
		if (!r)
			texts_add(dns, word);
	}
	return r;
}
