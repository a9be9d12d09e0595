// YAML, strictly: what a reader could take in two ways is an error, and no error quotes the text, which may hold a secret.

import { LineCounter, type YAMLError, parseDocument } from 'yaml'

export type Read =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problems: readonly string[] }

/** The document with its anchors and merge keys resolved, or all that is wrong with it, a line for each place. */
export function readYaml(text: string): Read {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, logLevel: 'error' })
  const problems = [...document.errors, ...document.warnings].map((error) => describe(error, text, lines))
  if (problems.length > 0) return { ok: false, problems }
  try {
    const value: unknown = document.toJS()
    const hidden = hiddenKeys(value, [])
    return hidden.length > 0 ? { ok: false, problems: hidden } : { ok: true, value }
  } catch (cause) {
    // An alias without its anchor, or too many of them.
    return { ok: false, problems: [(cause as Error).message] }
  }
}

function describe(error: YAMLError, text: string, lines: LineCounter): string {
  const { line, col } = lines.linePos(error.pos[0])
  return `line ${line}, column ${col}: ${wordsOf(error, text)}`
}

function wordsOf(error: YAMLError, text: string): string {
  switch (error.code) {
    case 'DUPLICATE_KEY':
      return `"${/^[\w.-]*/.exec(text.slice(error.pos[0]))![0]}" is set twice`
    case 'MULTIPLE_DOCS':
      return 'a second document begins here'
    default:
      return error.message.replace(/: ".*$/s, '')
  }
}

/** Keys that JavaScript would not show to the schema. */
function hiddenKeys(value: unknown, path: readonly string[]): string[] {
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '__proto__' ? [`${[...path, key].join('/')}: unknown key`] : hiddenKeys(inner, [...path, key]),
  )
}
