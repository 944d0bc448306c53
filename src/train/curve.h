/* SPDX-License-Identifier: Apache-2.0
 *
 * train/curve.h - the learning curve as a picture. */
#ifndef ALM_TRAIN_CURVE_H
#define ALM_TRAIN_CURVE_H

#include "base/buf.h"
#include "train/train.h"

/* Words of the picture, so that the program can say them in the user's language. NULL: English. */
typedef struct alm_curve_words {
    const char *title; /* "model.gguf" */
    const char *step, *loss, *training, *evaluation, *best, *rate;
} alm_curve_words;

/* One SVG file, 880 x 500, light or dark as the viewer is: losses of the steps (faint) and their moving mean, evaluation
 * losses, the best of them, and the learning rate below. The size does not grow with n: at most 800 points are drawn a line. n 0 is an empty frame. */
alm_status alm_curve_svg(alm_buf *out, const alm_train_point *point, size_t n, const alm_curve_words *words,
                         alm_error *err);

#endif
