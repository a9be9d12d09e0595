// A lane is one shell on the host that stays, and runs one exec string after the other: a login shell reads its start-up
// files once, and not for every call.

/**
 * The exec string that opens a lane. It greets with `ready` or, where jobs cannot leave its process group, with
 * `alone`: ending what such a job left in its group would end the lane with it. All of it stands on one line and without
 * `!`, `\` or `'`, so that every login shell reads it alike.
 */
export function laneCall(input: { readonly shell: string; readonly nonce: string }): string {
  const steps = [
    'k=$1',
    'g=alone',
    `for w in setsid perl python3; do case ,\${STEPBACK_WITHOUT-}, in *,$w,*) continue;; esac; command -v $w >/dev/null 2>&1 && g=ready && break; done`,
    'echo; echo "@@$k $g"',
    // What is not addressed to this lane is a payload that went astray, and must never run.
    'while IFS= read -r c; do case $c in "@@$k "*) ;; *) exit 65;; esac',
    'c=${c#* }; n=${c%% *}; c=${c#* }; l=${c%% *}; c=${c#* }',
    // Whatever of the payload the call did not read is read to its end; by the shell, since there seldom is any.
    'if [ "$l" = 0 ]; then (eval "$c") </dev/null; else head -c "$l" | { (eval "$c"); s=$?; while read -r r; do :; done; exit $s; }; fi',
    's=$?; echo; echo "@@$n over $s"; { echo; echo "@@$n over $s"; } >&2; done',
  ]
  return `exec ${input.shell} -c '${steps.join('; ')}' stepback ${input.nonce}`
}

/** One call in a lane: the line that goes before its payload. */
export function laneLine(input: {
  readonly lane: string
  readonly nonce: string
  readonly length: number
  readonly command: string
}): string {
  if (input.command.includes('\n')) throw new TypeError('a call in a lane is one line')
  return `@@${input.lane} ${input.nonce} ${input.length} ${input.command}\n`
}

/** Whether the lane greets, behind the noise of start-up files; undefined as long as it has not. */
export function greetingOf(input: { readonly nonce: string; readonly text: Buffer }): 'ready' | 'alone' | undefined {
  const at = input.text.indexOf(`\n@@${input.nonce} `)
  const word = /^\n@@\S+ (ready|alone)\n/.exec(input.text.subarray(Math.max(at, 0)).toString('latin1'))?.[1]
  return at < 0 ? undefined : (word as 'ready' | 'alone' | undefined)
}

/** How a call ended, and where one of its streams says so: what comes behind that is of a process that outlived it. */
export interface Over {
  readonly status: number
  readonly at: number
}

/** Undefined while the call goes on. */
export function overOf(input: { readonly nonce: string; readonly text: Buffer }): Over | undefined {
  const mark = `\n@@${input.nonce} over `
  const at = input.text.indexOf(mark)
  const status = /^(\d+)\n/.exec(input.text.subarray(at + mark.length, at + mark.length + 8).toString('latin1'))?.[1]
  return at < 0 || status === undefined ? undefined : { status: Number(status), at }
}
