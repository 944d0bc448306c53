# SPDX-License-Identifier: Apache-2.0
# alm template: where templates come from, one conversation and many, what is refused.
% printf '%s\n' '{%- for m in messages %}' '<{{ m.role }}>{{ m.content }}{{ eos_token }}' '{%- endfor %}' '{%- if add_generation_prompt %}' '<assistant>' '{%- endif %}' > chat.jinja
% printf '[{"role":"user","content":"Gr\\u00fc\\u00dfe"}]' > chat.json

== the text comes as it is, without a line end of its own
$ alm template chat.jinja --messages chat.json | od -c | tail -1
> 0000030

== the answer of the assistant is begun unless that is not wanted
$ alm template chat.jinja --messages chat.json --no-generation-prompt; echo '|'; alm template chat.jinja --messages - < chat.json; echo '|'
> <user>Grüße|
> <user>Grüße<assistant>|

== --lines answers each conversation, and one that fails does not stop the others
| {"messages":[{"role":"user","content":"a\nb"}],"add_generation_prompt":false,"eos_token":"</s>"}
| {"messages":7}
| {"messages":
| [1]
| {"messages":[{"role":"user"}],"extra":{"eos_token":"!"}}
$ alm template chat.jinja --lines
> {"text":"<user>a\nb</s>"}
> {"error":"messages is no list"}
> {"error":"JSON at byte 12 (line 1, column 13): the text ends where a value should be"}
> {"error":"an object with messages is expected"}
> {"text":"<user>!<assistant>"}

== --lines reads a file too
$ printf '{"messages":[]}\n' > many; alm template chat.jinja --lines many
> {"text":"<assistant>"}

== tools and variables reach the template, and variables are the strongest
$ printf '[{"name":"sum","p":{"z":1,"a":[2.0,null]}}]' > tools.json; printf '{{ tools|tojson }} {{ style }} {{ bos_token }}' > t.jinja; alm template t.jinja --messages chat.json --tools tools.json --var 'style="short"' --var 'bos_token=["x"]'; echo
> [{"name": "sum", "p": {"z": 1, "a": [2.0, null]}}] short ['x']

== a variable without a value is refused
$ alm template chat.jinja --messages chat.json --var style
2> alm: --var style: a name, = and a JSON value are expected
2> hint: a text stands in quotes: --var 'style="short"'
? 2

== a variable that is no JSON is refused
$ alm template chat.jinja --messages chat.json --var style=short
2>~ ^alm: --var style=short: JSON at byte 0
2>~ ^hint: a text stands in quotes
? 2

== the words of a template that objects are the message, and the exit code says so
$ printf "{%% if messages|length < 2 %%}\n{{ raise_exception('at least two messages') }}\n{%% endif %%}" > strict.jinja; alm template strict.jinja --messages chat.json
2> alm: the template refuses this conversation: at least two messages: strict.jinja
2> hint: line 2 of the template
? 3

== with --lines they are the error, word for word
$ printf "{{ raise_exception('at least two messages') }}" > strict.jinja; printf '{"messages":[]}\n' | alm template strict.jinja --lines
> {"error":"at least two messages"}

== a template that does not end is stopped
$ printf '{%% for a in range(10**12) %%}{%% endfor %%}' > endless.jinja; alm template endless.jinja --messages chat.json
2> alm: endless.jinja: line 1: range() of more than 100000 numbers
? 5

== what a template cannot do with a conversation is told with its line
$ printf '\n{{ messages[0].content + 1 }}' > t.jinja; alm template t.jinja --messages chat.json
2> alm: t.jinja: line 2: can only concatenate str (not "int") to str
? 5

== a template that is none is refused with its line
$ printf 'a\n{%% if x %%}b' > broken.jinja; alm template broken.jinja --messages chat.json
2> alm: broken.jinja: line 2: the template ends where {% elif %} is expected
? 5

== the clock is set from outside
$ printf "{{ strftime_now('%%Y-%%m-%%d %%H:%%M') }}" > clock.jinja; SOURCE_DATE_EPOCH=1773480413 TZ=America/New_York alm template clock.jinja --messages chat.json; echo
> 2026-03-14 09:26

== and without that it is the one on the wall
$ printf "{{ strftime_now('%%H') }}" > clock.jinja; test "$(TZ=Asia/Tokyo date +%H)" = "$(env -u SOURCE_DATE_EPOCH TZ=Asia/Tokyo alm template clock.jinja --messages chat.json)" && echo same
> same

== a folder has its template in a file of its own, its tokens in the configuration
$ mkdir m && cp chat.jinja m/chat_template.jinja && printf '{"chat_template":"old","eos_token":{"content":"</s>"},"bos_token":null}' > m/tokenizer_config.json; alm template m --messages chat.json; echo
> <user>Grüße</s><assistant>

== or in the configuration alone
$ mkdir m && printf '{"chat_template":"{{ bos_token }}{{ messages|length }}"}' > m/tokenizer_config.json && printf '{"bos_token":"<s>"}' > m/special_tokens_map.json; alm template m --messages chat.json; echo; alm template m/tokenizer_config.json --messages chat.json; echo
> <s>1
> 1

== of several the one is taken that is named, that is for tools, or that is the default
$ mkdir m && printf '{"chat_template":[{"name":"default","template":"d"},{"name":"tool_use","template":"t"},{"name":"rag","template":"r"}]}' > m/tokenizer_config.json; printf '[]' > tools.json; for o in '' '--tools tools.json' '--name rag' '--name default --tools tools.json'; do alm template m --messages chat.json $o; done; echo
> dtrd

== a name that is not there is told with those that are
$ mkdir m && printf '{"chat_template":[{"name":"default","template":"d"},{"name":"rag","template":"r"}]}' > m/tokenizer_config.json; alm template m --messages chat.json --name nope
2> alm: m: there is no chat template named 'nope'
2> hint: it has: default, rag
? 5

== a model without a template says so
$ alm template "$ALM_SOURCE_ROOT/tests/data/models/gguf/llama3-q8_0.gguf" --messages chat.json
2>~ ^alm: .*llama3-q8_0.gguf: the model has no chat template
? 5

== nor has the small model inside the program
$ alm template builtin: --messages chat.json
2> alm: builtin:: the model has no chat template
? 5

== a model goes by its name too
$ mkdir m && cp "$ALM_SOURCE_ROOT/tests/data/models/llama3/config.json" "$ALM_SOURCE_ROOT/tests/data/models/llama3/model.safetensors" chat.jinja m; mv m/chat.jinja m/chat_template.jinja; export XDG_DATA_HOME="$PWD/data"; alm pull -q m --name talk > /dev/null && alm template talk --messages chat.json; echo
> <user>Grüße<assistant>

== what is no list of messages is refused
$ echo '{"a":1}' > x.json; alm template chat.jinja --messages x.json
2> alm: x.json: a list of messages is expected
? 5

== a request to a server serves as well: its messages and its tools are taken
$ printf '{"model":"x","messages":[{"role":"user","content":"hi"}],"tools":[1]}' > r.json; printf '{{ messages[0].content }} {{ tools }}' > t.jinja; alm template t.jinja --messages r.json; echo
> hi [1]

== without a conversation it is wrongly called
$ alm template chat.jinja
2> alm: the conversation is missing
2>~ ^hint: --messages FILE
? 2

== a file that is not there is told
$ alm template nothing.jinja --messages chat.json
2>~ ^alm: nothing.jinja: .*No such file
? 5
