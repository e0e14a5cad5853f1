/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/host.h"
#include "controller/core/fleet/reader.h"

static bool is_server(const char *text)
{
	struct addr addr;

	return addr_parse(text, &addr, NULL) >= 0;
}

/* A server's address, or a search domain: wg-quick tells them apart likewise. */
static void read_item(struct reader *reader, const struct conf_node *item, struct texts *to)
{
	const char *text;

	if (!reader_ok_in(reader, "dns", conf_as_text(item, HOST_MAX, &text, &reader->err)))
		return;
	if (!is_server(text) && !host_is_name(text)) {
		reader_fail(reader, item, "dns: \"%s\" is neither an address nor a domain", text);
		return;
	}
	texts_add(to, text);
}

bool reader_dns(struct reader *reader, const struct conf_node *map, size_t max, struct texts *to)
{
	const struct conf_node *list = reader_list(reader, map, "dns", max);

	for (size_t i = 0; i < conf_list_count(list); i++)
		read_item(reader, conf_list_item(list, i), to);
	return conf_find(map, "dns") != NULL;
}

void read_dns(struct reader *reader, const struct conf_node *map, struct texts *dns)
{
	struct texts found = {0};
	bool serves = false;

	if (!reader_dns(reader, map, PROTO_DNS_MAX, &found))
		return;
	texts_clear(dns);
	*dns = found;
	for (size_t i = 0; i < found.count; i++)
		serves |= is_server(found.items[i]);
	if (found.count && !serves)
		reader_fail(reader, conf_find(map, "dns"),
			"dns: domains to search, and no server to ask for them: add its address");
}
