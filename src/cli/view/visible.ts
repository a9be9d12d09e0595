/**
 * Text of hosts and people on one line: what a terminal would obey is shown instead, escape sequences, line breaks and
 * marks that turn the direction of writing alike.
 */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escapeCharacter)
}

/** The same, with line breaks kept. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n')
}

function escapeCharacter(character: string): string {
  if (character === '\n') return '\\n'
  if (character === '\t') return ' '
  const code = character.codePointAt(0)!
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
}
