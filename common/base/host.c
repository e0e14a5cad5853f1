/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/host.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "common/base/text.h"

static bool is_label(const char *label, size_t length)
{
	if (!length || length > HOST_LABEL_MAX || label[0] == '-' || label[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)label[i]) && label[i] != '-' && label[i] != '_')
			return false;
	return true;
}

bool host_is_name(const char *text)
{
	size_t length = strlen(text);
	const char *label = text;
	bool digits = true;

	if (length > HOST_MAX)
		return false;
	if (length && text[length - 1] == '.')
		length--;
	for (;;) {
		size_t left = length - (size_t)(label - text);
		const char *dot = memchr(label, '.', left);
		size_t size = dot ? (size_t)(dot - label) : left;

		if (!is_label(label, size))
			return false;
		digits = strspn(label, "0123456789") >= size;
		if (!dot)
			return !digits;
		label = dot + 1;
	}
}

int host_parse(const char *text, char ret_name[HOST_MAX + 1], uint16_t *ret_port, struct err *err)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;
	char name[HOST_MAX + 1];
	uint64_t port;

	if (!length || length > HOST_MAX || text_to_u64(colon + 1, 1, UINT16_MAX, &port) < 0)
		return err_set(
			err, -EINVAL, "\"%.300s\" is not NAME:PORT such as site1.example.net:51820", text);
	memcpy(name, text, length);
	name[length] = '\0';
	if (!host_is_name(name))
		return err_set(err, -EINVAL, "\"%s\" is not the name of a host", name);
	memcpy(ret_name, name, length + 1);
	*ret_port = (uint16_t)port;
	return 0;
}
