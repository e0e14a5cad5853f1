/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/json/write.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"

/* jansson says NULL or -1 only when memory is out (texts are made UTF-8 before): the one place that ends it. */
static json_t *must(json_t *json)
{
	if (!json)
		mem_new(SIZE_MAX, 2);
	return json;
}

void jput_json(json_t *to, const char *name, json_t *value)
{
	int r = name ? json_object_set_new(to, name, value) : json_array_append_new(to, value);

	if (r < 0)
		must(NULL);
}

json_t *jput_object(json_t *to, const char *name)
{
	json_t *object = must(json_object());

	jput_json(to, name, object);
	return object;
}

json_t *jput_array(json_t *to, const char *name)
{
	json_t *array = must(json_array());

	jput_json(to, name, array);
	return array;
}

/* The length of the valid UTF-8 sequence at p (RFC 3629: shortest form, no surrogates, to U+10FFFF); 0: none. */
static size_t sequence_length(const unsigned char *p)
{
	size_t length = p[0] < 0x80   ? 1
			: p[0] < 0xc2 ? 0
			: p[0] < 0xe0 ? 2
			: p[0] < 0xf0 ? 3
			: p[0] < 0xf5 ? 4
				      : 0;

	for (size_t i = 1; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
		(p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return length;
}

static char *to_utf8(const char *text)
{
	struct text clean = {0};

	for (const unsigned char *p = (const unsigned char *)text; *p;) {
		size_t length = sequence_length(p);

		text_add_bytes(
			&clean, length > 0 ? (const char *)p : "\xef\xbf\xbd", length > 0 ? length : 3);
		p += length > 0 ? length : 1;
	}
	return text_take(&clean);
}

void jput_text(json_t *to, const char *name, const char *text)
{
	json_t *json;

	if (!text)
		return;
	json = json_string(text);
	if (!json) {
		char *clean CLEANUP_FREE = to_utf8(text);

		json = must(json_string(clean));
	}
	jput_json(to, name, json);
}

void jput_text_of(json_t *to, const char *name, const char *format, ...)
{
	char *text CLEANUP_FREE = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		must(NULL);
	va_end(arguments);
	jput_text(to, name, text);
}

void jput_bool(json_t *to, const char *name, bool value)
{
	jput_json(to, name, json_boolean(value));
}

void jput_u64(json_t *to, const char *name, uint64_t value)
{
	jput_i64(to, name, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

void jput_i64(json_t *to, const char *name, int64_t value)
{
	jput_json(to, name, must(json_integer(value)));
}

void jput_hex64(json_t *to, const char *name, uint64_t value)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(value >> (56 - 8 * i));
	jput_hex(to, name, bytes, sizeof bytes);
}

void jput_hex(json_t *to, const char *name, const void *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	char *hex CLEANUP_FREE = mem_new(2 * size + 1, 1);

	for (size_t i = 0; i < size; i++) {
		hex[2 * i] = digits[((const uint8_t *)bytes)[i] >> 4];
		hex[2 * i + 1] = digits[((const uint8_t *)bytes)[i] & 15];
	}
	jput_text(to, name, hex);
}

void jput_addr(json_t *to, const char *name, const struct addr *addr)
{
	char buffer[ADDR_TEXT_MAX];

	if (addr_is_set(addr))
		jput_text(to, name, addr_format(addr, buffer, sizeof buffer));
}

void jput_prefix(json_t *to, const char *name, const struct prefix *prefix)
{
	char buffer[PREFIX_TEXT_MAX];

	if (addr_is_set(&prefix->addr))
		jput_text(to, name, prefix_format(prefix, buffer, sizeof buffer));
}

void jput_endpoint(json_t *to, const char *name, const struct endpoint *endpoint)
{
	char buffer[ENDPOINT_TEXT_MAX];

	if (addr_is_set(&endpoint->addr))
		jput_text(to, name, endpoint_format(endpoint, buffer, sizeof buffer));
}

void jput_key(json_t *to, const char *name, const struct key *key)
{
	char buffer[KEY_TEXT_MAX];

	jput_text(to, name, key_format(key, buffer));
	mem_wipe(buffer, sizeof buffer);
}

static int add(const char *bytes, size_t size, void *context)
{
	text_add_bytes(context, bytes, size);
	return 0;
}

static char *dump(const json_t *json, size_t flags, size_t *ret_size)
{
	struct text text = {0};

	if (json_dump_callback(json, add, &text, flags | JSON_ENCODE_ANY) < 0)
		must(NULL);
	if (ret_size)
		*ret_size = text.length;
	return text_take(&text);
}

char *json_compact(const json_t *json, size_t *ret_size)
{
	return dump(json, JSON_COMPACT, ret_size);
}

char *json_canonical(const json_t *json, size_t *ret_size)
{
	return dump(json, JSON_COMPACT | JSON_SORT_KEYS, ret_size);
}

char *json_pretty(const json_t *json, size_t *ret_size)
{
	return dump(json, JSON_INDENT(2), ret_size);
}
