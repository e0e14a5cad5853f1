/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *memory, size_t size_bytes)
{
	if (memory)
		return memory;
	fprintf(stderr, "out of memory: %zu bytes wanted\n", size_bytes);
	abort();
}

static size_t product(size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		must(NULL, SIZE_MAX);
	return bytes;
}

void *mem_new(size_t count, size_t size)
{
	size_t bytes = product(count, size);

	return must(calloc(1, bytes > 0 ? bytes : 1), bytes);
}

void *mem_grow(void *array, size_t *capacity, size_t need, size_t item_size)
{
	size_t room = *capacity > 0 ? *capacity : 8;

	if (need <= *capacity)
		return array;
	while (room < need)
		room = room > SIZE_MAX / 2 ? need : room * 2;
	array = must(realloc(array, product(room, item_size)), room * item_size);
	memset((char *)array + *capacity * item_size, 0, (room - *capacity) * item_size);
	*capacity = room;
	return array;
}

char *mem_text(const char *text)
{
	return text ? mem_copy(text, strlen(text) + 1) : NULL;
}

void *mem_copy(const void *data, size_t size_bytes)
{
	void *copy;

	if (!data)
		return NULL;
	copy = mem_new(1, size_bytes);
	memcpy(copy, data, size_bytes);
	return copy;
}

void mem_wipe(void *data, size_t size_bytes)
{
	if (data)
		explicit_bzero(data, size_bytes);
}

void mem_free_pointer(void *pointer_to_pointer)
{
	void *pointer;

	memcpy(&pointer, pointer_to_pointer, sizeof pointer);
	free(pointer);
}
