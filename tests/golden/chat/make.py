#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small templates of our own and what Jinja2 makes of them, set up as transformers sets it up.

    make.py > cases.jsonl            the same file again
    make.py --fresh N SEED > FILE    N random expressions and statements, for ALM_CHAT_CASES=FILE test_chat_template

Needs PyPI jinja2 3.1. A line is {"template", "context", "expected"} or {..., "expected_error"}: a message that begins with
TemplateError is the template's own and must come out word for word; of others only that they fail is asked."""
import datetime
import json
import random
import sys

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = datetime.datetime(2026, 3, 14, 9, 26, 53, 589793)


class Generation(jinja2.ext.Extension):
    """{% generation %}: what an assistant says, marked for training; here it only shows its body."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("show"), [], [], body).set_lineno(line)

    def show(self, caller):
        return caller()


def environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols, Generation])

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = NOW.strftime
    return env


ENV = environment()


def case(template, context=None):
    context = context or {}
    out = {"template": template, "context": context}
    base = {"messages": None, "tools": None, "documents": None, "add_generation_prompt": False}
    try:
        out["expected"] = ENV.from_string(template).render(**{**base, **context})
    except jinja2.exceptions.TemplateError as e:
        kind = type(e).__name__
        out["expected_error"] = f"{kind}: {e.message}" if kind == "TemplateError" else kind
    except Exception as e:
        out["expected_error"] = type(e).__name__
    return out


# Expressions: each becomes {{ e }}. One a line; the variables are those of CONTEXT.
CONTEXT = {
    "s": "Hello World", "t": "  two  blanks \n", "u": "Grüße, ÄÖÜ ß 日本", "empty": "", "n": 7, "z": 0, "neg": -5, "f": 2.5,
    "yes": True, "no": False, "nil": None, "list": [3, 1, 2], "words": ["pear", "Apple", "fig", "apple"],
    "d": {"b": 1, "a": "x", "items": 5, "in ner": {"k": [1, 2.0, None, True]}},
    "rows": [{"role": "user", "content": "Hi", "n": 2}, {"role": "assistant", "content": "Yes?", "n": 1},
             {"role": "user", "content": "Bye", "n": 3, "x": {"y": "deep"}}],
    "deep": [[1, [2, 3]], []], "big": 12345678901234567890123, "small": 1e-7, "large": 1e22, "half": 0.5,
}
EXPRESSIONS = r'''
1
-1
007
1_000
0x1F
0b101
0o17
1.5
1e3
1.5e-7
1_0.5
1e16
1e15
123456789012345.0
0.1 + 0.2
1 / 3
100 / 10
7 // 2
-7 // 2
7 // -2
7 % 3
-7 % 3
7 % -3
-7.5 % 2
7.5 // 2
-7.5 // 2
2 ** 10
2 ** -1
2 ** 0.5
2 ** 3 ** 2
-2 ** 2
(-2) ** 3
1 - 2 - 3
2 + 3 * 4
(2 + 3) * 4
1 + true
true + true
10 / 4
1 / 0
1 // 0
1 % 0
1.0 / 0
9223372036854775807
-9223372036854775807 - 1
3 * 1.0
1e400
-1e400
0.0
-0.0
1e-5
0.0001
123456.789
large
small
big
big == big
"a"
'a' "b" 'c'
"tab\tquote\"back\\slash\x41\u00e9\101"
'it''s'
"line\
go on"
'\q'
"a" + "b"
"a" ~ 1 ~ none ~ true ~ 1.0 ~ [1, 'x']
1 ~ 2 + 3
"a" + 1
1 + "a"
"ab" * 3
3 * "ab"
"ab" * 0
"ab" * -1
[1, 2] * 2
[1] + [2]
(1,) + (2, 3)
[1] + (2,)
"x" * 1.5
none + 1
-none
-"a"
not none
not 1
not not 1
+true
-true
1 and 2
0 and 2
0 or 'x'
'' or none
none or ''
1 or 1 / 0
0 and 1 / 0
1 if yes
1 if no
1 if no else 2
1 if no else 2 if no else 3
(1 if yes else 2) + 1
'a' if nothing else 'b'
[1, 2, 3]
[1, 2, 3,]
[]
(1, 2)
(1,)
()
1, 2
1,
{}
{'a': 1, 'b': [2]}
{'a': 1, 'a': 2}
{1: 'int', 1.0: 'float', true: 'bool'}
{(1, 2): 'tuple'}
{[1]: 2}
{'a': 1,}
{none: 1}[none]
["it's", 'say "x"', "both ' and \"", "\n\t\\\x00\x7f\u00e9\u200b"]
'é' ~ ['é', '日本', '\u00ad']
true
True
none
None
[true, none, 1.0]
nothing
nothing.x
nothing is defined
nothing + 1
1 + nothing
nothing ~ 'x'
nothing == other
nothing == none
nothing == ''
not nothing
nothing or 'default'
[nothing]
nothing|length
nothing|list
nothing < 1
nothing in [1]
1 in nothing
nothing()
nothing[0]
s.nope
s.nope.more
d.nope
d.nope is defined
d['nope']
d.a
d['a']
d["in ner"].k[3]
d["in ner"]["k"]
d.items
d.items is callable
d['items']
d.get('a')
d.get('q')
d.get('q', 7)
d.get('items')
d.keys()
d.values()
d.items()
d.items()|list
d.keys()|list|sort
d.keys()[0]
d|length
d|list
d|first
'a' in d
'q' in d
'q' not in d
1 in d
[1] in d
d == {'items': 5, 'a': 'x', 'b': 1, 'in ner': {'k': [1, 2, none, 1]}}
d.update({})
d.pop('a')
d.clear is defined
d.copy() == d
list
list[0]
list[-1]
list[3]
list[3] is defined
list['x']
list.0
list.append(4)
list.index(2)
list.index(9)
list.count(1)
list[1:]
list[:1]
list[::-1]
list[::2]
list[-2:]
list[5:]
list[1:100]
list[::0]
list[none:2]
list['a':]
s[0]
s[-1]
s[99]
s[1:4]
s[::-1]
s[::-2]
s[-3:]
s[5:1]
s[5:1:-1]
s[:-1]
u[0:3]
u[-2:]
u[::-1]
u[2]
u|length
range(5)[1:3]
range(5)
range(5)|list
range(2, 8, 3)|list
range(5, 0, -2)|list
range(3)[1]
range(0)|list
range(1, 2, 0)
range('a')
range(3) == range(0, 3)
2 in range(3)
1 < 2
1 < 2 < 3
1 < 3 < 2
1 == 1.0
1 == true
1 == '1'
1 != 2
'a' < 'b'
'a' < 'B'
'ä' > 'z'
[1, 2] < [1, 3]
[1, 2] < [1, 2, 0]
(1, 2) == [1, 2]
(1, 'a') < (1, 2)
1 < 'a'
none < 1
none == none
[1, [2, 'x']] == [1.0, [2, 'x']]
{'a': 1} == {'a': 1.0}
1 <= 1 >= 1
'ell' in s
'' in s
'x' in s
1 in s
1 in list
4 not in list
1 in 5
none in none
'a' in none
1 in (1, 2)
'a' in ['a'] == true
s.upper()
s.lower()
s.title()
s.swapcase()
s.capitalize()
"they're bill's".title()
"they're bill's friends-of x1y"|title
"ǆ ŉ ﬁ İ ΑΣ Σ ß"|upper
"ǅ İ ΑΣ ΑΣΑ Ä ẞ"|lower
"ǆ ﬁx ßa élan"|title
"ﬁne ßtuff"|capitalize
u.upper()
u.lower()
t.strip()
t.lstrip()
t.rstrip()
"xxhixx".strip('x')
"abcba".strip('ab')
"\u00a0 x \u2003".strip()
"x".strip(1)
s.split()
t.split()
" a  b c ".split()
" a  b c ".split(none, 1)
" a  b c ".split(maxsplit=1)
"a,b,,c".split(',')
"a,b,,c".split(',', 1)
"a,b,,c".rsplit(',', 1)
" a  b c ".rsplit(none, 1)
"".split()
"".split(',')
"abc".split('')
"a<b>c".split('<b>')
"a\nb\r\nc\rd\x0be\u2028f".splitlines()
"a\nb\n".splitlines(true)
"".splitlines()
s.startswith('Hello')
s.startswith(('x', 'He'))
s.startswith('ello', 1)
s.endswith('World')
s.endswith(['x'])
s.endswith('o', 0, 5)
s.find('o')
s.find('o', 5)
s.find('zz')
s.rfind('o')
s.index('W')
s.index('zz')
u.find('ß')
u.find('本', -1)
s.count('l')
s.count('')
s.count('l', 4)
s.replace('l', 'L')
s.replace('l', 'L', 1)
s.replace('', '-')
s.replace('', '-', 3)
'abc'.replace('b', '')
s.partition(' ')
s.rpartition('o')
s.partition('zz')
s.rpartition('zz')
s.removeprefix('Hello ')
s.removesuffix('World')
s.center(20)
s.center(14, '*')
'ab'.center(5, '*')
'abc'.center(6, '*')
s.ljust(14) ~ '|'
s.rjust(14, '.')
'42'.zfill(5)
'-42'.zfill(5)
'é'.ljust(3, 'ü')
'ab'.center(5, 'xy')
"a\tb".expandtabs(4)
"01\t012\n1\t2".expandtabs(4)
'abc'.isalpha()
'abc1'.isalpha()
''.isalpha()
'é日'.isalpha()
'12'.isdigit()
'１２'.isdigit()
'²'.isdigit()
'²'.isdecimal()
'½'.isnumeric()
'a1'.isalnum()
'a 1'.isalnum()
' \n'.isspace()
'abc'.islower()
'aBc'.islower()
'1a'.islower()
'ABC'.isupper()
'123'.isupper()
'A Title Of'.istitle()
'Not a Title'.istitle()
'abc'.isascii()
'é'.isascii()
'a\n'.isprintable()
'-'.join(['a', 'b'])
'-'.join('abc')
'-'.join([1, 2])
''.join(words)
'Straße'.casefold()
'{} {}'.format(1, 'a')
'{1} {0} {x}'.format(1, 2, x=3)
'{:>5}|{:<5}|{:^5}|{:*^7}'.format(1, 'a', 'b', 'c')
'{:05d} {:+d} {:x} {:#X} {:b} {:,}'.format(42, 3, 255, 255, 5, 1234567)
'{:.2f} {:8.3f} {:e} {:g} {:%} {:.1%}'.format(3.14159, 2.5, 12345.678, 0.00001, 0.5, 0.123)
'{:,.2f} {:_}'.format(1234567.891, 1000000)
'{0[a]} {0[b]} {1[0]} {2.role}'.format(d, list, rows[0])
'{{}} {!r:>6}'.format('a')
'{:5}|{:5}'.format('é', true)
'{}'.format()
'{x}'.format()
'{:d}'.format('a')
'{'.format()
'}'.format()
'{:.3}'.format('abcdef')
'{:.0f} {:.0f} {:.1f}'.format(0.5, 1.5, 0.25)
'{} {} {}'.format(none, 1.0, [1, 'a'])
'%s and %s' % ('a', 1)
'%s' % 'x'
'%d %i' % (3, 4.7)
'%5d|%-5d|%05d|%+d' % (1, 2, 3, 4)
'%.2f %8.3f %e %g' % (3.14159, 2.5, 12345.678, 0.00001)
'%x %X %o %#x' % (255, 255, 8, 255)
'%r %s' % ('a', [1, 'b'])
'%c%c' % ('a', 66)
'%(a)s is %(b)d' % d
'%% %s' % 1
'%s' % (1, 2)
'%s %s' % (1,)
'%d' % 'a'
'%.3s|%5s|%-5s|' % ('abcdef', 'a', 'b')
'%*d' % (5, 1)
'%.3d' % 5
'%y' % 1
'%s' % none
'%s' % d
'plain' % []
'%s-%s' | format('a', 'b')
'%(x)s' | format(x=1)
s|upper
s|lower
s|title
s|capitalize
t|trim
'xax'|trim('x')
s|replace('o', '0')
s|replace('o', '0', 1)
1234|replace(2, 9)
s|length
s|count
list|length
1|length
none|length
s|first
s|last
list|first
list|last
[]|first
[]|last
''|first is defined
[]|first|default('none')
s|list
d|list
none|list
list|sort
list|sort(reverse=true)
words|sort
words|sort(case_sensitive=true)
rows|sort(attribute='n')|map(attribute='content')|list
rows|sort(attribute='role,n')|map(attribute='n')|join
[1, 'a']|sort
[[2, 1], [1, 2]]|sort
words|sort(true)
words|unique|list
words|unique(true)|list
[1, 1.0, true, 2]|unique|list
words|min
words|max
list|min
[]|max
rows|max(attribute='n')
list|sum
[]|sum
[1.5, 2]|sum
rows|sum(attribute='n')
list|sum(start=10)
['a', 'b']|sum
[[1], [2]]|sum(start=[])
list|join
list|join(', ')
words|join('-')
rows|join(',', attribute='role')
[1, none, 'a']|join(';')
'abc'|join('.')
1|join
list|reverse|list
s|reverse
list|reverse is string
words|map('upper')|list
words|map('length')|list
words|map('replace', 'p', 'P')|list
rows|map(attribute='role')|list
rows|map(attribute='x.y')|list
rows|map(attribute='x', default='none')|list
rows|map(attribute='q', default=0)|list
deep|map(attribute=0)|list
deep|map(attribute='1.1', default='-')|list
words|map('nope')|list
words|map
words|map('upper')
rows|selectattr('role', 'equalto', 'user')|list|length
rows|selectattr('role', '==', 'user')|map(attribute='n')|list
rows|rejectattr('role', 'equalto', 'user')|map(attribute='n')|list
rows|selectattr('x')|list
rows|rejectattr('x')|map(attribute='n')|list
rows|selectattr('x', 'defined')|map(attribute='n')|list
rows|selectattr('role', 'in', ['user'])|map(attribute='n')|list
rows|selectattr('x.y', 'eq', 'deep')|list
[1, 2, 3, 4]|select('even')|list
[1, 2, 3, 4]|reject('even')|list
[0, 1, '', 'a']|select|list
[0, 1, '', 'a']|reject|list
[1, 'a']|select('string')|list
list|select('gt', 1)|list
list|select('>', 1)|list
list|select('nope')|list
list|select('odd')|first
(list|select('odd'))|length
'yes' if list|select('gt', 99) else 'no'
(list|map('string')|list)[0]
rows|groupby('role')|length
rows|groupby('role')|map('first')|list
rows|groupby('role')|map(attribute='grouper')|list
rows|groupby('role')|map(attribute='list')|map('length')|list
(rows|groupby('n'))[0].grouper
d|dictsort|map('first')|list
{'b': 1, 'A': 2}|dictsort
{'b': 1, 'A': 2}|dictsort(true)
{'b': 1, 'A': 2}|dictsort(by='value', reverse=true)
{'b': 1}|dictsort(by='x')
d|items|list|length
nothing|items|list
s|items|list
[1, 2, 3, 4, 5]|batch(2)|list
[1, 2, 3, 4, 5]|batch(2, 'x')|list
[1, 2, 3, 4, 5]|slice(2)|list
[1, 2, 3, 4, 5]|slice(3, 'x')|list
nothing|default('d')
nothing|default
none|default('d')
none|default('d', true)
''|d('x', true)
nothing|default(default_value='q')
d.q|default('r')
'a\nb\n\nc'|indent
'a\nb\n\nc'|indent(2, true)
'a\nb\n\nc'|indent(2, blank=true)
'a\nb\n'|indent(width='>> ')
''|indent
5|string
[1, 'a']|string
'5'|int
'5.7'|int
'x'|int
'x'|int(-1)
' 12 '|int
'1_000'|int
'ff'|int(base=16)
'0xff'|int(0, 16)
'1e3'|int
5.9|int
-5.9|int
true|int
none|int
none|int(3)
list|int
nothing|int
'2.5'|float
'.5'|float
'5.'|float
'x'|float
'x'|float(1.5)
'inf'|float
'-1e-3'|float
3|float
none|float
2.5|round
3.5|round
2.675|round(2)
1234.5678|round(-2)
42|round
42|round(1)
1250|round(-2)
1350|round(-2)
2.1|round(method='ceil')
2.9|round(method='floor')
-2.1|round(0, 'ceil')
2.123456|round(3, 'floor')
2.5|round(method='x')
'a'|round
1e300|round(2)
-5|abs
-5.5|abs
true|abs
'a'|abs
'<a href="x">\'&'|e
'<'|escape
'<'|forceescape
'<b>'|safe
'a b/c?ä&'|urlencode
{'a b': 'c/d', 'e': 1}|urlencode
'one two  three-four'|wordcount
'foo bar baz qux'|truncate(9)
'foo bar baz qux'|truncate(9, true)
'foo bar baz qux'|truncate(11)
'foo bar baz qux'|truncate(11, false, '..', 0)
'ab'|center(6) ~ '|'
d|attr('items') is callable
d|attr('a') is defined
s|attr('upper') is defined
d|tojson
d|tojson(indent=2)
d|tojson(indent=0)
d|tojson(indent='\t')
d|tojson(sort_keys=true)
d|tojson(separators=(',', ':'))
u|tojson
u|tojson(true)
u|tojson(ensure_ascii=true)
"\"\\\b\f\n\r\t\x00\x1f\x7f<>&'/"|tojson
'😀'|tojson(true)
[1.0, 1e100, 1e-7, none, true, (1, 2)]|tojson
{1: 2, none: 3, true: 4, 1.5: 5}|tojson
{(1, 2): 3}|tojson
[]|tojson(indent=2)
{}|tojson(indent=2)
{'a': [], 'b': {}, 'c': [{}]}|tojson(indent=2)
nothing|tojson
range(3)|tojson
(list|select)|tojson
big|tojson
1e400|tojson
s is string
n is string
n is number
yes is number
f is number
n is integer
yes is integer
f is float
f is integer
yes is boolean
n is boolean
yes is true
n is true
no is false
nil is none
nothing is none
nothing is undefined
s is iterable
list is iterable
n is iterable
d is iterable
nothing is iterable
s is sequence
list is sequence
d is sequence
n is sequence
d is mapping
list is mapping
d.items() is sequence
d.items() is mapping
(list|select) is sequence
(list|select) is iterable
range is callable
s is callable
s.upper is callable
n is odd
n is even
n is divisibleby 7
n is divisibleby(2)
n is eq 7
n is equalto(7)
n is ne 7
n is gt 5
n is lt(5)
n is ge 7
n is le 6
n is in [7]
n is not in [7]
n is in(list)
's' is in 'us'
s is lower
'abc' is lower
'ABC' is upper
nil is sameas none
list is sameas list
list is sameas [3, 1, 2]
1 is sameas true
'a' is escaped
'upper' is filter
'nope' is filter
'defined' is test
n is not string
not n is string
n is string or n is number
n is defined and n > 5
s is string and s|length > 3
1 + n is odd
-n is odd
n is odd is true
-2|abs
-n|abs
(-n)|abs
2 * 3|string
'a' ~ 'b'|upper
not 'a' in 'abc'
1 if 'a' in s else 2
[1, 2, 3][1]
'abc'[1]
{'a': 1}.a
{'a': {'b': 2}}['a'].b
(1, 2)[0]
'a-b'.split('-')[1].upper()
s.split(' ')|map('lower')|join('_')
rows[0].content
rows[-1]['content']
rows[0]['role'] == 'user'
rows[1:]|length
rows|map(attribute='content')|join(' ')|upper
(rows|selectattr('role', 'equalto', 'user')|list)[-1].content
rows|last
rows|length > 2 and rows[0].role == 'user'
dict(a=1, b=2)
dict([('a', 1), ('b', 2)])
dict({'a': 1}, b=2)
dict(1)
namespace(a=1).a
namespace(a=1).b
namespace(a=1).b is defined
namespace({'a': 1}).a
strftime_now('%Y-%m-%d %H:%M:%S')
strftime_now('%d %b %Y')
strftime_now('%A %a %B %j %U %W %V %G %u %w %y %I %p %M %f %%')
strftime_now('%e %D %F %T %R %c %x %X')
strftime_now('%-d.%-m.%y')
strftime_now(1)
raise_exception('no')
raise_exception('no ' ~ n ~ [1])
raise_exception()
cycler('a', 'b').next()
joiner('x')()
f.is_integer()
2.0.is_integer()
''.__class__
d.__class__
d._x
d['__class__']
s[none]
s[1.0]
s['upper']()
list[true]
{'upper': 1}.upper
[1, 2]|length + 1
"%s" % [1, 2]
"a" "b" ~ "c"
[[]] * 2
1.
1.e
5 |abs
{'a':1}['a']
{'}}': '%}'}
'}}' ~ "%}"
1 if {} else {'a': 1}
list.0.1
d.in
none.x
nil.x is defined
nil['x']
n.x
n[0]
s.upper().lower().title()
s.upper
[x for x in list]
lambda: 1
a = 1
1 2
1 +
(1
[1
{'a'}
{'a' 1}
s|
s|1
s is
s is 1
1 is not
*list
[*list]
s.
s.1x
@
$
`x`
a ? b : c
a && b
!a
a not b
'''.strip("\n").split("\n")

STATEMENTS = [
    # text and whitespace
    "plain", "", "\n", "\n\n", "a\n", "a\r\nb\rc\n\n", "  a  ", "{", "{ {", "a{b}c", "{{ '{{' }}", "}}", "%}", "#}", "a{#b#}c",
    "{# {{ x }} {% if %} #}x", "a {#- b -#} c", "{#\n#}\nx", "  {# x #}\ny", "a\n  {# x #}\ny", "{{ 1 }}\n{{ 2 }}\n",
    "a\n  {% if true %}\n  b\n  {% endif %}\nc", "a\n  {%- if true %}\n  b\n  {%- endif %}\nc", "a\n  {% if true -%}\n  b\n  {% endif -%}\nc",
    "a\n  {%+ if true %}\n  b\n  {%+ endif %}\nc", "a\n  {% if true +%}\n  b\n  {% endif +%}\nc", "  {{ 1 }}\n  {{- 2 }}  \n  {{ 3 -}}  \n 4",
    "\t {% if true %}x{% endif %}", "x {% if true %} y {% endif %} z", "{% if true %}\n\nx\n\n{% endif %}\n\ny", "{{ 1 -}}\n\n\n{{- 2 }}",
    "{%- if true -%} a {%- endif -%} b", "{% set x = 1 %}\n{{ x }}", " \n {% set x = 1 %} \n {{ x }}", "a {%-set x=1-%} b", "{%set x=1%}{{x}}",
    "{{1}}{{'a'}}{{[1]}}", "{{\n1\n}}", "{% if\ntrue\n%}x{% endif %}", "{{- 1 -}}", "{{+ 1 }}", "{{ 1 +}}", "  {{- ' x ' -}}  ",
    # raw
    "{% raw %}{{ x }}{% if %}{% endraw %}", "a {%- raw -%} {{ x }} {%- endraw -%} b", "{% raw %}\n x\n{% endraw %}\ny", "  {% raw %} x\n  {% endraw %} y",
    "{% raw %}{# x #}{% endraw %}", "{%raw%}{%endraw%}", "{% raw %}x", "{% raw %}{% endraw x %}{% endraw %}",
    # if
    "{% if true %}a{% endif %}", "{% if false %}a{% else %}b{% endif %}", "{% if false %}a{% elif true %}b{% else %}c{% endif %}",
    "{% if 0 %}a{% elif none %}b{% elif [] %}c{% elif '' %}d{% elif {} %}e{% else %}f{% endif %}", "{% if a %}{% else %}x{% endif %}",
    "{% if 1, 2 %}x{% endif %}", "{% if true: %}x{% endif %}", "{% if (true if true else false) %}x{% endif %}", "{% if not false and true %}x{% endif %}",
    "{% if x is defined %}x{% endif %}y", "{% if true %}{% if false %}a{% else %}b{% endif %}{% endif %}", "{% if true %}{% set x = 1 %}{% endif %}{{ x }}",
    "{% if false %}{% set x = 1 %}{% endif %}[{{ x }}]", "{% if false %}{{ 'a'|nope }}{% endif %}x", "{{ 'a'|nope if false else 'x' }}",
    "{% for i in [] %}{{ i|nope }}{% endfor %}", "{% if false %}{{ 1 is nope }}{% endif %}y",
    # for
    "{% for x in [1, 2, 3] %}{{ x }}{% endfor %}", "{% for x in [] %}{{ x }}{% else %}none{% endfor %}", "{% for x in [1] %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in 'abc' %}{{ x }}-{% endfor %}", "{% for k in {'a': 1, 'b': 2} %}{{ k }}{% endfor %}", "{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in {'a': 1}|items %}{{ k }}{{ v }}{% endfor %}", "{% for a, b in [(1, 2), [3, 4]] %}{{ a + b }} {% endfor %}", "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for a, b in [(1, 2, 3)] %}{% endfor %}", "{% for a, b in [1] %}{% endfor %}", "{% for a, b in ['xy'] %}{{ b }}{{ a }}{% endfor %}", "{% for x in 1, 2 %}{{ x }}{% endfor %}",
    "{% for x in none %}{% endfor %}", "{% for x in 5 %}{% endfor %}", "{% for x in nothing %}{{ x }}{% else %}e{% endfor %}",
    "{% for x in range(6) if x is odd %}{{ x }}:{{ loop.index }}/{{ loop.length }} {% endfor %}", "{% for x in [1, 2] if x > 5 %}a{% else %}b{% endfor %}",
    "{% for x in 'abcd' %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }} {% endfor %}",
    "{% for x in 'abc' %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}", "{% for x in 'abc' %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{% endfor %}",
    "{% for x in 'abcd' %}{{ loop.cycle('o', 'e') }}{% endfor %}", "{% for x in [1, 1, 2, 2, 1] %}{{ loop.changed(x) }} {% endfor %}", "{% for x in [1] %}{{ loop.depth }}{{ loop.depth0 }}{% endfor %}",
    "{% for a in 'ab' %}{% for b in 'xy' %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}", "{% for a in 'ab' %}{% set outer = loop %}{% for b in 'xy' %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}",
    "{% for x in [1, 2, 3, 4] %}{% if x == 3 %}{% break %}{% endif %}{{ x }}{% endfor %}", "{% for x in [1, 2, 3, 4] %}{% if x == 3 %}{% continue %}{% endif %}{{ x }}{% endfor %}",
    "{% for a in 'ab' %}{% for b in 'xy' %}{% break %}{% endfor %}{{ a }}{% endfor %}", "{% for x in [1] %}{% break %}{% else %}e{% endfor %}",
    "{% for x in [[1, [2, [3]]], 4] recursive %}{{ loop(x) if x is iterable else x }}.{% endfor %}",
    "{% for n in [{'v': 1, 'c': [{'v': 2, 'c': []}]}] recursive %}{{ n.v }}@{{ loop.depth }}{% if n.c %}({{ loop(n.c) }}){% endif %}{% endfor %}",
    "{% for x in [1] %}{{ loop([1]) }}{% endfor %}", "{{ loop }}", "{{ loop is defined }}", "{% for x in [1] %}{{ loop }}{% endfor %}",
    "{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + 1 %}{{ x }}{% endfor %}{{ x }}", "{% for i in [1, 2] %}{{ x }}{% set x = i %}{{ x }}{% endfor %}[{{ x }}]",
    "{% for x in [1, 2] %}{% endfor %}[{{ x }}]", "{% set x = [1, 2] %}{% for x in x %}{{ x }}{% endfor %}{{ x }}", "{% for x in [3, 1]|sort %}{{ x }}{% endfor %}",
    "{% set g = [1, 2, 3]|select %}{% for x in g %}{{ x }}{% endfor %}|{% for x in g %}{{ x }}{% endfor %}", "{% set g = [1, 2, 3]|map('string') %}{{ g|first }}{{ g|list }}{{ g|list }}",
    "{% set g = [1, 2, 3]|select %}{{ 2 in g }}{{ g|list }}", "{% for x in [1, 2]: %}{{ x }}{% endfor %}", "{% for x in [1, 2] -%} {{ x }} {%- endfor %}", "{%- for x in [1] %}\n  {{- x }}\n{%- endfor %}\n",
    "{% for x in (1, 2) if x if true %}{{ x }}{% endfor %}", "{% for i in range(3) %}{% if loop.first %}F{% elif loop.last %}L{% else %}M{% endif %}{% endfor %}",
    # set, namespace
    "{% set x = 1 %}{{ x }}", "{% set x, y = 1, 2 %}{{ x }}{{ y }}", "{% set x = 1, 2 %}{{ x }}", "{% set (a, b) = [1, 2] %}{{ a }}{{ b }}", "{% set a, b = 1 %}", "{% set x = y = 1 %}",
    "{% set x %}block {{ 1 + 1 }}{% endset %}[{{ x }}]", "{% set x | upper %}block{% endset %}{{ x }}", "{% set x | replace('b', 'c') | upper %}block{% endset %}{{ x }}",
    "{% set x %}{% set y = 1 %}{{ y }}{% endset %}{{ x }}[{{ y }}]", "{% set x %}{% endset %}{{ x is string }}{{ x|length }}", "{% set x %} a {% endset %}{{ x|trim }}|",
    "{% set ns = namespace(n=0) %}{% for i in [1, 2, 3] %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", "{% set ns = namespace() %}{% set ns.a = 1 %}{{ ns.a }}{{ ns.b }}",
    "{% set d = {} %}{% set d.a = 1 %}", "{% set nothing.a = 1 %}", "{% set ns = namespace(x=1) %}{% set ns.x, y = 2, 3 %}{{ ns.x }}{{ y }}", "{% set ns = namespace(f=false) %}{% for i in [1] %}{% if i %}{% set ns.f = true %}{% endif %}{% endfor %}{{ ns.f }}",
    "{% set ns = namespace(l=[]) %}{% for i in [1, 2] %}{% set ns.l = ns.l + [i] %}{% endfor %}{{ ns.l }}", "{% set ns.x = 1 %}", "{% set x = 1 %}{% set x = x + 1 %}{{ x }}", "{% set messages = [1] %}{{ messages }}",
    "{% set ns = namespace(a=1) %}{% set m = ns %}{% set m.a = 2 %}{{ ns.a }}", "{% set true = 1 %}", "{% set 'a' = 1 %}", "{% set a.b.c = 1 %}", "{% set a[0] = 1 %}", "{% set ns = namespace(t='') %}{% set ns.t %}x{% endset %}{{ ns.t }}",
    # macros and calls
    "{% macro f(x) %}<{{ x }}>{% endmacro %}{{ f(1) }}{{ f('a') }}", "{% macro f(x, y=2, z=x) %}{{ x }}{{ y }}{{ z }}{% endmacro %}{{ f(1) }} {{ f(1, 3) }} {{ f(x=5, z=6) }} {{ f(1, y=9) }}",
    "{% macro f() %}{% endmacro %}{{ f(1) }}", "{% macro f(x) %}{{ x is defined }}{{ x }}{% endmacro %}{{ f() }}", "{% macro f(x) %}{{ x.y }}{% endmacro %}{{ f() }}", "{% macro f(x) %}{% endmacro %}{{ f(y=1) }}", "{% macro f(x) %}{{ x }}{% endmacro %}{{ f(1, x=2) }}",
    "{% macro f(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, 3, k=4) }}", "{% macro f() %}{{ kwargs.x }}{% endmacro %}{{ f(x=1) }}", "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(*[1]) }}{{ f(**{'a': 2}) }}{{ f(*[1], **{}) }}",
    "{% macro f() %}{{ x }}{% endmacro %}{% set x = 1 %}{{ f() }}", "{% set x = 1 %}{% macro f() %}{{ x }}{% set x = 2 %}{{ x }}{% endmacro %}{{ f() }}{{ x }}", "{% macro f() %}{{ loop is defined }}{% endmacro %}{% for i in [1] %}{{ f() }}{% endfor %}",
    "{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}", "{% macro f() %}a{% endmacro %}{{ f() ~ f() }}{{ f()|upper }}{{ f() == 'a' }}{{ f.name }}", "{% macro f(x) -%} {{ x }} {%- endmacro %}[{{ f(1) }}]",
    "{% for i in [1, 2] %}{% macro f() %}{{ i }}{% endmacro %}{{ f() }}{% endfor %}", "{% macro g(x) %}[{{ x }}]{% endmacro %}{% macro f(x) %}{{ g(x) }}{% endmacro %}{{ f(1) }}", "{{ f() }}{% macro f() %}{% endmacro %}",
    "{% macro f() %}({{ caller() }}){% endmacro %}{% call f() %}body{% endcall %}", "{% macro f() %}{{ caller(1, 2) }}{% endmacro %}{% call(a, b) f() %}{{ a }}{{ b }}{% endcall %}", "{% macro f(x) %}{{ x }}{{ caller() }}{% endmacro %}{% set y = 5 %}{% call f(1) %}{{ y }}{% endcall %}",
    "{% macro f() %}{% if caller %}c{% else %}n{% endif %}{% endmacro %}{{ f() }}{% call f() %}{% endcall %}", "{% macro f() %}x{% endmacro %}{% call f() %}y{% endcall %}", "{% macro f(a, b=1, c) %}{% endmacro %}", "{% macro f(a, a) %}{% endmacro %}",
    "{% macro f(x=[]) %}{{ x }}{% endmacro %}{{ f() }}{{ f([1]) }}", "{% macro f(x=none) %}{{ x is none }}{% endmacro %}{{ f() }}{{ f(1) }}", "{% macro f(d) %}{% for k, v in d.items() %}{{ k }}{% if v is mapping %}({{ f(v) }}){% endif %}{% endfor %}{% endmacro %}{{ f({'a': {'b': 1}, 'c': 2}) }}",
    "{% macro f() %}{% set ns.n = ns.n + 1 %}{% endmacro %}{% set ns = namespace(n=0) %}{{ f() }}{{ f() }}{{ ns.n }}", "{% macro f(x) %}{% endmacro %}[{{ f(1) }}]{{ f(1)|length }}", "{% macro f(x) %}{{ x }}{% endmacro %}{{ ['a', 'b']|map('upper')|map('length')|list }}{{ f }}",
    # filter, with, print, generation
    "{% filter upper %}abc{{ 'd' }}{% endfilter %}", "{% filter replace('a', 'b')|upper %}aXa{% endfilter %}", "{% filter trim %}  x {% set y = 1 %} {% endfilter %}[{{ y }}]", "{% with %}{% set x = 1 %}{{ x }}{% endwith %}[{{ x }}]", "{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}[{{ a }}]",
    "{% set a = 5 %}{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% print 1, 'a' %}", "{% with a, b = (1, 2) %}{{ a }}{% endwith %}", "{% do 1 %}", "{% unknown %}", "{% endfor %}", "{% if true %}{% endfor %}{% endif %}", "{% for %}", "{% if %}{% endif %}", "{% set %}", "{% %}", "{{ }}", "{{", "{%", "{% if true %}", "{# a", "{{ 'a }}", "{{ a",
    "{{ {'a': {'b': 1}} }}", "{{ {'a': {'b': {}}}['a']['b'] }}", "{{ '%}' }}{% set x = '}}' %}{{ x }}", "{% set x = {'a': '%}'} %}{{ x.a }}", "{{ (1, (2, (3,))) }}", "{{ ']' }}{{ [ ']' ] }}", "{{ 1 ] }}", "{{ (1 ] }}",
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.next() }}", "{% set j = joiner(', ') %}{% for x in [1, 2, 3] %}{{ j() }}{{ x }}{% endfor %}", "{% set j = joiner() %}{{ j() }}a{{ j() }}b",
]

# Conversations, as chat templates walk them; all in our own words.
TALK = [
    {"role": "system", "content": "Be brief."}, {"role": "user", "content": " What is 2+2? "},
    {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": {"name": "sum", "arguments": {"a": 2, "b": 2}}}]},
    {"role": "tool", "name": "sum", "content": "4"}, {"role": "assistant", "content": "It is 4."},
    {"role": "user", "content": [{"type": "text", "text": "Thanks"}, {"type": "image"}, {"type": "text", "text": "!"}]},
]
TOOLS = [{"type": "function", "function": {"name": "sum", "description": "Adds.", "parameters": {"type": "object", "properties": {"a": {"type": "integer", "description": "one"}, "b": {"type": "integer"}}, "required": ["a", "b"]}}}]
DIALOGUES = [
    "{% for m in messages %}<|{{ m.role }}|>\n{{ m['content'] }}<|end|>\n{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}",
    "{{ bos_token }}{%- for m in messages -%}\n  {%- if m.role == 'user' -%}\n    [U]{{ m.content if m.content is string else m.content|selectattr('type', 'equalto', 'text')|map(attribute='text')|join('') }}[/U]\n  {%- elif m.role == 'assistant' -%}\n    {{ ' ' ~ m.content|trim ~ eos_token }}\n  {%- else -%}\n    ({{ m.role|upper }}: {{ m.content }})\n  {%- endif -%}\n{%- endfor -%}",
    "{%- if messages[0].role == 'system' -%}{%- set sys = messages[0].content -%}{%- set rest = messages[1:] -%}{%- else -%}{%- set sys = none -%}{%- set rest = messages -%}{%- endif -%}\nS={{ sys }} n={{ rest|length }} last={{ rest[-1].role }}",
    "{% set ns = namespace(user=0, found=false, last=-1) %}{% for m in messages %}{% if m.role == 'user' %}{% set ns.user = ns.user + 1 %}{% set ns.last = loop.index0 %}{% endif %}{% if m.tool_calls is defined and m.tool_calls %}{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.user }} {{ ns.found }} {{ ns.last }}",
    "{% if tools %}{{ '<tools>' }}\n{% for t in tools %}{{ t|tojson }}\n{{ t.function|tojson(indent=4) }}\n{% endfor %}</tools>{% else %}no tools{% endif %}",
    "{% for m in messages if m.tool_calls %}{% for c in m.tool_calls %}{% set f = c.function %}{\"name\": \"{{ f.name }}\", \"arguments\": {{ f.arguments|tojson }}}{% if not loop.last %}, {% endif %}{% endfor %}{% endfor %}",
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must take turns, message ' ~ loop.index) }}{% endif %}{% endfor %}",
    "{% macro show(t, depth=0) %}{% for k, v in t.items() %}{{ '  ' * depth }}{{ k }}:{% if v is mapping %}\n{{ show(v, depth + 1) }}{% else %} {{ v }}\n{% endif %}{% endfor %}{% endmacro %}{% for t in tools or [] %}{{ show(t) }}{% endfor %}",
    "{% for m in messages %}{% if m.content is string %}{{ m.content.split(' ')[-1] }}{% else %}{% for p in m.content %}{% if p.type == 'text' %}{{ p.text }}{% else %}[{{ p.type }}]{% endif %}{% endfor %}{% endif %}|{% endfor %}",
    "{% for m in messages[::-1] %}{{ loop.revindex }}{{ m.role[0] }}{% endfor %} {{ messages|map(attribute='role')|unique|list }} {{ messages|groupby('role')|map(attribute='grouper')|join(',') }}",
    "{{ messages|tojson }}", "{{ messages[2] }}", "{{ (messages|selectattr('role', 'in', ['user', 'system'])|list|length, messages|rejectattr('content')|list|length) }}",
    "{% for m in messages %}{% if loop.first or loop.previtem.role != m.role %}\n[{{ m.role }}]{% endif %}{{ loop.nextitem.role if loop.nextitem is defined else 'end' }}{% endfor %}",
    "Today is {{ strftime_now('%d %B %Y') }}.{% if not add_generation_prompt is defined %}?{% endif %}{% if date_string is not defined %}{% set date_string = '26 Jul 2024' %}{% endif %}{{ date_string }}",
    "{% for m in messages %}{% generation %}{{ m.role }}{% endgeneration %}{% endfor %}",
]


def fixed():
    for e in EXPRESSIONS:
        yield "{{ " + e + " }}", {k: v for k, v in CONTEXT.items() if k in e}
    for s in STATEMENTS:
        yield s, {}
    for t in DIALOGUES:
        for tools in (None, TOOLS):
            for talk in (TALK, TALK[1:2]):
                yield t, {"messages": talk, "tools": tools, "add_generation_prompt": tools is None, "bos_token": "<s>", "eos_token": "</s>"}


# ── random templates ───────────────────────────────────────────────────────────────────────────────────────────────
class Fresh:
    NAMES = [name for name in CONTEXT if name != "big"] + ["nothing"]
    METHODS = ["upper()", "lower()", "strip()", "split()", "split(' ')", "title()", "replace('l', 'L')", "items()", "keys()", "get('a')", "startswith('H')",
               "capitalize()", "splitlines()", "swapcase()", "isalpha()", "find('o')", "count('l')", "index(1)", "join(words)", "zfill(9)", "values()", "rsplit('o', 1)", "strip('Hd')", "format(1, n=2)", "partition('l')"]
    FILTERS = ["upper", "lower", "trim", "length", "list", "first", "last", "sort", "join", "join(', ')", "map('string')|list", "select|list", "reject('none')|list", "tojson", "tojson(indent=2)", "string", "int", "float", "round", "round(1)", "abs",
               "default('q')", "default('q', true)", "reverse", "unique|list", "sum", "min", "max", "title", "capitalize", "items|list", "dictsort", "batch(2)|list", "slice(2)|list", "indent", "map(attribute='a')|list", "map(attribute='role', default=0)|list",
               "selectattr('role')|list", "replace('a', 'b')", "wordcount", "center(9)", "string|length", "groupby('role')|list", "map('upper')|list", "count", "select('string')|list", "urlencode"]
    TESTS = ["defined", "none", "string", "number", "mapping", "iterable", "sequence", "odd", "even", "true", "integer", "float", "boolean", "undefined", "eq 1", "in [1, 'a', none]", "divisibleby 3", "gt 2", "callable", "lower", "upper", "sameas none"]

    def __init__(self, seed):
        self.r = random.Random(seed)

    def atom(self):
        r = self.r
        return r.choice([lambda: r.choice(self.NAMES), lambda: str(r.randint(-3, 12)), lambda: repr(r.choice([0.5, 1.0, -2.75, 1e16, 3.14159, 1e-6, 100.0])),
                         lambda: r.choice(['""', '"a"', '"Hello"', '"x y"', "'ä€'", "'1'", "'2.5'", "'a\\nb'", "'%s'", "'{}'"]), lambda: r.choice(["true", "false", "none"]), lambda: r.choice(self.NAMES)])()

    def expr(self, depth):
        r = self.r
        if depth <= 0:
            return self.atom()
        e = lambda: self.expr(depth - 1)
        # Not asked for, since the answer is known to differ: a slice of a constant that has none, text that escape marked
        # as escaped, a long integer in a computation, a variable that a set block of its own name reads.
        return r.choice([
            lambda: f"{e()} {r.choice(['+', '-', '*', '/', '//', '%', '~', '+', '~'])} {e()}", lambda: f"({e()} {r.choice(['+', '*', '%', '~'])} {e()})",
            lambda: f"{e()} {r.choice(['==', '!=', '<', '<=', '>', '>=', 'in', 'not in'])} {e()}", lambda: f"{e()} {r.choice(['and', 'or'])} {e()}", lambda: f"not {e()}", lambda: f"({e()})|{r.choice(self.FILTERS)}", lambda: f"({e()})|{r.choice(self.FILTERS)}",
            lambda: f"({e()}) is {r.choice(['', 'not '])}{r.choice(self.TESTS)}", lambda: f"({e()}).{r.choice(self.METHODS)}", lambda: f"({e()})[{e()}]", lambda: f"{r.choice(['s', 't', 'u', 'list', 'words', 'rows', 'deep'])}[{r.choice(['1:', ':2', '::-1', '-2:', '::2', '1:-1', '3::-1'])}]",
            lambda: f"({e()} if {e()} else {e()})", lambda: f"[{e()}, {e()}]", lambda: f"({e()}, {e()})", lambda: "{" + f"{self.atom()}: {e()}, 'a': {e()}" + "}", lambda: f"({e()}).{r.choice(['a', 'b', 'role', 'items', 'x'])}", lambda: f"-({e()})", e,
        ])()

    def body(self, depth):
        r = self.r
        gap = lambda: r.choice(["", " ", "\n", "  ", "x", "\n  ", " \n"])
        o, c = lambda: r.choice(["{%", "{%-", "{%+"] if r.random() < .5 else ["{%"]), lambda: r.choice(["%}", "-%}", "+%}"] if r.random() < .5 else ["%}"])
        parts = []
        for _ in range(r.randint(1, 3)):
            kind = r.randint(0, 7) if depth else r.randint(0, 1)
            b = lambda: self.body(depth - 1)
            x = self.expr(r.randint(0, 2))
            v = r.choice(["v", "w"])
            parts.append(gap() + [
                lambda: "{{" + r.choice(["-", " "]) + x + r.choice([" ", "-"]) + "}}", lambda: f"{o()} set {v} = {x} {c()}", lambda: f"{o()} if {x} {c()}{b()}{o()} else {c()}{b()}{o()} endif {c()}",
                lambda: f"{o()} for {v} in {r.choice(['list', 'words', 'rows', 'd', 's', 'range(3)', x])} {c()}{b()}" + "{{ loop.index }}" + f"{o()} endfor {c()}", lambda: f"{o()} set {v} {c()}{b()}{o()} endset {c()}",
                lambda: f"{o()} macro m(a, b={x}) {c()}{b()}" + "{{ a }}{{ b }}" + f"{o()} endmacro {c()}" + "{{ m(" + self.expr(1) + ") }}", lambda: f"{o()} filter {r.choice(['upper', 'trim', 'length'])} {c()}{b()}{o()} endfilter {c()}", lambda: "{#" + r.choice(["", "-"]) + " c " + r.choice(["", "-"]) + "#}",
            ][kind]() + gap())
        return "".join(parts)


def fresh(n, seed):
    f = Fresh(seed)
    for _ in range(n):
        yield ("{{ " + f.expr(f.r.randint(1, 4)) + " }}" if f.r.random() < .6 else f.body(2)), CONTEXT


def main():
    given = sys.argv[1:]
    cases = fresh(int(given[1]), int(given[2])) if given[:1] == ["--fresh"] else fixed()
    for template, context in cases:
        c = case(template, context)
        # What has no text of its own in Python: addresses of objects.
        if " object at 0x" in c.get("expected", "") or " at 0x" in c.get("expected", ""):
            continue
        print(json.dumps(c, ensure_ascii=False))


main()
