// Archives of the memories: one directory of the project, kept by day rather than by release.

import type { BackupRequest } from './request.js'
import type { Facts, MemoriesPolicy } from './facts.js'
import type { Plan } from './plan.js'
import type { Step } from './act.js'
import { StepbackError } from './failure.js'
import { ensureFit } from './preflight.js'
import { archiveMemories, pruneArchives, restoreMemories } from './steps/memories.js'

type Decision = Pick<Plan, 'because' | 'steps'>

const dayMs = 86_400_000

/** A new archive, and without those that were kept for long enough. `shelf`: what lies in the backups directory. */
export function planMemories(request: BackupRequest, facts: Facts, shelf: readonly string[]): Decision {
  const { path, keepMs } = policyOf(request, facts)
  ensureFit(request.target, facts.findings, ['migrations', 'directory'])
  const name = `memories_${facts.at.replace(/\.\d+/, '').replaceAll(/[-:]/g, '')}.tar.gz`
  const old = outdated(shelf, Date.parse(facts.at) - keepMs)
  const steps: Step[] = [archiveMemories({ path, name }), ...(old.length > 0 ? [pruneArchives(old)] : [])]
  const goes = old.length > 0 ? `, and ${old.join(', ')} ${old.length === 1 ? 'goes' : 'go'}` : ''
  return { because: `archives are kept for ${Math.round(keepMs / dayMs)} days${goes}`, steps }
}

/** The archive beside the live directory, which nothing touches. */
export function planRestoreMemories(request: BackupRequest, facts: Facts, shelf: readonly string[]): Decision {
  const { path } = policyOf(request, facts)
  const name = request.id!.endsWith('.tar.gz') ? request.id! : `${request.id}.tar.gz`
  const archives = shelf.filter(isArchive)
  if (!archives.includes(name)) {
    throw new StepbackError({
      type: 'Refused',
      message: `target "${request.target}" has no archive "${name}"; there are: ${archives.join(', ') || 'none'}`,
      hint: `archive the memories: stepback memories ${request.target} archive.`,
    })
  }
  ensureFit(request.target, facts.findings, ['migrations'])
  const to = `${path}.${name.slice(0, -'.tar.gz'.length)}`
  return { because: `${name} was asked for, beside "${path}"`, steps: [restoreMemories({ name, to })] }
}

/** Archives that were made before that time, oldest first; those whose name tells no time are left alone. */
export function outdated(shelf: readonly string[], beforeMs: number): string[] {
  return shelf.filter((name) => timeOf(name) < beforeMs).toSorted()
}

export function isArchive(name: string): boolean {
  return /^memories_[A-Za-z0-9._+-]+\.tar\.gz$/.test(name)
}

/** Ours tell the second, older ones at least the day; NaN for any other. */
function timeOf(name: string): number {
  if (!isArchive(name)) return Number.NaN
  const [, year, month, day, hour = '00', minute = '00', second = '00'] =
    /^memories_(\d{4})-?(\d\d)-?(\d\d)(?:[T_-]?(\d\d)(\d\d)(\d\d)Z?)?\.tar\.gz$/.exec(name) ?? []
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}

function policyOf({ target, what }: BackupRequest, { stack }: Facts): MemoriesPolicy {
  if (stack.memories) return stack.memories
  throw new StepbackError({
    type: 'Refused',
    message: `${what} of target "${target}" is refused: its configuration names no memories`,
    hint: 'name the directory: memories: { path: … } in its section.',
  })
}
