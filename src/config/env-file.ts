/**
 * Reads an environment file as Compose does, for plain, single-quoted and double-quoted values on one line.
 * References to other variables are left as they are: a value that stepback needs is written out.
 */
export function parseEnvFile(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*(.*)$/.exec(line)
    if (match) values.set(match[1]!, unquote(match[2]!))
  }
  return values
}

function unquote(raw: string): string {
  const single = /^'([^']*)'/.exec(raw)
  if (single) return single[1]!
  const double = /^"((?:[^"\\]|\\.)*)"/.exec(raw)
  if (double)
    return double[1]!.replaceAll(/\\(["\\$n])/g, (_all, escaped: string) => (escaped === 'n' ? '\n' : escaped))
  return raw.replace(/\s+#.*$/, '').trim()
}
