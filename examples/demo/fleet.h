/* SPDX-License-Identifier: Apache-2.0
 *
 * fleet.h - the demo's small fleet: a time line of events that several writers fill and one writer sorts and prints.
 *
 * An event is one log record (it may have several lines) at a millisecond of the fleet's life. Incidents are events that
 * carry the number of their row in the incident table, so that a scorer can tell what was found; no detector sees that. */
#ifndef FLEET_H
#define FLEET_H

#include "base/buf.h"
#include "base/rng.h"

#define SECOND 1000LL
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

typedef struct fleet_event {
    int64_t at_ms;    /* since the first midnight */
    uint32_t order;   /* of writing: breaks ties, so sorting is stable */
    uint32_t n;       /* bytes of its text */
    size_t text;      /* offset in fleet.text */
    uint8_t incident; /* row of the incident table, 0: ordinary life */
} fleet_event;

typedef struct fleet {
    alm_rng rng;
    int64_t days, learn_days;
    fleet_event *event;
    size_t n_event, cap;
    alm_buf text;
    uint32_t pid_db, pid_shop;
    uint64_t rename; /* 0: its own names, else the seed of other ones */
} fleet;

typedef struct fleet_incident {
    const char *key, *difficulty, *title_en, *title_de;
} fleet_incident;
/* Row 0 is "none". */
extern const fleet_incident fleet_incidents[];
extern const size_t fleet_n_incidents;

/* "host service: text" at a time. The text is printf-style. */
void fleet_say(fleet *f, int64_t at_ms, uint8_t incident, const char *host, const char *service, const char *format,
               ...) ALM_PRINTF(6, 7);

/* names.c: gives the names in text[from..] others. */
void fleet_rename(alm_buf *text, size_t from, uint64_t seed);

/* Helpers over the fleet's random numbers. */
uint32_t fleet_below(fleet *f, uint32_t n);
bool fleet_chance(fleet *f, double p);
int64_t fleet_between(fleet *f, int64_t low, int64_t high); /* low <= x < high */
/* How busy the fleet is at a moment: 0.12 at night to 1.0 at noon, less at the week-end. */
double fleet_busy(int64_t at_ms);

/* One user's order from cart to mail. `how` is ordinary life or one of the ways to go wrong. */
typedef enum fleet_order { ORDER_GOOD, ORDER_STOPS, ORDER_RETRIES, ORDER_MAIL_FIRST } fleet_order;
void fleet_write_order(fleet *f, int64_t at_ms, fleet_order how, uint8_t incident);

/* desk.c: what a customer writes to the help desk, in words put together at random; or what no customer would write. */
typedef enum fleet_ticket { TICKET_GOOD, TICKET_SPANISH, TICKET_SHUFFLED, TICKET_INJECTED } fleet_ticket;
void fleet_write_ticket(fleet *f, int64_t at_ms, fleet_ticket how, uint8_t incident);
void fleet_write_desk(fleet *f);

void fleet_write_life(fleet *f);      /* life.c: what is normal */
void fleet_write_incidents(fleet *f); /* trouble.c: what is not */

#endif
