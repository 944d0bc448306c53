/* SPDX-License-Identifier: Apache-2.0
 *
 * html.c - the frame and the parts that the HTML pages share.
 *
 * One file, no script, no network: the policy in the head forbids both, so a page stays what it is wherever it is opened,
 * and a record that smuggles markup gains nothing. Colours are named once, for light and for dark; paper gets the light
 * ones. Widths are set so that 1,100 pixels hold a template, its trend and its counts side by side, and a phone stacks
 * them. */
#include "cli/html.h"
#include "base/clock.h"
#include "cli/lang.h"
#include <stdio.h>

static const char style[] =
    ":root{--paper:#fdfdfb;--ink:#1b1d20;--soft:#5f656e;--faint:#8d939c;--rule:#e3e3de;--fill:#f4f4f0;--bar:#b9c6c8;"
    "--accent:#0f6b72;--alarm:#c03a16;--alarm-fill:#fcefe9;--area:#d5d9da;"
    "--num:#1f5fae;--addr:#0f6b72;--time:#7a4bb3;--path:#8a5a00;--name:#a8326e;--any:#666c75;color-scheme:light dark}\n"
    "@media screen and (prefers-color-scheme:dark){:root{--paper:#15171a;--ink:#e8e8e4;--soft:#a3a8b0;--faint:#7b818a;"
    "--rule:#2c3035;--fill:#1d2024;--bar:#3f5a5e;--accent:#6cc7c6;--alarm:#ff8d66;--alarm-fill:#2d1f1a;--area:#3a4046;"
    "--num:#86b6f2;--addr:#6cc7c6;--time:#c0a0ee;--path:#dcb260;--name:#ee94bf;--any:#a3a8b0}}\n"
    "*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,"
    "'Noto Sans','Liberation Sans',Arial,sans-serif;font-variant-numeric:tabular-nums}\n"
    "main{max-width:1120px;margin:0 auto;padding:48px 32px 64px}\n"
    "header{margin-bottom:32px}.mark{font-size:13px;letter-spacing:.04em;color:var(--accent);font-weight:600}\n"
    "h1{font-size:34px;line-height:1.2;font-weight:650;letter-spacing:-.015em;margin:6px 0 4px}\n"
    "h2{font-size:20px;line-height:1.3;font-weight:650;letter-spacing:-.005em;margin:48px 0 4px}\n"
    "p{margin:0 0 12px}.sub{color:var(--soft);margin:0}.note{color:var(--soft);font-size:14px;margin:0 0 "
    "14px;max-width:78ch}\n"
    "code,.mono{font-family:ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace;"
    "font-size:13px;font-variant-ligatures:none}\n"
    ".figs{display:flex;flex-wrap:wrap;gap:16px 56px;margin:0 0 8px;padding:0}\n"
    ".figs div{min-width:96px}.figs "
    "b{display:block;font-size:30px;line-height:1.2;font-weight:600;letter-spacing:-.015em}\n"
    ".figs span{color:var(--soft);font-size:14px}\n"
    "footer{margin-top:56px;padding-top:14px;border-top:1px solid var(--rule);color:var(--faint);font-size:13px}\n"
    "footer code{color:var(--soft);font-size:12px}\n"
    "svg{display:block;overflow:visible}svg text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',"
    "'Liberation Sans',Arial,sans-serif;fill:var(--soft)}\n"
    "i{font-style:normal;border-radius:3px;padding:0 2px;margin:0 -1px;background:color-mix(in srgb,currentColor "
    "9%,transparent)}\n"
    ".k-num{color:var(--num)}.k-addr{color:var(--addr)}.k-time{color:var(--time)}.k-path{color:var(--path)}"
    ".k-name{color:var(--name)}.k-any{color:var(--any)}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:4px 18px;margin:0 0 10px;font-size:13px;color:var(--soft)}\n"
    "table{width:100%;border-collapse:collapse;table-layout:fixed}\n"
    "th{font-size:13px;font-weight:500;color:var(--soft);text-align:left;padding:6px 16px 6px 0;border-bottom:1px "
    "solid var(--ink)}\n"
    "td{padding:11px 16px 11px 0;border-bottom:1px solid var(--rule);vertical-align:top}\n"
    ".r{text-align:right}th:last-child,td:last-child{padding-right:0}td.rank{color:var(--faint);font-size:13px;padding-"
    "top:12px}\n"
    ".tpl{overflow-wrap:anywhere;line-height:1.6}.tpl code{font-size:13.5px}\n"
    ".ex{display:block;color:var(--faint);font-size:12px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;"
    "margin-top:3px}\n"
    ".ids{display:block;color:var(--faint);font-size:12px;margin-top:1px}.ids code{font-size:12px}\n"
    ".share{display:flex;align-items:center;gap:10px;justify-content:flex-end}\n"
    ".share u{flex:1;height:6px;background:var(--fill);text-decoration:none;border-radius:1px;overflow:hidden}\n"
    ".share u s{display:block;height:6px;background:var(--bar)}.share span{min-width:58px;text-align:right}\n"
    ".spark{fill:var(--area);stroke:none}.spark-line{fill:none;stroke:var(--soft);stroke-width:1.25}\n"
    ".promise{display:grid;grid-template-columns:repeat(4,1fr);margin:28px 0 0;border-top:1px solid var(--ink);"
    "border-bottom:1px solid var(--rule)}\n"
    ".promise>div{padding:14px 22px 18px 0}.promise>div+div{padding-left:22px;border-left:1px solid var(--rule)}\n"
    ".promise h3{font-size:13px;font-weight:500;color:var(--soft);margin:0}\n"
    ".promise b{display:block;font-size:30px;line-height:1.3;font-weight:600;letter-spacing:-.015em}\n"
    ".promise b.word{font-size:20px;line-height:39px}.promise "
    "p{font-size:13.5px;line-height:1.45;color:var(--soft);margin:2px 0 0}\n"
    ".gauge{margin:4px 0 8px}.gauge .track{fill:var(--fill)}.gauge .fill{fill:var(--accent)}.gauge "
    ".over{fill:var(--alarm)}"
    ".gauge .tick{stroke:var(--ink);stroke-width:2}\n"
    ".tl{margin:14px 0 0;overflow-x:auto;overflow-y:hidden}.tl svg{min-width:720px}.tl .rec{fill:var(--area)}.tl "
    ".alm{fill:var(--alarm)}.tl .axis{stroke:var(--rule)}"
    ".tl .base{stroke:var(--faint);stroke-width:1}.tl .mark{stroke:var(--alarm);stroke-width:3}"
    ".tl text.no{fill:var(--alarm);font-weight:600}.tl text.day{fill:var(--ink)}.tl text.lane{fill:var(--soft)}.tl "
    "rect.hit{fill:transparent}\n"
    ".inc{display:grid;grid-template-columns:150px minmax(0,1fr);gap:0 24px;padding:22px 0 24px;border-top:1px solid "
    "var(--rule);"
    "break-inside:avoid}.inc:first-of-type{border-top:1px solid var(--ink);margin-top:14px}\n"
    ".inc .when{font-size:14px;color:var(--soft);line-height:1.45}.inc .when "
    "b{display:block;color:var(--alarm);font-size:20px;line-height:1.3;"
    "font-weight:650}\n"
    ".inc h3 i{font-weight:500}.inc h3{font-size:17px;line-height:1.4;font-weight:600;margin:1px 0 "
    "3px;overflow-wrap:anywhere}\n"
    ".inc .meta{font-size:14px;color:var(--soft);margin:0 0 10px;overflow-wrap:anywhere}.inc .meta "
    "span+span::before{content:'\\00b7';margin:0 8px;color:var(--faint)}\n"
    ".then{margin:0 0 12px;padding:0;list-style:none;font-size:14px;color:var(--soft)}.then "
    "li{padding-left:18px;position:relative;overflow-wrap:anywhere}"
    ".then li::before{content:'\\2192';position:absolute;left:0;color:var(--faint)}\n"
    ".lines{background:var(--fill);padding:8px 0;border-radius:4px;overflow:hidden}\n"
    ".lines div{display:grid;grid-template-columns:76px minmax(0,1fr);border-left:3px solid transparent}\n"
    ".lines div.a{border-left-color:var(--alarm);background:var(--alarm-fill)}\n"
    ".lines span{color:var(--faint);font-size:12px;text-align:right;padding:1px 12px 1px "
    "0;line-height:1.6;user-select:none;overflow:hidden;text-overflow:ellipsis}\n"
    ".lines code{white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.6;font-size:12.5px;padding-right:12px}\n"
    ".lines div:not(.a) code{color:var(--soft)}.lines "
    ".src{grid-template-columns:1fr;color:var(--faint);font-size:12px;padding:2px 12px}\n"
    ".more{font-size:13px;color:var(--faint);margin:6px 0 0}\n"
    ".tl .minor{stroke:var(--alarm);stroke-width:1;opacity:.55}\n"
    ".short td{padding:9px 16px 9px 0;font-size:15px}.short{table-layout:auto;border-top:1px solid "
    "var(--ink);margin-top:14px}"
    ".short "
    "td.no{color:var(--alarm);font-weight:650;width:40px}.at{color:var(--soft);font-size:14px;white-space:nowrap}\n"
    ".slim{border-top:1px solid var(--rule)}.slim summary{display:grid;grid-template-columns:40px 150px "
    "minmax(0,1fr);gap:0 12px;padding:8px 0;cursor:pointer;list-style:none;"
    "font-size:15px;align-items:baseline}.slim summary::-webkit-details-marker{display:none}.slim summary "
    "b{color:var(--alarm);font-weight:600}"
    ".slim:not([open]) "
    ".tpl{white-space:nowrap;overflow:hidden;text-overflow:ellipsis}.slim>.meta,.slim>.lines,.slim>.more{margin-left:"
    "214px}.slim .meta{font-size:14px;color:var(--soft);margin-bottom:8px}"
    ".slim[open]{padding-bottom:14px}.slim .meta span+span::before{content:'\\00b7';margin:0 8px;color:var(--faint)}\n"
    ".none{border-top:1px solid var(--rule);margin-top:14px;padding:28px "
    "0;color:var(--soft)}a{color:inherit;text-decoration:none}\n"
    "@media (max-width:820px){main{padding:28px 18px}.promise{grid-template-columns:1fr "
    "1fr}.promise>div:nth-child(odd){padding-left:0;border-left:0}"
    ".promise>div:nth-child(n+3){border-top:1px solid "
    "var(--rule)}.inc{grid-template-columns:1fr}.hide{display:none}col.hide{visibility:collapse}"
    ".lines div{grid-template-columns:70px minmax(0,1fr)}.slim summary{grid-template-columns:36px minmax(0,1fr)}.slim "
    ".at{display:none}.slim>.meta,.slim>.lines,.slim>.more{margin-left:0}}\n"
    "@media print{main{max-width:none;padding:0}body{font-size:11pt}h1{font-size:22pt}.inc,tr{break-inside:avoid}"
    "*{-webkit-print-color-adjust:exact;print-color-adjust:exact}.ex{white-space:normal}}\n";

void alm_html_text(alm_buf *out, const char *text) { alm_buf_add_html(out, alm_str_of(text)); }

void alm_html_begin(alm_buf *out, const char *title, const char *source) {
    alm_buf_add_text(out, "<!doctype html>\n<html ");
    alm_buf_add_text(out, _("lang=en")); /* translators: lang=de; the language of the page */
    alm_buf_add_text(
        out, ">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
             "<meta name=\"generator\" content=\"Allmende " ALM_VERSION "\">\n<title>");
    alm_html_text(out, title);
    if (source != NULL && *source) {
        alm_buf_add_text(out, " · ");
        alm_html_text(out, source);
    }
    alm_buf_add_text(out, "</title>\n<style>\n");
    alm_buf_add(out, style, sizeof style - 1);
    alm_buf_add_text(out, "</style>\n</head>\n<body>\n<main>\n<header>\n<div class=\"mark\">Allmende</div>\n<h1>");
    alm_html_text(out, title);
    alm_buf_add_text(out, "</h1>\n");
}

void alm_html_end(alm_buf *out, const char *command) {
    alm_buf_add_text(out, "<footer>");
    if (command != NULL && *command) {
        alm_html_text(out, _("Made by"));
        alm_buf_add_text(out, " <code>");
        alm_html_text(out, command);
        alm_buf_add_text(out, "</code> · ");
    }
    alm_buf_add_text(out, "Allmende " ALM_VERSION "</footer>\n</main>\n</body>\n</html>\n");
}

void alm_html_record(alm_buf *out, alm_str record, size_t max_bytes) {
    alm_str rest = record, line;
    bool cut = record.n > max_bytes, first = true;
    if (cut) {
        rest.n = max_bytes;
        while (rest.n > 0 && ((unsigned char)record.at[rest.n] & 0xC0) == 0x80) rest.n--; /* back to a first byte */
    }
    while (alm_str_split(&rest, '\n', &line)) {
        if (!first) alm_buf_add_byte(out, '\n');
        first = false;
        if (line.n > 0 && line.at[line.n - 1] == '\r') line.n--;
        for (size_t tab; (tab = alm_str_find_byte(line, '\t')) != SIZE_MAX;
             line = alm_str_slice(line, tab + 1, line.n)) {
            alm_buf_add_html(out, alm_str_slice(line, 0, tab));
            alm_buf_add_text(out, "    ");
        }
        alm_buf_add_html(out, line);
    }
    if (cut) alm_buf_add_text(out, "…");
}

void alm_html_count(alm_buf *out, uint64_t n) {
    char digits[24];
    int k = 0;
    do digits[k++] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    while (k-- > 0) {
        alm_buf_add_byte(out, digits[k]);
        if (k > 0 && k % 3 == 0) alm_buf_add_text(out, "\xE2\x80\xAF"); /* narrow no-break space */
    }
}

void alm_html_share(alm_buf *out, double share) {
    double percent = share * 100;
    char text[32];
    size_t n;
    if (percent > 0 && percent < 0.01) { /* neither rounded to nothing ... */
        alm_html_raw(out, "&lt;");
        percent = 0.01;
    } else if (percent >= 99.95 && percent < 100) { /* ... nor to everything */
        alm_html_raw(out, "&gt;");
        percent = 99.9;
    }
    n = (size_t)alm_str_print(text, sizeof text, percent < 10 ? "%.2f" : "%.1f", percent);
    while (text[n - 1] == '0') n--;
    if (text[n - 1] == '.') n--;
    alm_buf_add(out, text, n);
    alm_html_raw(out, "\xE2\x80\xAF%");
}

void alm_html_p(alm_buf *out, double p) {
    alm_buf_add_text(out, p < 0.0001 ? "p &lt; 0.0001" : "p = ");
    if (p >= 0.0001) alm_buf_printf(out, p < 0.001 ? "%.4f" : "%.2g", p);
}

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* "2026-03-14" and "09:26:53" of the second that holds it. */
static void split_time(int64_t unix_ns, char date[24], char clock[12]) {
    int64_t s = floor_div(unix_ns, 1000000000), day = floor_div(s, 86400), year;
    int month, of_month, in_day = (int)(s - day * 86400);
    alm_civil_from_days(day, &year, &month, &of_month);
    snprintf(date, 24, "%04lld-%02d-%02d", (long long)year, month, of_month);
    snprintf(clock, 12, "%02d:%02d:%02d", in_day / 3600 % 24, in_day / 60 % 60, in_day % 60);
}

void alm_html_time(alm_buf *out, int64_t unix_ns) {
    char date[24], clock[12];
    split_time(unix_ns, date, clock);
    alm_buf_printf(out, "%s\xC2\xA0%s", date, clock);
}

void alm_html_span(alm_buf *out, int64_t first_ns, int64_t last_ns) {
    char date[2][24], clock[2][12];
    split_time(first_ns, date[0], clock[0]);
    split_time(last_ns, date[1], clock[1]);
    alm_buf_printf(out, "%s\xC2\xA0%s", date[0], clock[0]);
    if (strcmp(date[0], date[1]) != 0) alm_buf_printf(out, " – %s\xC2\xA0%s", date[1], clock[1]);
    else if (strcmp(clock[0], clock[1]) != 0) alm_buf_printf(out, "\xC2\xA0–\xC2\xA0%s", clock[1]);
}

void alm_html_duration(alm_buf *out, int64_t ns) {
    int64_t s = ns / 1000000000;
    if (s < 1) alm_buf_printf(out, "%lld\xC2\xA0ms", (long long)(ns / 1000000));
    else if (s < 60) alm_buf_printf(out, "%lld\xC2\xA0s", (long long)s);
    else if (s < 3600) alm_buf_printf(out, "%lld\xC2\xA0min %lld\xC2\xA0s", (long long)(s / 60), (long long)(s % 60));
    else if (s < 2 * 86400)
        alm_buf_printf(out, "%lld\xC2\xA0h %lld\xC2\xA0min", (long long)(s / 3600), (long long)(s / 60 % 60));
    else
        alm_buf_printf(out,
                       _("%lld\xC2\xA0"
                         "days %lld\xC2\xA0h"),
                       (long long)(s / 86400), (long long)(s / 3600 % 24));
}

/* The kinds that have a colour; a slot of any other name (also a user's mask) has the last one. */
static const char *kind_of(alm_str name) {
    static const struct {
        const char *name, *kind;
    } KIND[] = {
        {"num", "k-num"},   {"hex", "k-num"},   {"bool", "k-num"},  {"ip", "k-addr"},
        {"mac", "k-addr"},  {"host", "k-addr"}, {"url", "k-addr"},  {"email", "k-addr"},
        {"time", "k-time"}, {"path", "k-path"}, {"uuid", "k-name"}, {"id", "k-name"},
    };
    for (size_t i = 0; i < sizeof KIND / sizeof *KIND; i++)
        if (alm_str_eq(name, alm_str_of(KIND[i].name))) return KIND[i].kind;
    return "k-any";
}

static bool slot_name(alm_str s) {
    if (s.n == 1 && s.at[0] == '*') return true;
    if (s.n == 0 || s.n > 32) return false;
    for (size_t i = 0; i < s.n; i++)
        if (!(s.at[i] >= 'a' && s.at[i] <= 'z') && !(s.at[i] >= '0' && s.at[i] <= '9') && s.at[i] != '_' &&
            s.at[i] != '-')
            return false;
    return true;
}

void alm_html_template(alm_buf *out, alm_str text) {
    size_t run = 0, i = 0;
    while (i < text.n) {
        size_t close = text.at[i] == '<' ? alm_str_find_byte(alm_str_slice(text, i, i + 40), '>') : SIZE_MAX;
        alm_str name = close != SIZE_MAX ? alm_str_slice(text, i + 1, i + close) : (alm_str){0};
        if (close == SIZE_MAX || !slot_name(name)) {
            i++;
            continue;
        }
        alm_buf_add_html(out, alm_str_slice(text, run, i));
        alm_buf_printf(out, "<i class=\"%s\">", kind_of(name));
        alm_buf_add_html(out, name.at[0] == '*' ? ALM_STR("∗") : name);
        alm_buf_add_text(out, "</i>");
        run = i += close + 1;
    }
    alm_buf_add_html(out, alm_str_slice(text, run, text.n));
}

void alm_html_spark(alm_buf *out, const uint32_t *value, size_t n) {
    uint32_t top = 1;
    if (n == 0) return;
    for (size_t i = 0; i < n; i++) top = value[i] > top ? value[i] : top;
    alm_buf_add_text(out, "<svg width=\"120\" height=\"24\" viewBox=\"0 0 120 24\" aria-hidden=\"true\">");
    for (int line = 0; line < 2; line++) {
        alm_buf_add_text(out, line ? "<path class=\"spark-line\" d=\"" : "<path class=\"spark\" d=\"M0 24");
        for (size_t i = 0; i < n; i++) {
            double x = n > 1 ? 120.0 * (double)i / (double)(n - 1) : 0, y = 23 - 21.0 * value[i] / top;
            alm_buf_printf(out, "%s%.1f %.1f", line && i == 0 ? "M" : "L", x, y);
        }
        if (n == 1) alm_buf_printf(out, "L120 %.1f", 23 - 21.0 * value[0] / top);
        alm_buf_add_text(out, line ? "\"/>" : "L120 24Z\"/>");
    }
    alm_buf_add_text(out, "</svg>");
}

void alm_html_figure(alm_buf *out, const alm_buf *number, const char *label) {
    alm_buf_add_text(out, "<div><b>");
    alm_buf_add_str(out, alm_buf_str(number));
    alm_buf_add_text(out, "</b><span>");
    alm_html_text(out, label);
    alm_buf_add_text(out, "</span></div>\n");
}
