/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <glob.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/quick/files.h"
#include "node-agent/io/quick/session.h"

/* Names that files of this machine turn into numbers: services, routing tables. */

int quick_service_port(const char *name, uint16_t *ret_port)
{
	char buffer[4096];
	struct servent service, *found = NULL;
	uint64_t number;

	if (text_to_u64(name, 0, UINT16_MAX, &number) >= 0) {
		*ret_port = (uint16_t)number;
		return 0;
	}

	if (getservbyname_r(name, "udp", &service, buffer, sizeof(buffer), &found) || !found)
		return -ENOENT;
	*ret_port = ntohs((uint16_t)found->s_port);
	return 0;
}

static int unknown_service(struct quick *quick, const struct quick_place *place, const char *name)
{
	return err_at(quick->err, -EINVAL, quick->path, place->line, place->column,
		"\"%.60s\" is neither a port nor a UDP service of /etc/services", name);
}

static int resolve_services(struct quick *quick)
{
	struct quick_config *config = &quick->config;
	uint16_t port;

	if (config->listen_service && quick_service_port(config->listen_service, &config->listen_port) < 0)
		return unknown_service(quick, &config->listen_place, config->listen_service);
	for (size_t i = 0; i < config->peer_count; i++) {
		const struct quick_peer *peer = &config->peers[i];

		if (peer->service && quick_service_port(peer->service, &port) < 0)
			return unknown_service(quick, &peer->endpoint_place, peer->service);
	}
	return 0;
}

/* Lines "NUMBER NAME". */
static bool find_in_file(const char *path, const char *name, uint32_t *ret_table)
{
	FILE *file = fopen(path, "re");
	char line[512], found[256];
	bool hit = false;
	unsigned table;

	while (file && !hit && fgets(line, sizeof(line), file))
		if (sscanf(line, " %i %255s", (int *)&table, found) == 2 && !strcmp(found, name)) {
			*ret_table = table;
			hit = true;
		}
	if (file)
		fclose(file);
	return hit;
}

static bool find_in_files(const char *pattern, const char *name, uint32_t *ret_table)
{
	glob_t found;
	bool hit = false;

	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc && !hit; i++)
			hit = find_in_file(found.gl_pathv[i], name, ret_table);
	globfree(&found);
	return hit;
}

/* As iproute2 reads a table: a number, or a name of its files. */
static int resolve_table(struct quick *quick)
{
	static const char *const files[] = {"/etc/iproute2/rt_tables", "/etc/iproute2/rt_tables.d/*.conf",
		"/usr/share/iproute2/rt_tables", "/usr/share/iproute2/rt_tables.d/*.conf",
		"/usr/lib/iproute2/rt_tables", "/usr/lib/iproute2/rt_tables.d/*.conf"};
	static const struct {
		const char *name;
		uint32_t number;
	} fixed[] = {{"default", 253}, {"main", 254}, {"local", 255}};
	const char *name = quick->config.table_name;
	unsigned long long number;
	char *end;

	if (quick->config.table != QUICK_TABLE_NAMED)
		return 0;
	number = strtoull(name, &end, 0);
	if (name[0] >= '0' && name[0] <= '9' && !*end && number > 0 && number <= UINT32_MAX) {
		quick->table_number = (uint32_t)number;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_COUNT(files); i++)
		if (find_in_files(files[i], name, &quick->table_number) && quick->table_number)
			return 0;
	for (size_t i = 0; i < ARRAY_COUNT(fixed); i++)
		if (!strcmp(fixed[i].name, name)) {
			quick->table_number = fixed[i].number;
			return 0;
		}
	return err_at(quick->err, -EINVAL, quick->path, quick->config.table_place.line,
		quick->config.table_place.column,
		"\"%.60s\" is not a table: off, auto, a number, or a name in /etc/iproute2/rt_tables", name);
}

int quick_resolve_names(struct quick *quick)
{
	int r = resolve_services(quick);

	return r < 0 ? r : resolve_table(quick);
}
