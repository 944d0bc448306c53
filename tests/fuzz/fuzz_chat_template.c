/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_chat_template.c - any bytes as a chat template: it is refused or rendered, within its limits.
 *
 * Questions: a failure has a status and a sentence; output is UTF-8 and no longer than allowed; a second rendering gives the
 * same; a failing one leaves what stood in the buffer. */
#include "base/json.h"
#include "fuzz.h"
#include "text/chat_template.h"

static const char context[] =
    "{\"s\": \"Hello W\\u00f6rld\", \"n\": 7, \"f\": 2.5, \"list\": [3, 1, \"x\", [null, true]], \"d\": {\"a\": 1, "
    "\"items\": \"i\"},"
    "\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}, {\"role\": \"assistant\", \"content\": \" yes \", "
    "\"tool_calls\": "
    "[{\"function\": {\"name\": \"f\", \"arguments\": {\"x\": 1}}}]}], \"big\": 123456789012345678901234567890}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    char json[sizeof context];
    alm_json_doc doc = {0};
    alm_chat_template *t = NULL;
    alm_error err = {0};
    alm_buf first = alm_buf_with_limit(1 << 22), second = first;
    alm_status st = alm_chat_template_compile(&t, alm_str_make((const char *)data, n), &err);
    CHECK((st == ALM_OK) == (t != NULL));
    if (st != ALM_OK) {
        CHECK(err.status == st && *err.text);
        return 0;
    }
    memcpy(json, context, sizeof context);
    CHECK(alm_json_parse(&doc, json, sizeof context - 1, NULL, NULL, NULL) == ALM_OK);
    const alm_chat_limits limits = {.steps = 200000, .memory_bytes = 4 << 20, .output_bytes = 1 << 20};
    const alm_chat_input in = {.extra = doc.node, .bos_token = "<s>", .now_ns = 1773480413589793000, .limits = limits};
    alm_buf_add_text(&first, "+");
    alm_buf_add_text(&second, "+");
    st = alm_chat_template_render(t, &in, &first, &err);
    CHECK(st == alm_chat_template_render(t, &in, &second, NULL));
    CHECK(alm_str_eq(alm_buf_str(&first), alm_buf_str(&second)));
    if (st == ALM_OK) {
        CHECK(alm_utf8_valid(alm_buf_str(&first)) && first.n <= (1 << 20) + 1);
    } else {
        CHECK(err.status == st && (*err.text || st == ALM_REFUSED) && first.n == 1);
    }
    alm_buf_free(&first);
    alm_buf_free(&second);
    alm_json_doc_free(&doc);
    alm_chat_template_free(t);
    return 0;
}
