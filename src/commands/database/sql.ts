// The only place that quotes for SQL in a script. Values in scripts are few; sessions of the worker use parameters.

/** A name, whatever it contains. */
export function identifier(name: string): string {
  if (name === '' || name.includes('\0')) throw new TypeError('a name for PostgreSQL cannot be empty or contain NUL')
  return `"${name.replaceAll('"', '""')}"`
}

/** A text, the same under either setting of standard_conforming_strings. */
export function literal(text: string): string {
  if (text.includes('\0')) throw new TypeError('a text for PostgreSQL cannot contain NUL')
  const quoted = `'${text.replaceAll("'", "''")}'`
  return quoted.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/**
 * What rows look like as text, and what the catalogue prints, depends on these; a hash is compared across sessions and
 * databases, each of which may have settings of its own. An empty search_path makes every name appear with its schema.
 */
export const pinnedSettings = [
  `set timezone to 'UTC'`,
  `set datestyle to 'ISO, YMD'`,
  `set intervalstyle to 'postgres'`,
  `set extra_float_digits to 3`,
  `set bytea_output to 'hex'`,
  `set lc_monetary to 'C'`,
  `set xmloption to 'content'`,
  `set search_path to ''`,
  `set row_security to off`,
  `set statement_timeout to 0`,
  `set lock_timeout to 0`,
  `set idle_in_transaction_session_timeout to 0`,
]
  .map((line) => `${line};`)
  .join('\n')
