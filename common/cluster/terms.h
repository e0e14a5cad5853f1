/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLUSTER_TERMS_H
#define HOLDFAST_CLUSTER_TERMS_H

#include <stddef.h>
#include <stdint.h>

/*
 * `isolation: fence`: the terms on which an endpoint is served are its lease and its pool. Whoever asks for leave, and
 * whoever gives it, must go by the same ones: a promise for a shorter lease than the owner's, or of a pool that is not
 * the owner's, is worth nothing. So a claim names its terms, and one of other terms is not answered.
 */

/* A number that stands for both, whatever the order of the names. Begin with terms_of_lease() and add every member. */
uint64_t terms_of_lease(uint32_t lease_ms);
uint64_t terms_add_member(uint64_t terms, const char *name);

#endif
