import { insideService } from '../compose.js'
import type { RestoreScript } from '../restore-script.js'
import { command, quote } from '../shell.js'

/** A health check as the configuration has it. */
export interface AskedCheck {
  readonly name: string
  readonly url?: string | undefined
  readonly json?: Readonly<Record<string, string>> | undefined
  readonly contains?: string | undefined
  readonly service?: string | undefined
  readonly command?: readonly string[] | undefined
  readonly timeoutSeconds: number
}

/** Asks every check once; exits with 0 where all are well, else it prints which are not. */
export function healthText({ stack, checks }: RestoreScript): string {
  return [
    'bad=0',
    'ill() { echo "  not well: $1"; bad=1; }',
    // Neither comes with Docker, so a host may have none of them; what nobody could ask is said, and fails nothing.
    'ask() {',
    '  if command -v curl >/dev/null 2>&1; then curl -fsS --max-time "$2" "$1" 2>/dev/null',
    '  elif command -v wget >/dev/null 2>&1; then wget -q -T "$2" -O - "$1" 2>/dev/null',
    '  else return 9; fi',
    '}',
    'url() {',
    '  name=$1 answer=$(ask "$2" "$3"); status=$?; shift 3',
    '  if [ "$status" = 9 ]; then echo "  not asked: $name, since neither curl nor wget is here"; return; fi',
    '  [ "$status" = 0 ] || { ill "$name"; return; }',
    `  answer=$(printf %s "$answer" | tr -d '[:space:]')`,
    '  for part do case $answer in *"$part"*) ;; *) ill "$name"; return ;; esac; done',
    '}',
    ...checks.map((check) => asked(stack, check)),
    'exit "$bad"',
    '',
  ].join('\n')
}

function asked(stack: RestoreScript['stack'], check: AskedCheck): string {
  if (check.url === undefined) {
    return `${insideService(stack.project, check.service ?? '', check.command ?? [])} || ill ${quote(check.name)}`
  }
  const fields = Object.entries(check.json ?? {}).map(([key, value]) => JSON.stringify({ [key]: value }).slice(1, -1))
  const parts = [...fields, ...(check.contains === undefined ? [] : [check.contains])]
  const without = parts.map((part) => part.replaceAll(/\s/g, ''))
  return command('url', check.name, check.url, String(check.timeoutSeconds), ...without)
}
