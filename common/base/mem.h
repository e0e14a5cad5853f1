/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_BASE_MEM_H
#define HOLDFAST_BASE_MEM_H

#include <stddef.h>

/*
 * Memory. The one place that meets an allocator that says no: it prints a line and aborts. The kernel keeps
 * serving meanwhile and the restarted daemon adopts, so nobody else in the code checks for NULL.
 */

/* Zeroed; count * size is checked for overflow. Free with free(). */
void *mem_new(size_t count, size_t size);

/* Make room for at least `need` items in *array (capacity in items in *capacity); grows by doubling, new room
 * is zeroed. Returns the (maybe moved) array, also stored nowhere: array = mem_grow(array, &capacity, need,
 * sizeof *array). */
void *mem_grow(void *array, size_t *capacity, size_t need, size_t item_size);

/* Copies; NULL gives NULL. */
char *mem_text(const char *text);
void *mem_copy(const void *data, size_t size_bytes);

/* Overwrite with zeros in a way the compiler may not remove. NULL-safe. */
void mem_wipe(void *data, size_t size_bytes);

/* For __attribute__((cleanup)): free what a local pointer points at when it goes out of scope. */
void mem_free_pointer(void *pointer_to_pointer);
#define CLEANUP_FREE __attribute__((cleanup(mem_free_pointer)))

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
