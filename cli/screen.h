/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_SCREEN_H
#define HOLDFAST_CLI_SCREEN_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The whole terminal, for something that is drawn again and again: on its alternate screen, so that what was there comes
 * back when it ends, also by Ctrl-C, SIGTERM or SIGHUP. One at a time: signals have no context.
 */
struct screen {
	sigset_t signals_before;
};

/* -ENOTTY: standard output is no terminal. */
int screen_open(struct screen *screen);
void screen_close(struct screen *screen);

/* Draw text from the top, cut to the terminal's rows and columns (bytes beyond ASCII count as UTF-8 does). */
void screen_draw(const char *text);

/* Wait until there is cause to draw again: the time has passed, or the terminal has another size. False: it shall end. */
bool screen_wait(int64_t ms);

/* What screen_draw() writes, for a terminal of that size: pure. The caller frees. */
char *screen_fit(const char *text, unsigned rows, unsigned columns);

#endif
