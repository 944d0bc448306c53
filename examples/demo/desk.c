/* SPDX-License-Identifier: Apache-2.0
 *
 * desk.c - the help desk: customers write in German and English, a few hundred sentences put together from parts, so that
 * hardly one comes twice. Counting cannot tell here what is strange; it takes somebody who reads. All text is ours. */
#include "fleet.h"

#include <stdio.h>

#define COUNT(list)   (sizeof(list) / sizeof *(list))
#define PICK(f, list) ((list)[fleet_below((f), (uint32_t)COUNT(list))])

static const char *const users[] = {"anna",   "jonas", "mia",   "lukas", "emma",
                                    "oliver", "grace", "harry", "chloe", "jack"};

static const char *const hello[] = {"hello", "good morning", "dear team", "hi there"};
static const char *const thing[] = {"the lamp",   "my kettle", "the bookshelf", "my order",
                                    "the parcel", "the desk",  "the mirror",    "the blue vase"};
static const char *const fault[] = {
    "arrived broken",    "came two days late",     "came without a plug",       "has the wrong colour",
    "is still not here", "does not work any more", "has a scratch on one side", "is smaller than in the picture"};
static const char *const wish[] = {"please send a new one",        "can I have my money back",
                                   "what shall I do now",          "please call me tomorrow",
                                   "I would like to send it back", "when can I expect an answer"};

static const char *const gruss[] = {"guten Tag", "hallo", "liebes Team", "guten Morgen"};
static const char *const sache[] = {"die Lampe", "mein Wasserkocher", "das Regal",   "meine Bestellung",
                                    "das Paket", "der Schreibtisch",  "der Spiegel", "die blaue Vase"};
static const char *const mangel[] = {
    "ist kaputt angekommen",          "kam zwei Tage zu spät",       "kam ohne Stecker",
    "hat die falsche Farbe",          "ist noch immer nicht da",     "geht nicht mehr",
    "hat einen Kratzer an der Seite", "ist kleiner als auf dem Bild"};
static const char *const bitte[] = {"bitte schicken Sie mir Ersatz", "bekomme ich mein Geld zurück",
                                    "was soll ich jetzt tun",        "bitte rufen Sie mich morgen an",
                                    "ich möchte es zurückgeben",     "wann bekomme ich eine Antwort"};

static const char *const spanish[] = {"hola, la lámpara llegó rota y quiero mi dinero, por favor",
                                      "buenos días, mi pedido todavía no ha llegado, qué hago ahora",
                                      "el espejo tiene un rasguño y es más pequeño que en la foto",
                                      "quisiera devolver la mesa, cuándo me van a contestar"};
static const char *const injected[] = {"x'; DROP TABLE orders; --", "1' OR '1'='1' UNION SELECT card FROM customers --",
                                       "'; UPDATE items SET price=0 WHERE id>0; --",
                                       "x' AND 1=(SELECT COUNT(*) FROM sessions); --"};

/* The words of a sentence in another order: each change of places is drawn. */
static void shuffle(fleet *f, char *text) {
    char copy[256], *word[48];
    size_t n = 0, at = 0;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *p = copy; *p && n < COUNT(word);) {
        while (*p == ' ' || *p == ',') *p++ = 0;
        if (!*p) break;
        word[n++] = p;
        while (*p && *p != ' ' && *p != ',') p++;
    }
    for (size_t i = n; i > 1; i--) {
        size_t j = fleet_below(f, (uint32_t)i);
        char *w = word[i - 1];
        word[i - 1] = word[j], word[j] = w;
    }
    for (size_t i = 0; i < n; i++) at += (size_t)snprintf(text + at, 256 - at, "%s%s", i ? " " : "", word[i]);
}

void fleet_write_ticket(fleet *f, int64_t at_ms, fleet_ticket how, uint8_t incident) {
    /* One draw after the other: the order of arguments is the compiler's. */
    char text[256];
    const char *a, *b, *c;
    if (how == TICKET_SPANISH) snprintf(text, sizeof text, "%s", PICK(f, spanish));
    else if (how == TICKET_INJECTED) snprintf(text, sizeof text, "%s", PICK(f, injected));
    else if (fleet_chance(f, 0.5)) {
        c = PICK(f, wish), b = PICK(f, fault), a = PICK(f, thing);
        snprintf(text, sizeof text, "%s, %s %s, %s", PICK(f, hello), a, b, c);
    } else {
        c = PICK(f, bitte), b = PICK(f, mangel), a = PICK(f, sache);
        snprintf(text, sizeof text, "%s, %s %s, %s", PICK(f, gruss), a, b, c);
    }
    if (how == TICKET_SHUFFLED) shuffle(f, text);
    const char *user = PICK(f, users);
    fleet_say(f, at_ms, incident, "app-2", "helpdesk", "ticket %u from %s: \"%s\"", 700000 + fleet_below(f, 90000),
              user, text);
}

void fleet_write_desk(fleet *f) {
    for (int64_t at = 0; at < f->days * DAY; at += 5 * MINUTE)
        if (fleet_chance(f, 0.6 * fleet_busy(at)))
            fleet_write_ticket(f, at + fleet_between(f, 0, 5 * MINUTE), TICKET_GOOD, 0);
}
