import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Fault, cause, faults, isFaultKind, undoFaults } from './faults.js'
import { requireSession } from './session.js'

/** Makes a service of the sandbox misbehave on purpose, while this release or, with `any`, whichever runs. */
export async function breakIt(input: {
  readonly kind: string
  readonly service?: string
  readonly version?: string
  readonly root?: string
}): Promise<Fault> {
  const { kind } = input
  if (!isFaultKind(kind)) {
    throw new Error(`fault "${kind}" is not known; one of ${Object.keys(faults).join(', ')}`)
  }
  const { paths, env } = await requireSession(input.root)
  const version = input.version ?? readFileSync(join(paths.directory, 'VERSION'), 'utf8').trim()
  const fault: Fault = { kind, service: input.service ?? faults[kind], version }
  await cause(paths, env, fault)
  return fault
}

/** Takes back every fault that was made. */
export async function mend(options: { readonly root?: string } = {}): Promise<void> {
  const { paths, env } = await requireSession(options.root)
  await undoFaults(paths, env)
}
