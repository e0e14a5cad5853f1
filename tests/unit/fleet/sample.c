/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/fleet/sample.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

#define WG0_KEY "X4LDvyoueTRbmD0krGvriprmvGdab5d0A/1K/Tgqpxw="

const char sample_base[] =
	"fleet: edge\n"
	"gateways:\n"
	"  gw-a: { address: 10.9.0.11, interfaces: { wan: eth0, lan: eth1 } }\n"
	"  gw-b: { address: 10.9.0.12, interfaces: { wan: ens3, lan: ens4 } }\n"
	"virtual_endpoints:\n"
	"  vpn:\n"
	"    gateways: [gw-a, gw-b]\n"
	"    tunnels: [wg0]\n"
	"    dial: { interface: wan, addresses: 10.9.0.100 }\n"
	"tunnels:\n"
	"  wg0: { private_key_file: wg0.key, public_key: \"" WG0_KEY "\", listen_port: 51820 }\n";

struct sample_files sample_list(const char *directory)
{
	struct sample_files files = {0};
	char pattern[256];
	glob_t found;

	(void)snprintf(pattern, sizeof(pattern), "tests/unit/fleet/%s/*.yaml", directory);
	ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
	files.count = found.gl_pathc;
	files.paths = mem_new(files.count, sizeof(*files.paths));
	for (size_t i = 0; i < files.count; i++)
		files.paths[i] = mem_text(found.gl_pathv[i]);
	globfree(&found);
	return files;
}

void sample_files_clear(struct sample_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->paths[i]);
	free(files->paths);
}

char *sample_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char buffer[4096];
	struct text text = {0};
	size_t got;

	if (!file)
		return NULL;
	while ((got = fread(buffer, 1, sizeof(buffer), file)) > 0)
		text_add_bytes(&text, buffer, got);
	fclose(file);
	return text_take(&text);
}

char *sample_read(const struct fleet_source *sources, size_t count, struct fleet **ret_fleet)
{
	struct diagnostics diagnostics = {0};
	struct text text = {0};
	char line[DIAGNOSTIC_TEXT_MAX];
	int r;

	*ret_fleet = NULL;
	r = fleet_read(sources, count, ret_fleet, &diagnostics);
	ck_assert_int_eq(r == 0, diagnostics.errors == 0);
	ck_assert_int_eq(r == 0, *ret_fleet != NULL);
	for (size_t i = 0; i < diagnostics.count; i++)
		text_add(&text, "%s%s\n", diagnostic_format(&diagnostics.items[i], line, sizeof(line)),
			diagnostic_is_warning(&diagnostics.items[i]) ? " (warning)" : "");
	diagnostics_clear(&diagnostics);
	return text_take(&text);
}

char *sample_read_text(const char *name, const char *text, struct fleet **ret_fleet)
{
	struct fleet_source source = {.name = name, .text = text, .size = strlen(text)};

	return sample_read(&source, 1, ret_fleet);
}

char *sample_key(unsigned number, char buffer[KEY_TEXT_MAX])
{
	struct key key = {{0}};

	for (size_t i = 0; i < 4; i++)
		key.bytes[i] = (uint8_t)(number >> (24 - 8 * i));
	key.bytes[31] = 1;
	return key_format(&key, buffer);
}

char *sample_with_peers(size_t count)
{
	struct text text = {0};
	char key[KEY_TEXT_MAX];

	text_add(&text, "%speers:\n", sample_base);
	for (size_t i = 0; i < count; i++)
		text_add(&text, "  p%zu: { public_key: \"%s\", allowed_ips: 10.%zu.%zu.%zu/32 }\n", i,
			sample_key((unsigned)i, key), 64 + (i >> 16), i >> 8 & 255, i & 255);
	return text_take(&text);
}

struct desired *sample_compile(const struct fleet *fleet, const char *gateway)
{
	struct fleet_issue issue = {.generation = 1, .store = 42, .controller = "ctl"};
	memset(issue.grant_key.bytes, 0xab, KEY_BYTES);
	const struct fleet_gateway *found = fleet_find_gateway(fleet, gateway);

	ck_assert_msg(found != NULL, "no gateway %s", gateway);
	return fleet_compile(fleet, (size_t)(found - fleet->gateways), &issue);
}
