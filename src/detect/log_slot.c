/* SPDX-License-Identifier: Apache-2.0
 *
 * log_slot.c - the types of slots: their names, and the type that covers two. */
#include "detect/log_token.h"

static const char *const slot_name[ALM_SLOT_BUILTIN_COUNT] = {
#define ALM_SLOT_NAME(name, text) text,
    ALM_SLOT_TYPES(ALM_SLOT_NAME)
#undef ALM_SLOT_NAME
};
const char *alm_slot_name(unsigned type) { return type < ALM_SLOT_BUILTIN_COUNT ? slot_name[type] : NULL; }

uint8_t alm_slot_join(uint8_t a, uint8_t b) {
    if (a == b) return a;
    bool a_small = a == ALM_SLOT_NUM || a == ALM_SLOT_HEX || a == ALM_SLOT_ID;
    bool b_small = b == ALM_SLOT_NUM || b == ALM_SLOT_HEX || b == ALM_SLOT_ID;
    if (a_small && b_small) return a == ALM_SLOT_ID || b == ALM_SLOT_ID ? ALM_SLOT_ID : ALM_SLOT_HEX;
    bool a_word = a == ALM_SLOT_ID || a == ALM_SLOT_WORD, b_word = b == ALM_SLOT_ID || b == ALM_SLOT_WORD;
    if (a_word && b_word) return ALM_SLOT_WORD;
    bool a_host = a == ALM_SLOT_HOST, b_host = b == ALM_SLOT_HOST;
    if ((a_host && b == ALM_SLOT_IP) || (b_host && a == ALM_SLOT_IP)) return ALM_SLOT_HOST;
    if ((a_host && b_word) || (b_host && a_word)) return ALM_SLOT_WORD;
    return ALM_SLOT_ANY;
}
