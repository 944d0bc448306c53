/* SPDX-License-Identifier: Apache-2.0
 *
 * names.c - another fleet: people, goods, services, towns and machines get other names, the same ones all along.
 *
 * The demo's fleet has twenty users and eight products. Whoever shall learn how logs are written, and not who works in this
 * one shop, reads fleets with other names in them (--rename): the built-in model does. Which name stands for which is a hash
 * of the word and the seed. All names are ours or nobody's. */
#include "fleet.h"

#include "base/str.h"

typedef struct kind {
    const char *ours, *others; /* words with a blank behind each */
} kind;

static const kind kinds[] = {
    {"anna jonas mia lukas emma felix sophie paul lena oliver grace harry chloe jack amelia george bärbel jürgen käthe "
     "søren deploy ",
     "adam agnes alba alena amir andrej anja arne astrid aylin bea benno birgit boris carla cem clara dana david deniz "
     "dora edda elif elin elsa emil erik eva fatma finn frida frieda georg greta gustav hanna hans heike helge hilde "
     "hugo "
     "ida ines inga irina iris ivan jana jan jule julia kai karin karl kim klara kurt lars laura lea leo levin liv "
     "lotte "
     "luca luisa maja malik malte marek maria marta max mehmet merle milan mina moritz nadia nele nick nils nina noah "
     "nora olaf olga oskar otto paula peter pia raul rita rosa ruben ruth sara sven tarek thea theo tim tom ulla uwe "
     "vera "
     "viktor wanda willi yara yusuf zoe gärtner möller björn jørgen release "},
    {"lampe kettle bookshelf teppich desk stuhl mirror vase ",
     "apron armchair basket becher bench besen bett blanket bottle bowl box brush bucket buch candle carpet chair "
     "clock "
     "couch cup cupboard curtain drawer eimer fan flasche fork frame gabel garten glass glocke hammer hook jar jug "
     "kissen "
     "knife koffer korb ladder lock löffel messer mug needle ofen oven pan pfanne pillow plate pot rahmen rug sack "
     "schere schirm schrank shelf sieve sofa spoon stool table tasse teller thermos tisch topf torch towel tray uhr "
     "zange "},
    {"shop payment mailer billing search helpdesk metrics backup ",
     "account api archive audit auth basket cache calendar catalog chat checkout claims config contacts coupon crawler "
     "customers delivery dispatch export feed files gateway geo import index inventory invoice jobs ledger login mail "
     "map "
     "media menu notes notify orders parcel planner pricing profile proxy queue rating refund render report rental "
     "room "
     "router rules scanner scheduler session shipping sms stats stock store sync tariff tax ticket tracker upload "
     "video "
     "voucher wallet warehouse worker "},
    {"leipzig leeds ",
     "aachen basel bath bergen bern bonn brest bristol chur cork delft derby dover erfurt essen exeter gent graz halle "
     "jena kiel köln lille lübeck lyon mainz malmö metz münster nancy oslo porto rouen siena ulm utrecht wels wien "
     "york "},
    {"web app db node bastion store ", "alpha beta blade box core edge front host infra kube lab lb main mx nas ns pi "
                                       "prod proxy pve rack sat stage test vm "
                                       "worker zeus hera ares "},
    {"ord ", "bk cs doc ev id inv job msg ref req run s sess sh task tr tx "},
    {"items customers sessions ", "accounts bookings cards events files groups keys logs notes parts posts rows sales "
                                  "tags tasks teams tickets tokens topics units users visits "},
    {"example ", "example beispiel acme fleet house invalid local my our "},
};

static bool holds(const char *list, alm_str word, uint32_t *n, uint32_t wanted, alm_str *at) {
    bool found = false;
    *n = 0;
    while (*list) {
        const char *end = strchr(list, ' ');
        alm_str w = alm_str_make(list, (size_t)(end - list));
        if (alm_str_eq(w, word)) found = true;
        if ((*n)++ == wanted) *at = w;
        list = end + 1;
    }
    return found;
}

static alm_str name_of(alm_str word, uint64_t seed) {
    alm_str ignored = {0}, other = word;
    uint32_t n;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!holds(kinds[i].ours, word, &n, UINT32_MAX, &ignored)) continue;
        (void)holds(kinds[i].others, word, &n, UINT32_MAX, &ignored);
        (void)holds(kinds[i].others, word, &n, (uint32_t)(alm_hash64(word.at, word.n, seed) % n), &other);
        break;
    }
    return other;
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80; }

void fleet_rename(alm_buf *text, size_t from, uint64_t seed) {
    alm_buf copy = alm_buf_with_limit((size_t)1 << 20);
    alm_buf_add(&copy, text->at + from, text->n - from);
    text->n = from;
    for (size_t i = 0; i < copy.n;) {
        size_t end = i;
        while (end < copy.n && is_letter(copy.at[end])) end++;
        if (end > i) alm_buf_add_str(text, name_of(alm_str_make(copy.at + i, end - i), seed));
        else alm_buf_add_byte(text, copy.at[end++]);
        i = end;
    }
    text->failed = text->failed || copy.failed;
    alm_buf_free(&copy);
}
