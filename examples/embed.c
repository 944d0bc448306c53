/* SPDX-License-Identifier: Apache-2.0
 *
 * embed.c - a program that embeds the library: learns what a small service normally says, then reads on and says what is
 * not normal, at a promised rate, and why.
 *
 *     cc embed.c $(pkg-config --cflags --libs allmende) && ./a.out
 *
 * Its records come from a few lines of code, so that it needs nothing but the library: 4,000 normal requests to learn from,
 * then 1,000 of which one does what none did before. Exit status 0 when exactly that one is among the alarms. */
#include <allmende.h>

#include <stdio.h>
#include <string.h>

static int fail(const alm_error *err) {
    fprintf(stderr, "embed: %s\n", err->text);
    if (err->hint[0]) fprintf(stderr, "hint: %s\n", err->hint);
    return 1;
}

/* The n-th record of the service: a line of text and when it was written. */
static alm_event record(char text[200], uint64_t n) {
    static const char *const page[] = {"/", "/search", "/cart", "/help", "/login"};
    uint64_t mixed = n * 0x9E3779B97F4A7C15u >> 33;
    if (n == 4500)
        snprintf(text, 200, "cannot allocate 65536 bytes for the session table: giving up on client 10.0.3.9");
    else
        snprintf(text, 200, "served %s to 10.0.%d.%d in %d ms, status 200", page[mixed % 5], (int)(mixed % 7),
                 (int)(mixed % 250), (int)(3 + mixed % 90));
    return (alm_event){.text = {text, strlen(text)}, .time_ns = (int64_t)n * 100000000, .line = n, .label = -1};
}

int main(void) {
    alm_error err = {0};
    alm_learner *learner = NULL;
    alm_normal *normal = NULL;
    alm_detection *detection = NULL;
    char text[200];
    uint64_t n = 1, found = 0;
    int status = 1;

    alm_learn_options learning = {.size = sizeof learning, .alpha = 0.01, .group_by = "off"};
    if (alm_learn_new(&learner, &learning, &err) != ALM_OK) goto failed;
    for (; n <= 4000; n++) {
        alm_event event = record(text, n);
        if (alm_learn_add(learner, &event, &err) != ALM_OK) goto failed;
    }
    if (alm_learn_finish(&normal, learner, &err) != ALM_OK) goto failed;

    alm_detect_options detecting = {.size = sizeof detecting};
    if (alm_detect_new(&detection, normal, &detecting, &err) != ALM_OK) goto failed;
    for (; n <= 5000; n++) {
        alm_event event = record(text, n);
        alm_verdict verdict;
        if (alm_detect_feed(detection, &event, &verdict, &err) != ALM_OK) goto failed;
        if (!verdict.alarm) continue;
        printf("line %d: %s\n    because %s (p = %.4f)\n", (int)n, text, verdict.n_why ? verdict.why[0].text : "",
               verdict.p);
        found += n == 4500;
    }
    if (alm_detect_finish(detection, &err) != ALM_OK) goto failed;
    alm_detect_summary summary = {0};
    alm_detect_summary_of(detection, &summary);
    printf("%d records, %d alarms; promised rate %.1f %%, alarm rate %.2f %%: %s\n", (int)summary.n_records,
           (int)summary.n_unit_alarms, 100 * summary.promised, 100 * summary.alarm_rate,
           alm_guarantee_text(summary.guarantee_free));
    status = found == 1 ? 0 : 1;
    goto done;
failed:
    status = fail(&err);
done:
    alm_detect_free(detection);
    alm_normal_free(normal);
    alm_learn_free(learner);
    return status;
}
