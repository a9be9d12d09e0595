import { stringify } from 'yaml'

export interface Part {
  /** Stands above it as a comment. */
  readonly why?: string
  readonly key: string
  readonly value: unknown
}

const width = 118

/** A key with its parts below it, each under its comment. */
export function section(indent: number, key: string, parts: readonly Part[]): string {
  const inner = parts.flatMap(({ why, key: name, value }) => [
    ...(why ? comment(why, width - indent - 4) : []),
    ...stringify({ [name]: value }, { lineWidth: 0, flowCollectionPadding: true })
      .trimEnd()
      .split('\n'),
  ])
  const [head] = stringify({ [key]: null }, { nullStr: '' })
    .trimEnd()
    .split('\n')
  return [head, ...inner.map((line) => (line === '' ? '' : `  ${line}`)), '']
    .map((line) => indented(line!, indent))
    .join('\n')
}

function indented(line: string, by: number): string {
  return line === '' ? '' : `${' '.repeat(by)}${line}`
}

/** Never more than what was meant: a line break would end the comment. */
function comment(text: string, columns: number): string[] {
  const lines: string[] = []
  for (const word of text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ').split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < columns) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(`# ${word}`)
  }
  return lines
}
