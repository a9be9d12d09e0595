// What is wrong with a target behind its deploy, seen in its files: a step that was lost, or done twice.

import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { LedgerEntry } from '../../src/plan/ledger.js'
import { type Ground, files, services } from './ground.js'

export function problemsOf(ground: Ground, target: string): string[] {
  const entries = ledgerOf(ground, target)
  const plan = entries.find((it) => it.kind === 'plan')?.plan
  const done = entries.flatMap((it) => (it.kind === 'end' && it.outcome === 'done' && !it.undo ? [it.step] : []))
  const steps = (plan?.steps ?? []).flatMap(({ act }, index) => {
    const times = done.filter((it) => it === index).length
    return times === 1 ? [] : [`${act.name} was done ${times} times`]
  })
  return [
    ...(plan ? steps : ['its ledger has no plan']),
    ...(entries.some((it) => it.kind === 'finished') ? [] : ['its ledger has no end']),
    ...(leaseIsFree(ground, target) ? [] : ['its lease was not given back']),
    ...wrongFiles(ground, target),
    ...wrongContainers(ground, target),
  ]
}

export function stepsOf(ground: Ground, target: string): number {
  const plan = ledgerOf(ground, target).find((it) => it.kind === 'plan')?.plan
  return plan?.steps.length ?? 0
}

function ledgerOf(ground: Ground, target: string): LedgerEntry[] {
  const directory = join(stateOf(ground, target), 'ledger')
  const names = readdirSync(directory).filter((it) => it.endsWith('.json'))
  return names
    .toSorted()
    .map((name) => (JSON.parse(readFileSync(join(directory, name), 'utf8')) as { readonly entry: LedgerEntry }).entry)
}

function leaseIsFree(ground: Ground, target: string): boolean {
  const directory = join(stateOf(ground, target), 'lease')
  const numbers = readdirSync(directory).flatMap((it) => (/^t\.\d+$/.test(it) ? [Number(it.slice(2))] : []))
  return (JSON.parse(readFileSync(join(directory, `t.${Math.max(...numbers)}`), 'utf8')) as { free: boolean }).free
}

function wrongFiles(ground: Ground, target: string): string[] {
  return Object.entries(files).flatMap(([path, text]) =>
    readFileSync(join(ground.project(target), path), 'utf8') === text ? [] : [`${path} is not the release's`],
  )
}

function wrongContainers(ground: Ground, target: string): string[] {
  return services.flatMap((service) => {
    const [, image, running] = readFileSync(ground.container(target, service), 'utf8').trim().split(' ')
    return running === 'yes' && image !== 'sha256:before'
      ? []
      : [`${service} is not the release's: ${image} ${running}`]
  })
}

function stateOf(ground: Ground, target: string): string {
  return join(ground.backups(target), '.stepback', target)
}
