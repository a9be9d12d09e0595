// Environment files as Compose reads them. A run of the real Compose pins these rules in the end-to-end tests.

/**
 * The value of each key; the last line that sets it wins. References find keys that stand before them in the file, and
 * nothing of the host's own environment, which Compose would look at first.
 */
export function parseEnvFile(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const { groups } of text.replace(/^\uFEFF/, '').matchAll(statement)) {
    const { key, single, double, plain } = groups!
    if (key === undefined) continue
    if (single !== undefined) values.set(key, single.replaceAll("\\'", "'"))
    else if (double !== undefined) values.set(key, expand(unescape(double), values))
    else values.set(key, expand(withoutComment(plain!), values))
  }
  return values
}

/** A comment, or a key with its value. A quoted value may span lines; a plain one ends with its line. */
const statement = new RegExp(
  [
    '#[^\\n]*',
    [
      '(?:export\\s+)?(?<key>[\\p{L}\\p{N}_.\\[\\]-]+)[^\\S\\n]*[=:][^\\S\\n]*',
      `(?:'(?<single>(?:[^'\\\\]|\\\\.)*)'|"(?<double>(?:[^"\\\\]|\\\\.)*)"|(?<plain>[^\\n]*))`,
    ].join(''),
    '[^\\s][^\\n]*',
  ].join('|'),
  'gsu',
)

function withoutComment(plain: string): string {
  return plain.split(' #', 1)[0]!.trimEnd()
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '"': '"',
  '\\': '\\',
  // a dollar sign that is meant as one
  $: '$$',
}

function unescape(value: string): string {
  return value.replaceAll(/\\(?:([abfnrtv$"\\])|0(\d{3}))/g, (_all, letter: string | undefined, octal: string) =>
    letter === undefined ? String.fromCharCode(Number.parseInt(octal, 8)) : escapes[letter]!,
  )
}

const reference = /\$(?:\$|(?<bare>[A-Za-z_]\w*)|\{(?<name>[A-Za-z_]\w*)(?<operator>:?[-+?])?)/y

/** `$KEY`, `${KEY}`, `${KEY:-default}`, `${KEY:+other}`, and `$$` for a dollar sign; defaults may hold references. */
function expand(value: string, values: ReadonlyMap<string, string>): string {
  let expanded = ''
  for (let at = 0; at < value.length;) {
    reference.lastIndex = at
    const found = reference.exec(value)
    if (!found) {
      expanded += value[at++]
      continue
    }
    at = reference.lastIndex
    const { bare, name, operator } = found.groups!
    if (name === undefined) {
      expanded += bare === undefined ? '$' : (values.get(bare) ?? '')
      continue
    }
    const end = closingBrace(value, at)
    expanded += choose(values.get(name), operator, value.slice(at, end), values)
    at = end + 1
  }
  return expanded
}

function choose(
  value: string | undefined,
  operator: string | undefined,
  word: string,
  values: ReadonlyMap<string, string>,
): string {
  const set = value !== undefined && (value !== '' || !operator?.startsWith(':'))
  if (operator?.endsWith('+')) return set ? expand(word, values) : ''
  if (operator?.endsWith('-')) return set ? value : expand(word, values)
  return value ?? ''
}

function closingBrace(value: string, from: number): number {
  for (let at = from, depth = 1; at < value.length; at++) {
    if (value.startsWith('${', at)) depth++
    if (value[at] === '}' && --depth === 0) return at
  }
  return value.length
}
