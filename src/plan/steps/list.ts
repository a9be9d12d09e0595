/** Names for a title; a long list is cut, since the Web UI cuts long titles anywhere. */
export function list(names: readonly string[]): string {
  if (names.length === 0) return 'nothing'
  return names.length <= 4 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
}
