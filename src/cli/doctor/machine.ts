// The machine that a worker would run on: this one.

import { accessSync, constants } from 'node:fs'
import { tmpdir } from 'node:os'
import type { Finding } from '../../plan/facts.js'

/** `needed` is the oldest Node that will do. */
export function examineMachine(needed: string, own = process.versions.node, temporary = tmpdir()): Finding[] {
  return [node(needed, own), scratch(temporary)]
}

function node(needed: string, own: string): Finding {
  if (!isOlder(own, needed)) return { check: 'node', ok: true, detail: own }
  const hint = `install Node ${needed} or later, as by \`nvm install ${needed}\`.`
  return { check: 'node', ok: false, detail: `${own} is older than ${needed}`, hint }
}

/** Migrations that a host kept, and what checks print, lie there for as long as they are used. */
function scratch(directory: string): Finding {
  try {
    accessSync(directory, constants.W_OK)
    return { check: 'temporary files', ok: true, detail: directory }
  } catch (error) {
    const detail = `${directory} cannot be written to: ${(error as Error).message.split(',')[0]}`
    const hint = 'name another directory in TMPDIR; a container without a writable file system needs a tmpfs there.'
    return { check: 'temporary files', ok: false, detail, hint }
  }
}

function isOlder(own: string, needed: string): boolean {
  const [a, b] = [own, needed].map((version) => version.split('.').map(Number))
  const index = b!.findIndex((part, at) => part !== (a![at] ?? 0))
  return index >= 0 && (a![index] ?? 0) < b![index]!
}
