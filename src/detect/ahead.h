/* SPDX-License-Identifier: Apache-2.0
 *
 * detect/ahead.h - records whose tokens were made before they come here, by another thread perhaps.
 *
 * Making the tokens of a record depends on nothing but its text, and is about half of the work; so who reads records ahead
 * of the judging makes them too (alm_log_shapes_tokenise with lines_only false, then alm_tokens_keep). The result is the
 * same as without: `tokens` NULL makes them here. */
#ifndef ALM_DETECT_AHEAD_H
#define ALM_DETECT_AHEAD_H

#include "detect/log_shape.h"
#include <allmende/detect.h>

/* tokens are of event->text and are needed during the call only. */
alm_status alm_learn_add_tokens(alm_learner *l, const alm_event *event, const alm_kept_tokens *tokens, alm_error *err);
alm_status alm_detect_feed_tokens(alm_detection *d, const alm_event *event, const alm_kept_tokens *tokens,
                                  alm_verdict *out, alm_error *err);

#endif
