#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make.py - makes cases.tsv: hard JSON texts, and what Python's own json module says of them.

Our inputs are written below; every expectation is computed by Python: json.loads on the strictly decoded text, doubles by
float(), the canonical form (RFC 8785) by the forty lines at `canonical`, which share nothing with the C code. Where the
library is meant to differ from Python, the case says so in its last column (README.md lists the reasons).

Run:  python3 make.py > cases.tsv        columns: see README.md
"""
import base64
import json
import struct
import sys

sys.setrecursionlimit(5000)
if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)
CASES = []  # (name, bytes, difference or "")
SEEN = set()


def case(name, text, differs=""):
    raw = text if isinstance(text, bytes) else text.encode("utf-8")
    assert (raw, name) not in SEEN, name
    SEEN.add((raw, name))
    CASES.append((name, raw, differs))


# ---- what Python says -----------------------------------------------------------------------------------------------
class Number(str):
    """a number as it was written"""


class Members(list):
    """an object with order and repetitions kept"""


def refuse_constant(word):
    raise ValueError("no JSON: " + word)


def python_reads(raw):
    return json.loads(raw.decode("utf-8"), parse_float=Number, parse_int=Number, parse_constant=refuse_constant,
                      object_pairs_hook=Members)


def quoted(s):
    return json.dumps(s, ensure_ascii=False)


def written(v):
    if isinstance(v, Number):
        return str(v)
    if isinstance(v, str):
        return quoted(v)
    if isinstance(v, Members):
        return "{" + ",".join(quoted(k) + ":" + written(x) for k, x in v) + "}"
    if isinstance(v, list):
        return "[" + ",".join(written(x) for x in v) + "]"
    return {None: "null", True: "true", False: "false"}[v]


def numbers(v):
    if isinstance(v, Number):
        yield v
    elif isinstance(v, Members):
        for _, x in v:
            yield from numbers(x)
    elif isinstance(v, list):
        for x in v:
            yield from numbers(x)


class NoCanonicalForm(Exception):
    pass


def ecmascript(x):
    """Number::toString of ECMAScript from repr(), which gives the same shortest digits."""
    if x in (float("inf"), float("-inf")):
        raise NoCanonicalForm
    if x == 0:
        return "0"
    sign = "-" if x < 0 else ""
    mantissa, _, exponent = repr(abs(x)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent or 0)  # where the point stands, counted from the first digit
    digits = whole + fraction
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    n = len(digits)
    if n <= point <= 21:
        return sign + digits + "0" * (point - n)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    e = ("+" if point > 0 else "-") + str(abs(point - 1))
    return sign + digits[0] + ("." + digits[1:] if n > 1 else "") + "e" + e


def canonical(v):
    if isinstance(v, Number):
        return ecmascript(float(v))
    if isinstance(v, Members):
        if len({k for k, _ in v}) != len(v):
            raise NoCanonicalForm
        return "{" + ",".join(quoted(k) + ":" + canonical(x) for k, x in sorted(v, key=lambda m: m[0].encode("utf-16-be"))) + "}"
    if isinstance(v, list):
        return "[" + ",".join(canonical(x) for x in v) + "]"
    return written(v)


# ---- the cases ------------------------------------------------------------------------------------------------------
LONE = "lone-surrogate"
DEEP = "depth"

for name, text in {
    "null": "null", "true": "true", "false": "false", "zero": "0", "one": "1", "empty string": '""', "empty array": "[]",
    "empty object": "{}", "blank around": " \t\r\n null \t\r\n ", "all blanks inside": '[ \t\n\r1 \t\n\r, \t\n\r2 \t\n\r]',
    "blanks in object": '{ \t"a" \n: \r1 \t, "b":\n2 }', "nothing": "", "only blanks": " \n\t ", "array of all": '[null,true,false,0,"",[],{}]',
    "nested empties": "[[],[[]],{},{\"a\":{}}]", "object in array in object": '{"a":[{"b":[{"c":null}]}]}',
    "words in upper case": "TRUE", "word cut": "tru", "word too long": "truee", "null cut": "nul", "null with capital": "Null",
    "false cut at end of array": "[fals]", "word runs into bracket": "[true]", "two values": "1 2", "two values without blank": "[][]",
    "value behind object": "{} x", "comma behind value": "1,", "comma before value": ",1", "bare word": "abc", "single quotes": "'a'",
    "back quotes": "`a`", "Nan": "NaN", "Infinity": "Infinity", "minus Infinity": "-Infinity", "minus NaN": "-NaN", "nan lower": "nan",
    "inf lower": "inf", "undefined": "undefined", "line comment": "// c\n1", "block comment": "/* c */1", "comment behind": "1 // c",
    "comment inside": "[1 /* two */,2]", "hash comment": "# c\n1", "trailing comma array": "[1,]", "trailing comma object": '{"a":1,}',
    "leading comma array": "[,1]", "leading comma object": '{,"a":1}', "double comma array": "[1,,2]", "double comma object": '{"a":1,,"b":2}',
    "only comma": "[,]", "only comma object": "{,}", "no comma array": "[1 2]", "no comma strings": '["a" "b"]', "no comma object": '{"a":1 "b":2}',
    "colon in array": "[1:2]", "comma for colon": '{"a",1}', "no colon": '{"a" 1}', "two colons": '{"a"::1}', "no value": '{"a":}',
    "no value then comma": '{"a":,"b":1}', "key alone": '{"a"}', "key bare": "{a:1}", "key number": "{1:1}", "key null": "{null:1}",
    "key array": "{[]:1}", "key single quotes": "{'a':1}", "equals for colon": '{"a"=1}', "semicolon": "[1;2]", "array closed by brace": "[1}",
    "object closed by bracket": '{"a":1]', "array not closed": "[1", "array not closed after comma": "[1,", "array opened only": "[",
    "object opened only": "{", "object cut at key": '{"a', "object cut behind key": '{"a"', "object cut behind colon": '{"a":',
    "object cut behind value": '{"a":1', "object cut behind comma": '{"a":1,', "close only array": "]", "close only object": "}",
    "one close too many": "[]]", "one close too many object": "{}}", "crossed": '[{"a":1]}', "form feed is no blank": "\f1", "vertical tab is no blank": "\v1",
    "no-break space is no blank": "\u00a01", "ideographic space is no blank": "[1,\u30002]", "line separator is no blank": "\u20281",
    "zero width no-break space in front": "\ufeff1", "byte order mark before object": "\ufeff{}", "byte order mark behind": "1\ufeff",
    "NUL behind": "1\0", "NUL in front": "\x001", "NUL between": "[1,\x002]", "DEL behind": "1\x7f", "parenthesis": "(1)", "plus sign alone": "+", "minus alone": "-",
    "escaped quote outside": '\\"a\\"', "true as key": "{true:1}", "string then colon": '"a":1', "empty key": '{"":0}', "blank key": '{" ":0}',
    "long blanks": " " * 1000 + "1" + "\n" * 1000, "indented": json.dumps({"a": [1, {"b": [True, None]}], "c": {}}, indent=8),
    "seven blanks": " " * 7 + "1", "eight blanks": " " * 8 + "1", "nine blanks": " " * 9 + "[" + " " * 17 + "]" + " " * 8,
    "blank at the end of eight": "[" + " " * 15 + "1" + " " * 15 + ",2]",
}.items():
    case(name, text)

for text in ("-0 0.0 -0.0 0e0 0E-0 0e+0 -1 10 123 1.5 -1.5 0.1 0.10 1.0 1e1 1E1 1e+1 1e-1 1.5e10 1E400 -1e400 1e-400 -1e-400 1e308 "
             "1.7976931348623157e308 1.7976931348623158e308 1.7976931348623159e308 1.797693134862315807e308 2.2250738585072014e-308 2.2250738585072011e-308 "
             "4.9e-324 5e-324 2.4703282292062327e-324 2.4703282292062328e-324 2.5e-324 9007199254740991 9007199254740992 9007199254740993 "
             "9007199254740995 -9007199254740993 18446744073709551615 18446744073709551616 9223372036854775807 9223372036854775808 -9223372036854775808 "
             "-9223372036854775809 1e21 1e20 999999999999999999999 1000000000000000000000 123456789012345680000 0.000001 0.0000001 1e-6 1e-7 "
             "0.00000123 333333333.33333329 1E30 4.50 2e-3 0.000000000000000000000000001 1e23 1e22 9.5e-323 5.0e-324 1.2345678901234567e-5 "
             "8.41e21 2.0e21 72057594037927945 72057594037927936 4611686018427387904.5 0.1e1 100e-2 1e00 1e-00 1e0001 123456789.123456789123456789 "
             "6.02214076e23 -6.62607015e-34 3.141592653589793238462643383279 2.718281828459045 295147905179352830000 179769313486231570000e290 "
             "0.30000000000000004 0.3 1e5 100000 1e16 1e17 12345e-5 5e-7 1.0e-10 9.999999999999999e22 1e15 1.5e300 1e-300").split():
    case("number " + text, text)
for text in ("01 00 -01 -00 +1 ++1 --1 1. -1. .5 -.5 1.e1 1e 1e+ 1e- 1E 1.5e 0x1 0X1F 0b1 0o7 1_000 1f 1d 1L 1n 12a 1e1.5 1e1e1 1..2 1.2.3 -a -\"1\" "
             "0e -0e+ 1e+-1 - 00.5 0.e1 1\u0661 \u0661 \uff11 1e\u0661").split():
    case("no number " + text, text)
case("number with grouping", "1,000")
case("number with blank after minus", "- 1")
case("number at the end of an array", "[1]")
case("numbers without blanks", "[1,-2,3.5,4e5,-6E-7]")
case("bad number in array", "[1,02]")
case("bad number ends at brace", '{"a":1.}')
case("exponent cut by bracket", "[1e]")
case("400 digits", "1" + "0" * 399)
case("308 digits", "9" * 308)
case("309 digits below the limit", "1" + "0" * 308)
case("309 digits beyond the limit", "9" * 309)
case("5000 digits", "7" * 5000)
case("5000 zeros then one", "0." + "0" * 5000 + "1")
case("800 fraction digits", "0." + "123456789" * 89)
case("zeros behind the point", "1." + "0" * 3000)
case("half way exactly, even below", "9007199254740993." + "0" * 700)
case("half way and a bit", "9007199254740993." + "0" * 700 + "1")
case("exponent of 20 digits", "1e99999999999999999999")
case("negative exponent of 20 digits", "1e-99999999999999999999")
case("zero with a huge exponent", "0e99999999999999999999")
case("many digits and a huge negative exponent", "1" + "0" * 400 + "e-400")

for name, text in {
    "plain": '"hello"', "all short escapes": r'"\"\\\/\b\f\n\r\t"', "slash as it is": '"/"', "slash escaped": r'"\/"', "u escape": r'"\u0041"', "u escape lower hex": r'"\u00e9"',
    "u escape upper hex": r'"\u00E9"', "u escape mixed hex": r'"\uAbCd"', "u zero": r'"\u0000"', "u zero inside": r'"a\u0000b"', "u 001f": r'"\u001f"', "u 0020": r'"\u0020"',
    "u 007f": r'"\u007f"', "u 0080": r'"\u0080"', "u 07ff": r'"\u07ff"', "u 0800": r'"\u0800"', "u ffff": r'"\uffff"', "u fffe": r'"\ufffe"', "u fdd0": r'"\ufdd0"', "u d7ff": r'"\ud7ff"',
    "u e000": r'"\ue000"', "u 2028": r'"\u2028\u2029"', "pair": r'"\ud83d\ude00"', "pair lowest": r'"\ud800\udc00"', "pair highest": r'"\udbff\udfff"', "two pairs": r'"\ud83d\ude00\ud83d\ude01"',
    "pair upper": r'"\uD83D\uDE00"', "escaped backslash then u": r'"\\u0041"', "escaped backslash at end": r'"\\"', "backslash eats the quote": '"\\"', "three backslashes": r'"\\\"', "u with 3 digits": r'"\u041"',
    "u with 2 digits": r'"\u41"', "u with none": r'"\u"', "u cut": '"\\u00', "u cut after u": '"\\u', "u with g": r'"\u00g0"', "u with sign": r'"\u+041"', "u with minus": r'"\u-041"', "u with blank": r'"\u 041"',
    "u with 0x": r'"\u0x41"', "u with underscore": r'"\u0_41"', "u with wide digit": '"\\u004\uff11"', "U upper": r'"\U0041"', "u braces": r'"\u{41}"', "x escape": r'"\x41"', "octal escape": r'"\101"', "zero escape": r'"\0"',
    "v escape": r'"\v"', "a escape": r'"\a"', "e escape": r'"\e"', "quote escape single": r'"\'' + '"', "N upper": r'"\N"', "T upper": r'"\T"', "escaped newline": '"\\\n"', "escaped blank": '"\\ "', "escape then end": '"\\',
    "not closed": '"abc', "not closed empty": '"', "quote inside": '"a"b"', "newline inside": '"a\nb"', "tab inside": '"a\tb"', "carriage return inside": '"a\rb"', "NUL inside": '"a\0b"', "1f inside": '"a\x1fb"',
    "bell inside": '"\x07"', "DEL inside": '"a\x7fb"', "C1 inside": '"a\u0085b"', "umlauts": '"Müller, Größe, Übung"', "euro": '"€"', "emoji": '"😀"', "cjk": '"日本語"', "combining": '"e\u0301"',
    "byte order mark inside": '"\ufeffx"', "noncharacters": '"\ufffe\uffff\U0001fffe\U0010ffff"', "private use": '"\ue000\U000f0000"', "line separators": '"\u2028\u2029"', "right to left": '"\u202eabc"', "highest scalar": '"\U0010ffff"',
    "lowest supplementary": '"\U00010000"', "lowest two bytes": '"\u0080"', "highest two bytes": '"\u07ff"', "lowest three bytes": '"\u0800"', "highest before surrogates": '"\ud7ff"', "lowest after surrogates": '"\ue000"',
    "escapes between runs": r'"abc\ndef\tghi\u00e9jkl\\mno\ud83d\ude00pqr"', "umlaut after escape": '"\\nü\\nö"', "escape first": r'"\nabc"', "escape last": r'"abc\n"', "only escapes": r'"\n\n\n\n\n\n\n\n\n\n"',
    "key with escape": r'{"\u0061":1}', "key with pair": r'{"\ud83d\ude00":1}', "keys equal after decoding": r'{"a":1,"\u0061":2}', "key not closed": '{"a:1}', "key with newline": '{"a\n":1}', "html": r'"<script>&amp;\u003c\/script>"',
}.items():
    case("string " + name, text)
for n in (6, 7, 8, 9, 14, 15, 16, 17, 18, 30, 31, 32, 33, 47, 48, 49, 63, 64, 65):
    case("string of %d then escape" % n, '"' + "a" * n + '\\n"')
for n in (1, 7, 8, 15, 16, 17, 31, 33):
    case("string of %d then umlaut" % n, '"' + "a" * n + 'ü"')
    case("string of %d then control" % n, '"' + "a" * n + '\x01"')
    case("string of %d not closed" % n, '"' + "a" * n)
    case("string of %d then bad byte" % n, b'"' + b"a" * n + b'\xff"')
case("string of 20000", '"' + "xyz " * 5000 + '"')
case("string of 1000 escapes", '"' + "\\u00fc" * 1000 + '"')

for name, s in {
    "low surrogate": r'"\udc00"', "high surrogate": r'"\ud800"', "high then text": r'"\ud800abc"', "high then newline escape": r'"\ud800\n"', "high then high": r'"\ud800\ud800"', "high high low": r'"\ud800\ud800\udc00"',
    "low then high": r'"\udc00\ud800"', "high at the very end": r'"abc\udbff"', "high then escaped letter": r'"\ud800\u0041"', "high then scalar": '"\\ud800ü"', "low in key": r'{"\udfff":1}', "pair then low": r'"\ud83d\ude00\ude00"',
}.items():
    case("lone " + name, s, LONE)
case("high surrogate then short u", r'"\ud800\udc0"')
case("high surrogate then cut", '"\\ud800\\u')

for name, raw in {
    "bare continuation": b"\x80", "continuation bf": b"\xbf", "two continuations": b"\x80\xbf", "c0 80": b"\xc0\x80", "c0 af": b"\xc0\xaf", "c1 bf": b"\xc1\xbf", "c2 alone": b"\xc2", "c2 then ascii": b"\xc2a",
    "c2 then c2": b"\xc2\xc2\x80", "df alone": b"\xdf", "e0 80 80": b"\xe0\x80\x80", "e0 9f bf": b"\xe0\x9f\xbf", "e0 a0": b"\xe0\xa0", "e2 82 cut": b"\xe2\x82", "e2 82 then ascii": b"\xe2\x82a", "ed a0 80 (surrogate)": b"\xed\xa0\x80",
    "ed bf bf (surrogate)": b"\xed\xbf\xbf", "surrogate pair in bytes": b"\xed\xa0\xbd\xed\xb8\x80", "ef bf": b"\xef\xbf", "f0 80 80 80": b"\xf0\x80\x80\x80", "f0 8f bf bf": b"\xf0\x8f\xbf\xbf", "f0 90 80": b"\xf0\x90\x80",
    "f0 90 then ascii": b"\xf0\x90ab", "f4 90 80 80": b"\xf4\x90\x80\x80", "f5": b"\xf5\x80\x80\x80", "f8": b"\xf8\x88\x80\x80\x80", "fc": b"\xfc\x84\x80\x80\x80\x80", "fe": b"\xfe", "ff": b"\xff", "latin-1 umlaut": b"M\xfcller",
    "fine then cut": "ü".encode() + b"\xc3", "good two": b"\xc3\xbc", "good three": b"\xe2\x82\xac", "good four": b"\xf0\x9f\x98\x80", "ef bf bf": b"\xef\xbf\xbf", "f4 8f bf bf": b"\xf4\x8f\xbf\xbf", "ed 9f bf": b"\xed\x9f\xbf",
    "ee 80 80": b"\xee\x80\x80", "e0 a0 80": b"\xe0\xa0\x80", "f0 90 80 80": b"\xf0\x90\x80\x80", "c2 80": b"\xc2\x80",
}.items():
    case("bytes " + name, b'"' + raw + b'"')
    if name in ("ff", "c0 80", "latin-1 umlaut", "good four"):
        case("bytes outside a string " + name, b"[" + raw + b"]")
        case("bytes as key " + name, b'{"' + raw + b'":1}')
case("bytes cut at the end of the text", b'"\xe2\x82')
case("bytes two cut at the end of the text", b'"\xc3')
case("utf-16 little endian", "[1]".encode("utf-16-le"))
case("utf-16 with mark", "[1]".encode("utf-16"))
case("utf-32", "1".encode("utf-32-be"))
case("bad byte behind the value", b"1\xff")
case("bad byte between", b"[1,\xc3\xbc2]")

for d in (2, 10, 64, 127, 128):
    case("arrays %d deep" % d, "[" * d + "]" * d)
    case("objects %d deep" % d, '{"a":' * d + "1" + "}" * d if d < 128 else '{"a":' * 128 + "1" + "}" * 128)
case("mixed 128 deep", '[{"a":' * 64 + "null" + "}]" * 64)
case("arrays 129 deep", "[" * 129 + "]" * 129, DEEP)
case("objects 129 deep", '{"a":' * 129 + "1" + "}" * 129, DEEP)
case("arrays 500 deep", "[" * 500 + "]" * 500, DEEP)
case("arrays 100000 deep, never closed", "[" * 100000)
case("wide after deep", "[" * 100 + "]" * 100 + ",")
case("many siblings", "[" + ",".join(["[]"] * 500) + "]")
case("1000 numbers", "[" + ",".join(str(i) for i in range(1000)) + "]")
case("1000 members", "{" + ",".join('"k%d":%d' % (i * 7919 % 1000, i) for i in range(1000)) + "}")

for name, text in {
    "twice": '{"a":1,"a":2}', "twice same value": '{"a":1,"a":1}', "twice far": "{" + ",".join('"k%d":0' % i for i in range(40)) + ',"k7":1}', "twice in inner": '{"x":{"b":1,"b":2}}', "same in outer and inner": '{"a":{"a":{"a":1}}}',
    "same in siblings": '[{"a":1},{"a":1}]', "twice empty": '{"":1,"":2}', "twice with NUL": r'{"\u0000":1,"\u0000":2}', "prefix is no duplicate": '{"a":1,"aa":2,"aaa":3}', "case is no duplicate": '{"a":1,"A":2}',
    "composed and not": '{"\u00e9":1,"e\u0301":2}', "three times": '{"a":1,"a":2,"a":3}', "twice at nine members": '{"1":1,"2":1,"3":1,"4":1,"5":1,"6":1,"7":1,"8":1,"1":1}', "NUL is no end": r'{"a\u0000b":1,"a\u0000c":2}',
}.items():
    case("keys " + name, text)

for name, text in {
    "order of rfc 8785": r'{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}',
    "surrogates before private use": r'{"\ue000":1,"\ud800\udc00":2,"\uffff":3,"\udbff\udfff":4,"\ud7ff":5}', "surrogates deeper": r'{"a\uee00":1,"a\ud83d\ude00":2,"a\uf8ff":3,"a\u00ff":4,"a":5,"":6}',
    "numbers of rfc 8785": '[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001]', "literals": "[ null , true , false ]", "nested order": '{"b":{"z":1,"a":[{"y":1,"x":2}]},"a":{}}',
    "string of rfc 8785": r'{"string":"\u20ac$\u000F\u000aA' + "'" + r'\u0042\u0022\u005c\\\"\/"}', "lengths": '{"aaa":1,"aa":2,"a":3,"":4,"ab":5}', "digits are text": '{"10":1,"9":2,"1":3,"a":4,"A":5,"_":6}',
    "emoji by units": r'{"\ud83d\ude01":1,"\ud83d\ude00":2,"\ud83c\udf00":3}', "already sorted": '{"a":1,"b":2,"c":3}', "reversed 30": "{" + ",".join('"%02d":%d' % (i, i) for i in range(29, -1, -1)) + "}",
    "control keys": r'{"\n":1,"\t":2,"\u0000":3,"\u001f":4," ":5,"\u007f":6}',
}.items():
    case("canonical " + name, text)

for name, text in {
    "access log": '{"time":"2026-03-14T09:26:53.123Z","host":"web-2","method":"GET","path":"/shop/cart?id=17","status":200,"bytes":5120,"ms":12.75,"agent":"Mozilla/5.0 (X11; Linux x86_64)"}',
    "stack": r'{"level":"error","msg":"java.lang.IllegalStateException: pool exhausted\n\tat shop.Pool.take(Pool.java:88)\n\tat shop.Cart.add(Cart.java:31)","thread":"worker-7"}',
    "german": '{"benutzer":"jürgen.größ","meldung":"Anmeldung abgelehnt: falsches Kennwort","versuch":3}', "metric": '{"name":"cpu.load","tags":{"host":"node-3","az":"eu-1"},"value":0.8125,"ts":1773480413000}',
    "cut in the middle": '{"time":"2026-03-14T09:26:53.123Z","host":"we', "glued": '{"a":1}{"b":2}', "two lines": '{"a":1}\n{"b":2}', "prefix text": 'INFO {"a":1}', "array of records": '[{"a":1},{"b":[1,2,{"c":"d"}]}]',
    "windows path": r'{"path":"C:\\Users\\Anna\\log.txt"}', "windows path unescaped": r'{"path":"C:\Users\Anna"}', "python repr": "{'a': True}", "json5": "{a: 1, b: 0x10,}",
}.items():
    case("record " + name, text)


def main():
    out = sys.stdout
    for name, raw, differs in CASES:
        try:
            value = python_reads(raw)
            accepts = True
        except (ValueError, UnicodeDecodeError, RecursionError):
            accepts = False
        assert not differs or accepts, name  # an intended difference is always: Python accepts, we refuse
        row = [name, base64.b64encode(raw).decode(), "ok" if accepts and not differs else "refused"]
        if row[2] == "ok":
            try:
                canon = base64.b64encode(canonical(value).encode()).decode()
            except NoCanonicalForm:
                canon = "-"
            bits = ",".join(struct.pack(">d", float(x)).hex() for x in numbers(value))
            row += [base64.b64encode(written(value).encode()).decode(), bits if len(bits) < 40000 else "-", canon]
        else:
            row += ["-", "-", "-"]
        row.append(differs or "-")
        out.write("\t".join(f if f else "." for f in row) + "\n")


main()
