/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/search.c - scales and codes with a small error (search.h). */
#include "dtype/search.h"

#include <math.h>
#include <string.h>

enum { ROUNDS = 4 };

static float as_f16(float v) {
    if (v > 65504) v = 65504;
    if (v < -65504) v = -65504;
    return alm_f16_to_f32(alm_f16_from_f32(v));
}

/* v cut to low..high and rounded; a NaN counts as low. Without branches: over arrays it becomes lanes. */
static inline int nearest(float v, int low, int high) {
    float above = v - (float)low, most = (float)(high - low);
    above = above > 0 ? above : 0;
    above = above < most ? above : most;
    return (int)(above + 0.5F) + low;
}

/* Sums in eight parts, so that they become lanes; their order is fixed. n: a multiple of 8. */
static double sum_of_products(const float *a, const float *b, size_t n) {
    float part[8] = {0};
    for (size_t i = 0; i < n; i += 8)
        for (size_t l = 0; l < 8; l++) part[l] += a[i + l] * b[i + l];
    return ((double)part[0] + (double)part[1]) + ((double)part[2] + (double)part[3]) +
           (((double)part[4] + (double)part[5]) + ((double)part[6] + (double)part[7]));
}
static double sum_of(const float *a, size_t n) {
    float part[8] = {0};
    for (size_t i = 0; i < n; i += 8)
        for (size_t l = 0; l < 8; l++) part[l] += a[i + l];
    return ((double)part[0] + (double)part[1]) + ((double)part[2] + (double)part[3]) +
           (((double)part[4] + (double)part[5]) + ((double)part[6] + (double)part[7]));
}
static double sum_of_squares(const float *a, size_t n) { return sum_of_products(a, a, n); }

static void only_finite(float *to, const float *x, size_t n) {
    for (size_t i = 0; i < n; i++) to[i] = isfinite(x[i]) ? x[i] : 0;
}

/* -- a scale for each group ---------------------------------------------------------------------------------------------- */

/* The level with the smallest distance to x[i] inverse, for each number of a group. */
static void levels_of(const alm_scale_search *how, float *to, const float *x, float inverse) {
    const size_t n = how->group;
    if (!how->level) {
        for (size_t i = 0; i < n; i++) to[i] = (float)nearest(x[i] * inverse, how->low, how->high);
        return;
    }
    for (size_t i = 0; i < n; i++) to[i] = (float)how->level[0];
    for (size_t k = 0; k < 15; k++) {
        float middle = (float)(how->level[k] + how->level[k + 1]) * 0.5F,
              step = (float)(how->level[k + 1] - how->level[k]);
        for (size_t i = 0; i < n; i++) to[i] += x[i] * inverse > middle ? step : 0;
    }
}

static int code_of(const alm_scale_search *how, float level) {
    int code = 0;
    if (!how->level) return (int)level;
    while (code < 15 && (float)how->level[code] < level) code++;
    return code;
}

static float end_of(const alm_scale_search *how, int code) { return (float)(how->level ? how->level[code] : code); }

/* What a group loses when its scale is `by`. */
static double loss(const alm_scale_search *how, const float *x, float by) {
    float inverse = by != 0 ? 1 / by : 0, off[ALM_SEARCH_GROUP] = {0};
    if (!isfinite(inverse)) inverse = 0, by = 0;
    levels_of(how, off, x, inverse);
    for (size_t i = 0; i < how->group; i++) off[i] = x[i] - by * off[i];
    return sum_of_squares(off, how->group);
}

/* The scale for the codes that `inverse` gives, and what it saves: (sum of x level)^2 / (sum of level^2). */
static float fitted(const alm_scale_search *how, const float *x, float inverse, double *saved) {
    float level[ALM_SEARCH_GROUP] = {0};
    levels_of(how, level, x, inverse);
    double xl = sum_of_products(x, level, how->group), ll = sum_of_squares(level, how->group);
    *saved = ll > 0 ? xl * xl / ll : 0;
    return ll > 0 ? (float)(xl / ll) : 0;
}

/* A real scale for one group: from beginnings that put the farthest number near either end of the levels. */
static float group_scale(const alm_scale_search *how, const float *x) {
    float far = alm_farthest(x, how->group), best = 0;
    double most = 0;
    float ends[2] = {end_of(how, how->low), end_of(how, how->high)};
    if (far == 0 || !isfinite(1 / far)) return 0;
    for (size_t e = 0; e < 2; e++) {
        float step = fabsf(ends[e]) * 0.03F;
        if (step < 0.1F) step = 0.1F;
        for (int i = -6; i <= 9; i++) {
            float inverse = (ends[e] + (ends[e] < 0 ? -1.0F : 1.0F) * (float)i * step) / far;
            double saved;
            float scale = fitted(how, x, inverse, &saved);
            if (scale != 0 && isfinite(1 / scale)) {
                double again;
                float better = fitted(how, x, 1 / scale, &again);
                if (again > saved) saved = again, scale = better;
            }
            if (saved > most) most = saved, best = scale;
        }
    }
    return best;
}

/* The whole scale of a group with the smallest loss, near what d asks for. */
static int whole_scale(const alm_scale_search *how, const float *x, float d, float want, double *least) {
    int middle = d != 0 && isfinite(want / d) ? nearest(want / d, how->scale_low, how->scale_high) : how->scale_low,
        best = middle;
    *least = loss(how, x, d * (float)middle);
    for (int s = middle - 2; s <= middle + 2; s++) {
        if (s == middle || s < how->scale_low || s > how->scale_high) continue;
        double l = loss(how, x, d * (float)s);
        if (l < *least) *least = l, best = s;
    }
    return best;
}

/* d for given whole scales, by least squares. */
static float common_scale(const alm_scale_search *how, const float *x, float d, const int *scale) {
    double xl = 0, ll = 0;
    for (size_t g = 0; g < how->n_groups; g++) {
        float by = d * (float)scale[g], inverse = by != 0 ? 1 / by : 0;
        if (!isfinite(inverse)) continue;
        float level[ALM_SEARCH_GROUP] = {0};
        levels_of(how, level, x + g * how->group, inverse);
        xl += sum_of_products(x + g * how->group, level, how->group) * scale[g];
        ll += sum_of_squares(level, how->group) * scale[g] * scale[g];
    }
    return ll > 0 ? as_f16((float)(xl / ll)) : d;
}

/* Whole scales for d; what all lose. */
static double all_scales(const alm_scale_search *how, const float *x, float d, const float *want, int *scale) {
    double sum = 0, one;
    for (size_t g = 0; g < how->n_groups; g++)
        scale[g] = whole_scale(how, x + g * how->group, d, want[g], &one), sum += one;
    return sum;
}

void alm_search_scales(float *d, int *scale, int8_t *code, const float *given, const alm_scale_search *how) {
    float x[ALM_SEARCH_MOST] = {0}, want[ALM_SEARCH_MOST], far;
    int trial[ALM_SEARCH_MOST];
    double least = HUGE_VAL;
    only_finite(x, given, how->n_groups * how->group);
    for (size_t g = 0; g < how->n_groups; g++) want[g] = group_scale(how, x + g * how->group);
    far = alm_farthest(want, how->n_groups);
    *d = 0;
    memset(scale, 0, how->n_groups * sizeof *scale);
    for (int end = 0; end < 2; end++) {
        float now = as_f16(far / (float)(end ? how->scale_high : how->scale_low));
        for (int round = 0; round < ROUNDS; round++) {
            double sum = all_scales(how, x, now, want, trial);
            if (!(sum < least) && round > 0) break;
            if (sum < least) {
                least = sum, *d = now;
                memcpy(scale, trial, how->n_groups * sizeof *scale);
            }
            float next = common_scale(how, x, now, trial);
            if (next == now) break;
            now = next;
        }
        if (how->scale_low == how->scale_high) break;
    }
    for (size_t g = 0; g < how->n_groups; g++) {
        float by = *d * (float)scale[g], inverse = by != 0 && isfinite(1 / by) ? 1 / by : 0;
        float level[ALM_SEARCH_GROUP] = {0};
        levels_of(how, level, x + g * how->group, inverse);
        for (size_t i = 0; i < how->group; i++) code[g * how->group + i] = (int8_t)code_of(how, level[i]);
    }
}

/* -- a scale and a minimum for each group -------------------------------------------------------------------------------- */

typedef struct sums {
    double n, q, qq, x, xq;
} sums;

static void codes_of(float *to, const float *x, size_t n, float inverse, float low, unsigned high) {
    for (size_t i = 0; i < n; i++) to[i] = (float)nearest((x[i] + low) * inverse, 0, (int)high);
}

static sums sums_of(const float *x, size_t n, float inverse, float low, unsigned high) {
    float q[ALM_SEARCH_GROUP] = {0};
    codes_of(q, x, n, inverse, low, high);
    return (sums){(double)n, sum_of(q, n), sum_of_squares(q, n), sum_of(x, n), sum_of_products(x, q, n)};
}

/* x = scale q - low, least squares, low >= 0. */
static void fit_line(float *scale, float *low, const sums *s) {
    double det = s->n * s->qq - s->q * s->q;
    double a = det > 0 ? (s->n * s->xq - s->q * s->x) / det : 0, b = det > 0 ? (s->q * s->xq - s->qq * s->x) / det : 0;
    if (!(b > 0)) b = 0, a = s->qq > 0 ? s->xq / s->qq : 0;
    if (!(a > 0)) a = 0, b = s->x < 0 ? -s->x / s->n : 0;
    *scale = (float)a, *low = (float)b;
}

static double line_loss(const float *x, size_t n, float scale, float low, unsigned high) {
    float inverse = scale > 0 && isfinite(1 / scale) ? 1 / scale : 0;
    float off[ALM_SEARCH_GROUP] = {0};
    codes_of(off, x, n, inverse, low, high);
    for (size_t i = 0; i < n; i++) off[i] = x[i] - (scale * off[i] - low);
    return sum_of_squares(off, n);
}

/* Real scale and minimum of one group: the range of codes laid over the range of numbers, a little shorter or longer. */
static void group_line(float *scale, float *low, const float *x, const alm_minimum_search *how) {
    float least, most, begin;
    alm_range(&least, &most, x, how->group);
    begin = least < 0 ? -least : 0;
    *scale = 0, *low = begin;
    if (most < 0) most = 0;
    double best = line_loss(x, how->group, 0, begin, how->high);
    float range = most + begin;
    if (!(range > 0) || !isfinite((float)how->high / range)) return;
    for (int i = -8; i <= 8; i++) {
        float inverse = ((float)how->high + 0.1F * (float)i * (how->high > 8 ? 1.0F : 0.8F)) / range, a = 1 / inverse,
              b = begin;
        for (int round = 0; round < 3; round++) {
            sums s = sums_of(x, how->group, a > 0 && isfinite(1 / a) ? 1 / a : 0, b, how->high);
            fit_line(&a, &b, &s);
            double loss_now = line_loss(x, how->group, a, b, how->high);
            if (loss_now < best) best = loss_now, *scale = a, *low = b;
        }
    }
}

/* Whole scale and minimum near the real ones. */
static double whole_line(unsigned *scale, unsigned *minimum, const float *x, float d, float low, float want,
                         float want_low, const alm_minimum_search *how) {
    int most = (int)how->scale_high;
    int s0 = d > 0 && isfinite(want / d) ? nearest(want / d, 0, most) : 0,
        m0 = low > 0 && isfinite(want_low / low) ? nearest(want_low / low, 0, most) : 0;
    double best = HUGE_VAL;
    *scale = (unsigned)s0, *minimum = (unsigned)m0; /* where every loss is beyond what a double holds */
    for (int s = s0 - 1; s <= s0 + 1; s++) {
        for (int m = m0 - 1; m <= m0 + 1; m++) {
            if (s < 0 || s > most || m < 0 || m > most) continue;
            double l = line_loss(x, how->group, d * (float)s, low * (float)m, how->high);
            if (l < best) best = l, *scale = (unsigned)s, *minimum = (unsigned)m;
        }
    }
    return best;
}

/* d and low for given whole scales, minima and codes: x = d (scale q) - low minimum. */
static void common_line(float *d, float *low, const float *x, const unsigned *scale, const unsigned *minimum,
                        const alm_minimum_search *how) {
    double aa = 0, ab = 0, bb = 0, ax = 0, bx = 0;
    for (size_t g = 0; g < how->n_groups; g++) {
        float by = *d * (float)scale[g], less = *low * (float)minimum[g];
        float inverse = by > 0 && isfinite(1 / by) ? 1 / by : 0;
        sums s = sums_of(x + g * how->group, how->group, inverse, less, how->high);
        double a = scale[g], b = -(double)minimum[g];
        aa += a * a * s.qq, ab += a * b * s.q, bb += b * b * s.n, ax += a * s.xq, bx += b * s.x;
    }
    double det = aa * bb - ab * ab;
    if (det > 0) {
        double new_d = (ax * bb - bx * ab) / det, new_low = (bx * aa - ax * ab) / det;
        if (new_d > 0 && new_low >= 0) *d = as_f16((float)new_d), *low = as_f16((float)new_low);
    } else if (aa > 0 && ax > 0) {
        *d = as_f16((float)(ax / aa));
    }
}

void alm_search_minima(float *d, float *low, unsigned *scale, unsigned *minimum, uint8_t *code, const float *given,
                       const alm_minimum_search *how) {
    float x[ALM_SEARCH_MOST] = {0}, want[ALM_SEARCH_MOST], want_low[ALM_SEARCH_MOST], most = 0, most_low = 0;
    unsigned trial[ALM_SEARCH_MOST], trial_minimum[ALM_SEARCH_MOST];
    only_finite(x, given, how->n_groups * how->group);
    for (size_t g = 0; g < how->n_groups; g++) {
        group_line(&want[g], &want_low[g], x + g * how->group, how);
        most = want[g] > most ? want[g] : most;
        most_low = want_low[g] > most_low ? want_low[g] : most_low;
    }
    double least = HUGE_VAL;
    float now = as_f16(most / (float)how->scale_high), now_low = as_f16(most_low / (float)how->scale_high);
    *d = now, *low = now_low;
    for (int round = 0; round < ROUNDS; round++) {
        double sum = 0;
        for (size_t g = 0; g < how->n_groups; g++)
            sum +=
                whole_line(&trial[g], &trial_minimum[g], x + g * how->group, now, now_low, want[g], want_low[g], how);
        if (round > 0 && !(sum < least)) break;
        least = sum, *d = now, *low = now_low;
        memcpy(scale, trial, how->n_groups * sizeof *scale);
        memcpy(minimum, trial_minimum, how->n_groups * sizeof *minimum);
        float before = now, before_low = now_low;
        common_line(&now, &now_low, x, trial, trial_minimum, how);
        if (now == before && now_low == before_low) break;
    }
    for (size_t g = 0; g < how->n_groups; g++) {
        float by = *d * (float)scale[g], less = *low * (float)minimum[g],
              inverse = by > 0 && isfinite(1 / by) ? 1 / by : 0;
        for (size_t i = g * how->group; i < (g + 1) * how->group; i++)
            code[i] = (uint8_t)nearest((x[i] + less) * inverse, 0, (int)how->high);
    }
}
