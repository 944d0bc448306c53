/* SPDX-License-Identifier: Apache-2.0
 *
 * families.c - which family a file belongs to, and which there are. */
#include "model/family.h"

#include <stdio.h>

static const struct {
    const alm_family *family;
    alm_family_info info;
} rows[] = {
#define ALM_FAMILY(name, title, gguf, hf) {&alm_family_##name, {#name, title, gguf, hf}},
#include "model/families.def"
#undef ALM_FAMILY
};
enum { N_FAMILIES = sizeof rows / sizeof *rows };

size_t alm_family_count(void) { return N_FAMILIES; }
const alm_family_info *alm_family_at(size_t i) { return &rows[i].info; }

const alm_family *alm_family_named(alm_str name) {
    for (size_t i = 0; i < N_FAMILIES; i++)
        if (alm_str_eq(name, alm_str_of(rows[i].info.name))) return rows[i].family;
    return NULL;
}

/* -- the nearest name --------------------------------------------------------------------------------------------------- */

enum { LONGEST = 32 };

/* Changes (a character put in, left out, another) from one to the other. */
static size_t distance(alm_str a, alm_str b) {
    size_t row[LONGEST + 1];
    if (a.n > LONGEST || b.n > LONGEST) return SIZE_MAX;
    for (size_t j = 0; j <= b.n; j++) row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t change = corner + (a.at[i - 1] != b.at[j - 1]), best = row[j] < row[j - 1] ? row[j] : row[j - 1];
            corner = row[j];
            row[j] = change < best + 1 ? change : best + 1;
        }
    }
    return row[b.n];
}

static bool among(const char *names, alm_str name) {
    alm_str rest = alm_str_of(names), part;
    while (alm_str_split(&rest, ' ', &part))
        if (alm_str_eq(part, name)) return true;
    return false;
}

/* Names the nearest when it is near, and lists all. */
static void hint(alm_settings *s, alm_str name) {
    char all[300];
    size_t n = 0, best = name.n < 4 ? 2 : name.n / 2 + 1;
    alm_str nearest = {0};
    for (size_t i = 0; i < N_FAMILIES; i++) {
        alm_str rest = alm_str_of(s->g ? rows[i].info.gguf : rows[i].info.hf), part;
        while (alm_str_split(&rest, ' ', &part)) {
            size_t d = distance(name, part);
            if (d < best) best = d, nearest = part;
        }
        int more = snprintf(all + n, sizeof all - n, "%s%s", n ? ", " : "", rows[i].info.name);
        if (more > 0 && (size_t)more < sizeof all - n) n += (size_t)more;
    }
    if (nearest.n) alm_hint(s->err, "the nearest name is %.*s; this build computes: %s", ALM_ARG(nearest), all);
    else alm_hint(s->err, "this build computes: %s", all);
}

static alm_str name_in_gguf(alm_settings *s) {
    alm_str name = {0};
    snprintf(s->key, sizeof s->key, "%sgeneral.architecture", s->prefix);
    if (alm_gguf_str(s->g, s->key, &name, NULL) != ALM_OK)
        alm_settings_refuse(s, "bad_header: no string under %s", s->key);
    return name;
}

const alm_family *alm_family_of(alm_settings *s) {
    alm_str name = s->g ? name_in_gguf(s) : alm_settings_text(s, NULL, "model_type", "");
    if (s->status != ALM_OK) return NULL;
    snprintf(s->arch, sizeof s->arch, "%.*s", ALM_ARG(name));
    for (size_t i = 0; i < N_FAMILIES; i++) {
        const alm_family *f = rows[i].family;
        if (!among(s->g ? rows[i].info.gguf : rows[i].info.hf, name)) continue;
        if (!f->claims || f->claims(s)) return f;
        if (s->status != ALM_OK) return NULL;
    }
    if (s->g) alm_settings_unsupported(s, "a model of the family %.*s", ALM_ARG(name));
    else alm_settings_unsupported(s, "model_type \"%.*s\"", ALM_ARG(name));
    hint(s, name);
    return NULL;
}
