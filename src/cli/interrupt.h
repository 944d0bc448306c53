/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/interrupt.h - Ctrl-C: the first asks the work to stop and keep what it has, the second ends the program. */
#ifndef ALM_CLI_INTERRUPT_H
#define ALM_CLI_INTERRUPT_H

#include <allmende/base.h>

/* SIGINT, SIGTERM and SIGHUP set the returned flag; a second one, a fifth of a second later or more, ends the program at once. SIGPIPE is
 * ignored, so that a reader that went away is an error of write. Standard descriptors that are closed are
 * opened on /dev/null against their direction, so that no file that is opened later becomes standard output by accident. */
alm_cancel *alm_interrupt_start(void);

#endif
