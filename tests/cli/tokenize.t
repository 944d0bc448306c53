# SPDX-License-Identifier: Apache-2.0
# alm tokenize, alm detokenize: forms of input and output, special tokens, what is refused.
% cp "$ALM_SOURCE_ROOT/tests/golden/bpe/tokenizer.json" .

== the ids stand on one line, with blanks between them
$ printf 'disk' | alm tokenize tokenizer.json | grep -cE '^[0-9]+( [0-9]+)*$'
> 1

== every digit is an id, the same one wherever it stands
$ printf '1234' | alm tokenize tokenizer.json; printf '4' | alm tokenize tokenizer.json
> 51 52 53 54
> 54

== --json gives ids and pieces
$ printf 'a1' | alm tokenize --json tokenizer.json -
> {"ids":[99,51],"pieces":["a","1"]}

== a special token in the text is one id, and with --no-special it is text
$ printf '<|end_of_text|>' | alm tokenize tokenizer.json; printf '<|end_of_text|>' | alm tokenize --no-special tokenizer.json | wc -w | awk '{ print ($1 > 5 ? "text" : "token") }'
> 1
> text

== --add-bos begins the text as the model wants it
$ printf '1' | alm tokenize --add-bos tokenizer.json
> 0 51

== --lines answers one array of ids for each JSON string
| "1"
| ""
| "\u00e9\n"
$ alm tokenize --lines tokenizer.json
> [51]
> []
> [197,171,12]

== a line that is no JSON string is refused with its number
| "1"
| 17
$ alm tokenize --lines tokenizer.json
> [51]
2> alm: line 2 of the input is no JSON string
2> hint: with --lines each line is one string in quotes
? 5

== any bytes come back from their ids
$ head -c 3000 /bin/sh > bytes; alm tokenize --no-special tokenizer.json bytes | alm detokenize tokenizer.json - | cmp - bytes && echo same
> same

== ids may be parted by blanks or commas, and special tokens are written by name
$ alm detokenize tokenizer.json 51,52 53 1; echo
> 123<|end_of_text|>

== an id beyond the vocabulary is refused
$ alm detokenize tokenizer.json 51 440; code=$?; echo; exit $code
> 1
2> alm: 440 is no id of this vocabulary
2> hint: its ids go from 0 to 439
? 2

== a vocabulary may be packed, and a folder that holds one is enough
$ mkdir m && gzip -c tokenizer.json > packed.gz && mv tokenizer.json m && printf '1' | alm tokenize packed.gz && printf '2' | alm tokenize m
> 51
> 52

== another kind of tokenizer is refused by name
$ sed 's/"type":"BPE"/"type":"WordLevel"/; s/"type": "BPE"/"type": "WordLevel"/' tokenizer.json > other.json; alm tokenize other.json < /dev/null
2> alm: tokenizer.json: the model WordLevel is not supported
2>~ ^hint: 
? 5

== a file that holds no vocabulary is refused
$ echo hello > x.model; alm tokenize x.model < /dev/null
2> alm: x.model: no tokenizer is found in it
2>~ ^hint: known are GGUF files, tokenizer.json, tokenizer.model
? 5

== a file that is not there is told
$ alm tokenize nothing.gguf < /dev/null
2>~ ^alm: nothing.gguf: .*No such file
? 5

== a tokenizer.model of SentencePiece, a rank file of tiktoken and a WordPiece vocabulary are read too
% cp "$ALM_SOURCE_ROOT"/tests/golden/tokenizer/spm-bpe.model "$ALM_SOURCE_ROOT"/tests/golden/tokenizer/ranks.tiktoken "$ALM_SOURCE_ROOT"/tests/golden/tokenizer/wordpiece.json .
$ for t in spm-bpe.model ranks.tiktoken wordpiece.json; do printf 'session opened' | alm tokenize $t | alm detokenize $t -; echo; done
> session opened
> session opened
> session opened

== in a tokenizer.model the names of control tokens are text, as for SentencePiece itself
% cp "$ALM_SOURCE_ROOT/tests/golden/tokenizer/spm-bpe.model" .
$ printf '<s>' | alm tokenize spm-bpe.model | wc -w | awk '{ print ($1 > 1 ? "text" : "token") }'; printf 'a' | alm tokenize --add-bos spm-bpe.model | cut -d' ' -f1
> text
> 1
