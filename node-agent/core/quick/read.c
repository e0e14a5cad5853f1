/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/quick/read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/quick/read_int.h"

enum { MESSAGE_MAX = 512, MTU_MAX = INT32_MAX };

int quick_fail(struct quick_reader *reader, const char *at, const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	return err_at(reader->err, -EINVAL, reader->file, reader->line->number,
		quick_column(reader->line, at), "%s", message);
}

void quick_warn(struct quick_reader *reader, const char *at, const char *format, ...)
{
	char message[MESSAGE_MAX], line[ERR_WHERE_MAX + ERR_TEXT_MAX + 32];
	struct err err = {0};
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	err_at(&err, 0, reader->file, reader->line->number, quick_column(reader->line, at), "%s", message);
	err_format(&err, line, sizeof(line));
	quick_warning_add(&reader->config->warnings, line);
}

/* The kernel refuses the second of two equal ones: IPv4 compares the length too, IPv6 does not. */
static bool same_address(const struct prefix *a, const struct prefix *b)
{
	return addr_equal(&a->addr, &b->addr) && (a->addr.family == AF_INET6 || a->length == b->length);
}

static int read_address(struct quick_reader *reader, struct quick_span word)
{
	struct quick_config *config = reader->config;
	char text[PREFIX_TEXT_MAX];
	struct prefix prefix;

	if (word.length >= sizeof(text))
		return quick_fail(reader, word.at, "an address is shorter than this");
	memcpy(text, word.at, word.length);
	text[word.length] = '\0';
	if (quick_address_parse(text, &prefix) < 0)
		return quick_fail(
			reader, word.at, "\"%s\" is not an address such as 10.0.0.2/24 or fd00::2/64", text);
	for (size_t i = 0; i < config->address_count; i++)
		if (same_address(&config->addresses[i], &prefix))
			return quick_fail(reader, word.at, "the address %s is here twice", text);
	if (config->address_count == QUICK_ADDRESSES_MAX)
		return quick_fail(reader, word.at, "more than %d addresses", (int)QUICK_ADDRESSES_MAX);
	config->addresses = mem_grow(
		config->addresses, &config->address_capacity, config->address_count + 1, sizeof(prefix));
	config->addresses[config->address_count++] = prefix;
	return 0;
}

static bool is_server(struct quick_span word)
{
	size_t plain = 0;

	while (plain < word.length &&
		(word.at[plain] == '.' || (word.at[plain] >= '0' && word.at[plain] <= '9')))
		plain++;
	return plain == word.length || memchr(word.at, ':', word.length);
}

static int read_dns(struct quick_reader *reader, struct quick_span word)
{
	struct quick_texts *to = is_server(word) ? &reader->config->dns : &reader->config->search;
	struct addr addr;

	if (word.length > QUICK_NAME_MAX)
		return quick_fail(
			reader, word.at, "a name is at most %d characters long", (int)QUICK_NAME_MAX);
	if (to->count == QUICK_DNS_MAX)
		return quick_fail(reader, word.at, "more than %d %s", (int)QUICK_DNS_MAX,
			to == &reader->config->dns ? "name servers" : "search domains");
	quick_texts_add(to, word.at, word.length);
	if (to == &reader->config->dns && !strchr(to->items[to->count - 1], '%') &&
		addr_parse(to->items[to->count - 1], &addr, NULL) < 0)
		return quick_fail(reader, word.at, "\"%.60s\" is not the address of a name server",
			to->items[to->count - 1]);
	return 0;
}

static int read_words(
	struct quick_reader *reader, int (*read)(struct quick_reader *reader, struct quick_span word))
{
	struct quick_span rest = reader->line->value, word;
	int r = 0;

	while (r >= 0 && quick_next_word(&rest, &word))
		r = read(reader, word);
	return r;
}

/* As ip(8) takes a number: strtoul(3) with any base. */
static int read_mtu(struct quick_reader *reader)
{
	struct quick_span value = reader->line->value;
	char text[16] = "", *end;
	unsigned long mtu;

	if (!value.length) {
		reader->config->mtu = 0;
		return 0;
	}
	if (value.length < sizeof(text))
		memcpy(text, value.at, value.length);
	mtu = strtoul(text, &end, 0);
	if (text[0] < '0' || text[0] > '9' || *end || !mtu || mtu > MTU_MAX)
		return quick_fail(reader, value.at, "\"%.*s\" is not an MTU in bytes, such as 1420",
			(int)(value.length < 40 ? value.length : 40), value.at);
	reader->config->mtu = (uint32_t)mtu;
	return 0;
}

static int read_table(struct quick_reader *reader)
{
	struct quick_config *config = reader->config;
	struct quick_span value = reader->line->value;

	if (value.length > QUICK_NAME_MAX)
		return quick_fail(reader, value.at, "no routing table has a name as long as this");
	free(config->table_name);
	config->table_name = mem_new(value.length + 1, 1);
	memcpy(config->table_name, value.at, value.length);
	config->table_place =
		(struct quick_place){reader->line->number, quick_column(reader->line, value.at)};
	if (!value.length || !strcmp(config->table_name, "auto"))
		config->table = QUICK_TABLE_AUTO;
	else if (!strcmp(config->table_name, "off"))
		config->table = QUICK_TABLE_OFF;
	else
		config->table = QUICK_TABLE_NAMED;
	return 0;
}

static int read_hook(struct quick_reader *reader, enum quick_hook hook)
{
	struct quick_texts *to = &reader->config->hooks[hook];
	struct quick_span value = reader->line->value;

	if (value.length > QUICK_HOOK_MAX_BYTES)
		return quick_fail(
			reader, value.at, "a hook is at most %d bytes long", (int)QUICK_HOOK_MAX_BYTES);
	if (to->count == QUICK_HOOKS_MAX)
		return quick_fail(
			reader, value.at, "more than %d of %s", (int)QUICK_HOOKS_MAX, quick_hook_name(hook));
	quick_texts_add(to, value.at, value.length);
	return 0;
}

static int read_save_config(struct quick_reader *reader)
{
	struct quick_span value = reader->line->value;

	if (!quick_span_is(value, "true") && !quick_span_is(value, "false"))
		return quick_fail(reader, value.at, "SaveConfig is neither true nor false");
	reader->config->save_config = quick_span_is(value, "true");
	return 0;
}

static bool matters_for_down(enum quick_key key)
{
	return key != QUICK_KEY_WG && key != QUICK_KEY_ADDRESS && key != QUICK_KEY_MTU;
}

static int read_line(struct quick_reader *reader)
{
	if (reader->for_down && !matters_for_down(reader->line->key))
		return 0;
	if (memchr(reader->line->raw.at, '\0', reader->line->raw.length))
		return quick_fail(reader, memchr(reader->line->raw.at, '\0', reader->line->raw.length),
			"a NUL byte: this is not a text file");
	if (reader->line->number == 1 && reader->line->raw.length >= 3 &&
		!memcmp(reader->line->raw.at, "\xef\xbb\xbf", 3))
		return quick_fail(reader, reader->line->raw.at,
			"the file begins with a byte order mark, which wg does not take: save it without "
			"one");
	switch (reader->line->key) {
	case QUICK_KEY_WG:
		return quick_read_wg(reader);
	case QUICK_KEY_ADDRESS:
		return read_words(reader, read_address);
	case QUICK_KEY_DNS:
		return read_words(reader, read_dns);
	case QUICK_KEY_MTU:
		return read_mtu(reader);
	case QUICK_KEY_TABLE:
		return read_table(reader);
	case QUICK_KEY_PRE_UP:
		return read_hook(reader, QUICK_PRE_UP);
	case QUICK_KEY_POST_UP:
		return read_hook(reader, QUICK_POST_UP);
	case QUICK_KEY_PRE_DOWN:
		return read_hook(reader, QUICK_PRE_DOWN);
	case QUICK_KEY_POST_DOWN:
		return read_hook(reader, QUICK_POST_DOWN);
	case QUICK_KEY_SAVE_CONFIG:
		return read_save_config(reader);
	}
	return 0;
}

static int read_lines(
	struct quick_reader reader, const char *text, size_t size, struct quick_config *ret_config)
{
	struct quick_config config = {0};
	struct quick_lines lines;
	struct quick_line line;
	int r = 0;

	reader.config = &config;
	quick_lines_init(&lines, text, size);
	while (r >= 0 && quick_lines_next(&lines, &line)) {
		reader.line = &line;
		r = read_line(&reader);
	}
	if (r >= 0)
		r = quick_end_peer(&reader);
	if (r < 0) {
		quick_config_clear(&config);
		return r;
	}
	quick_inherit_twins(&config);
	*ret_config = config;
	return 0;
}

int quick_read(
	const char *file, const char *text, size_t size, struct quick_config *ret_config, struct err *err)
{
	return read_lines((struct quick_reader){.file = file, .err = err}, text, size, ret_config);
}

int quick_read_for_down(
	const char *file, const char *text, size_t size, struct quick_config *ret_config, struct err *err)
{
	return read_lines(
		(struct quick_reader){.file = file, .err = err, .for_down = true}, text, size, ret_config);
}
