/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_CLOCK_H
#define HOLDFAST_IO_CLOCK_H

#include <stdint.h>

/* The clocks, read in one place. Cores take now_ms as an argument and never come here. */
int64_t clock_now_ms(void);      /* CLOCK_MONOTONIC */
int64_t clock_now_us(void);      /* CLOCK_MONOTONIC */
int64_t clock_boottime_ms(void); /* CLOCK_BOOTTIME: also counts while suspended (clock_gettime(2)) */
int64_t clock_wall_ms(void);     /* since 1970, for people and certificates only */
/* A random number that tells this life of this process from any other (getrandom(2)); never 0. */
uint64_t clock_boot_id(void);

#endif
