// An environment file with all that people write into one, and what Compose 2.26 was seen to read from it. The
// end-to-end tests ask the Compose that is there again.

export const envFile = String.raw`
# a comment
PLAIN=simple
SPACED =  with spaces inside   
HASH=a#b
HASHC=a #comment
TABHASH=a	#comment
export EXPORTED=yes
SQ='a $b \${c} "d" \n'
SQE='it\'s'
DQ="a \"q\" \\ \n\t\$x $$y"
DQREF="ref \${PLAIN} $PLAIN \${NOPE:-def} \${NOPE-def2} \${PLAIN:+alt} \${NOPE-\${PLAIN:-z}}"
UNREF=ref-$PLAIN-\${PLAIN}-$$-\$
DOLLAR=pa$$word
REFERS=pa$word
DOLLAREND=pass$
DOLLARDIGIT=a$1b
SUBSHELL=$(id)
EMPTY=
EMPTYQ=""
MULTI="line1
PLAIN = x
# not a comment"
MULTIS='l1
l2'
UTF=größe ✓ 日本
COLON: yaml
AFTERQ="x" # comment
TRAIL='y'   
BACK=a\b\nc
DQBACK="a\b\qc\0101"
QUOTEMID=a"b"c
EQ=a=b=c
  INDENT=ind
HASHQ="a # b"
DUP=1
DUP=\${DUP}2
1ST=digit
LAST='end'`.replaceAll('\\${', '${')

export const values: Readonly<Record<string, string>> = {
  PLAIN: 'simple',
  SPACED: 'with spaces inside',
  HASH: 'a#b',
  HASHC: 'a',
  TABHASH: 'a\t#comment',
  EXPORTED: 'yes',
  SQ: 'a $b ${c} "d" \\n',
  SQE: "it's",
  DQ: 'a "q" \\ \n\t$x $y',
  DQREF: 'ref simple simple def def2 alt simple',
  UNREF: 'ref-simple-simple-$-\\$',
  DOLLAR: 'pa$word',
  REFERS: 'pa',
  DOLLAREND: 'pass$',
  DOLLARDIGIT: 'a$1b',
  SUBSHELL: '$(id)',
  EMPTY: '',
  EMPTYQ: '',
  MULTI: 'line1\nPLAIN = x\n# not a comment',
  MULTIS: 'l1\nl2',
  UTF: 'größe ✓ 日本',
  COLON: 'yaml',
  AFTERQ: 'x',
  TRAIL: 'y',
  BACK: 'a\\b\\nc',
  DQBACK: 'a\b\\qcA',
  QUOTEMID: 'a"b"c',
  EQ: 'a=b=c',
  INDENT: 'ind',
  HASHQ: 'a # b',
  DUP: '12',
  '1ST': 'digit',
  LAST: 'end',
}
