// How the helper is called: exec strings that every login shell reads alike, and the frame of its answers.
import { quote } from './shell.js'

/** The helper's parts in their order; together they are one script. */
export const helperParts = ['ground', 'processes', 'lease', 'jobs', 'timers', 'ledger', 'main'] as const

export const stateDirectories = ['lease', 'jobs', 'ledger', 'audit', 'migrations', 'staging', 'timers'] as const

export interface HelperCall {
  readonly stateDirectory: string
  /** `helper-<sha256>.sh` */
  readonly helper: string
  /** The words that run a script on the host. */
  readonly shell: string
  readonly nonce: string
  readonly words: readonly (string | number)[]
}

/** The exec string of one call. */
export function helperCall(call: HelperCall): string {
  const words = [call.shell, call.nonce, ...call.words.map(String)]
  if (readAlike(call.stateDirectory)) {
    const path = `${call.stateDirectory}/${call.helper}`
    return `exec ${call.shell} ${[path, call.stateDirectory, ...words].map(quote).join(' ')}`
  }
  return `exec /bin/sh -c ${decoded('h=$2; shift 2; k=$1; exec $k "$s/$h" "$s" "$@"')} stepback ${[
    octal(call.stateDirectory),
    call.helper,
    ...words,
  ]
    .map((word) => `'${word}'`)
    .join(' ')}`
}

/** What only reads, and the record of whoever was refused: none of them begins anything on a host. */
export function begins([operation, book]: readonly (string | number)[]): boolean {
  return !['look', 'lease', 'list', 'read'].includes(String(operation)) && book !== 'audit'
}

/**
 * The exec string that installs the helper, which comes on stdin: written aside, its length checked, renamed. Where it
 * may not `begin` anything, a state directory that is not there stays away.
 */
export function installCall(input: {
  readonly stateDirectory: string
  readonly helper: string
  readonly length: number
  readonly nonce: string
  readonly begin: boolean
}): string {
  const make = stateDirectories.map((name) => `"$s/${name}"`).join(' ')
  const steps = [
    'umask 077',
    `if [ -d "$s" ]; then new=; else new=yes; fi`,
    ...(input.begin ? [] : ['[ -z "$new" ] || { echo "@@$4 absent"; exit 0; }']),
    `mkdir -p ${make} && chmod 700 "$s" || { [ -z "$new" ] || echo "@@$4 unmade"; exit 3; }`,
    't="$s/.helper.$4"',
    'head -c "$3" >"$t" || exit 3',
    'n=$(wc -c <"$t")',
    'if [ "$((n))" = "$3" ]; then mv -f "$t" "$s/$2" && echo "@@$4 installed"; else rm -f "$t"; exit 4; fi',
  ].join('; ')
  const words = [octal(input.stateDirectory), input.helper, String(input.length), input.nonce]
  return `exec /bin/sh -c ${decoded(steps)} stepback ${words.map((word) => `'${word}'`).join(' ')}`
}

export type Answer =
  | { readonly kind: 'answer'; readonly status: number; readonly stdout: Buffer; readonly stderr: Buffer }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  /** It began and did not end: killed, or cut. */
  | { readonly kind: 'unfinished' }
  /** It never began: there is no helper, or no shell. */
  | { readonly kind: 'none' }

/** Finds the answer between what start-up files of login shells print. */
export function answerOf(input: { readonly nonce: string; readonly stdout: Buffer; readonly stderr: Buffer }): Answer {
  const begin = `\n@@${input.nonce} begin\n`
  const body = after(input.stdout, begin)
  if (!body) return { kind: 'none' }
  const end = body.lastIndexOf(`\n@@${input.nonce} end `)
  const failAt = body.lastIndexOf(`\n@@${input.nonce} fail `)
  if (failAt >= 0) {
    const line =
      body
        .subarray(failAt + 1)
        .toString('utf8')
        .split('\n', 1)[0] ?? ''
    const [, , code = '', ...rest] = line.split(' ')
    return { kind: 'failed', code, message: rest.join(' ').trim() }
  }
  if (end < 0) return { kind: 'unfinished' }
  const status = Number(/ end (\d+)\n/.exec(body.subarray(end).toString('latin1'))?.[1] ?? Number.NaN)
  if (Number.isNaN(status)) return { kind: 'unfinished' }
  return {
    kind: 'answer',
    status,
    stdout: body.subarray(0, end),
    stderr: after(input.stderr, begin) ?? Buffer.alloc(0),
  }
}

function after(text: Buffer, mark: string): Buffer | undefined {
  const at = text.indexOf(mark)
  return at < 0 ? undefined : text.subarray(at + Buffer.byteLength(mark))
}

// Between single quotes, csh still sees `!`, fish still sees `\`, and csh ends a line at a newline.
function readAlike(path: string): boolean {
  return !/['!\\\p{Cc}]/u.test(path)
}

function decoded(steps: string): string {
  // The dot keeps newlines at a path's end, which $( ) drops.
  return `'s=$(printf "%b." "$1"); s=\${s%.}; ${steps}'`
}

function octal(text: string): string {
  return [...Buffer.from(text, 'utf8')].map((byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join('')
}
