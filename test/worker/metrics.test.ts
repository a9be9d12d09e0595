// What Prometheus reads from a worker: the real SDK on a real server, and a real SSH server for what stands still.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Runtime } from '@temporalio/worker'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/adapters/logger.js'
import { compose } from '../../src/composition.js'
import { configSchema } from '../../src/config/schema.js'
import { keepGauges } from '../../src/worker/gauges.js'
import { installRuntime } from '../../src/worker/telemetry.js'
import { candidate, exposure, manifest, rollbackPlan, rollbackRequest } from '../support/plans.js'
import { seen, well } from '../support/guards.js'
import { type Sshd, freePort, startSshd } from '../support/sshd.js'
import { Stage, fail, untilCancelled } from '../support/workflow.js'

const lossy = rollbackPlan(undefined, undefined, candidate({ exposure: exposure(412) }))
const logger = createLogger({ level: 'silent' })
const stop = new AbortController()
let stage: Stage
let sshd: Sshd
let port: number
let close: () => Promise<void>

const scrape = async () => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()

beforeAll(async () => {
  port = await freePort()
  sshd = await startSshd()
  const config = configSchema.parse({ metrics: { port, every: '100ms' }, targets: { shop: shop() } })
  stage = await Stage.openReal(() => installRuntime(config.metrics, logger, stop.signal))
  const { client } = stage
  const composition = compose({ config, namespace: 'default', client })
  close = composition.close
  void keepGauges({ deps: composition.deps, client, meter: Runtime.instance().metricMeter, logger, stop: stop.signal })
})
afterAll(async () => {
  stop.abort()
  await stage?.close()
  await close?.()
  await sshd?.stop()
})

function shop() {
  const { host, port: sshPort, user, identityFile, knownHostsFiles: knownHosts } = sshd.options
  const backups = join(sshd.directory, 'backups')
  mkdirSync(backups)
  const point = manifest({ migrations: null, state: 'taken' })
  writeFileSync(join(backups, `manifest_${point.id}.json`), JSON.stringify(point))
  writeFileSync(join(backups, 'manifest_20261124T100000Z-2.1.0.json'), '{')
  return {
    ssh: { host, port: sshPort, user, identityFile, knownHosts, config: '/dev/null' },
    directory: sshd.directory,
    backups,
    compose: { project: 'shop', files: ['docker-compose.yml'] },
    services: { application: ['api'] },
  }
}

test('what stands still is served as soon as it is looked at: restore points by state and age, guards, gates', async () => {
  await expect.poll(scrape).toContain('stepback_looked_timestamp_seconds{')
  await expect.poll(() => valuesOf('stepback_restore_points', 'state')).toEqual({ taken: 1, unreadable: 1, ...noOther })
  const { taken } = await valuesOf('stepback_restore_point_timestamp_seconds', 'state')
  expect(taken).toBe(Date.parse('2026-11-23T10:00:00Z') / 1_000)
  expect(await valuesOf('stepback_guard_verdict', 'verdict')).toMatchObject({ none: 1, healthy: 0 })
})

test('a run is counted at its end with its steps and waits, and one that only looked is not', async () => {
  const counted = (outcome: string) => valueOf('stepback_runs_total', { kind: 'rollback', outcome, target: 'shop' })
  await expect.poll(() => counted('done')).toBe(0)
  stage.reset(lossy)
  await (await stage.start('rollbackWorkflow', rollbackRequest({ dryRun: true }))).result()
  const run = await stage.start('rollbackWorkflow', rollbackRequest())
  await run.until('waiting-for-approval')
  await expect.poll(() => valueOf('stepback_gates_open', { asks: 'approve' })).toBe(1)
  await run.answer('approve', { by: 'ann', digest: lossy.digest })
  await run.result()
  await expect.poll(() => counted('done')).toBeGreaterThan(0)
  const waited = { kind: 'rollback', asks: 'approve', target: 'shop' }
  expect(await valueOf('stepback_gate_waiting_seconds_count', waited)).toBe(await counted('done'))
  for (const step of lossy.steps.map(({ act }) => act.name))
    expect(await valueOf('stepback_step_duration_seconds_count', { step, outcome: 'done' }), step).toBeGreaterThan(0)
  await expect.poll(() => valueOf('stepback_gates_open', { asks: 'approve' })).toBe(0)
})

test('a name that nobody configured makes no series', async () => {
  stage.reset(lossy)
  stage.on('plan', fail('UnknownTarget'))
  await (await stage.start('rollbackWorkflow', rollbackRequest({ target: 'made-up' }))).failure()
  await expect.poll(() => valueOf('stepback_runs_total', { outcome: 'refused', target: '' })).toBeGreaterThan(0)
  expect(await scrape()).not.toContain('made-up')
})

test('the guard of a target is seen', async () => {
  stage.reset(lossy)
  stage.on('readGuardRequest', () => ({ target: 'shop', policy: null }))
  const looks = [seen({ sources: well })]
  stage.on('watchTarget', () => looks.shift() ?? untilCancelled()())
  const { workflow } = stage.client
  const options = { taskQueue: 'stepback', workflowId: 'guard-shop', args: [{ target: 'shop' }] }
  const guard = await workflow.start('guardWorkflow', options)
  await expect.poll(() => valuesOf('stepback_guard_verdict', 'verdict')).toMatchObject({ healthy: 1, none: 0 })
  await guard.cancel()
  await expect.poll(() => valuesOf('stepback_guard_verdict', 'verdict')).toMatchObject({ healthy: 0, none: 1 })
})

describe('the dashboard', () => {
  const { panels } = JSON.parse(readFileSync(new URL('../../docs/grafana.json', import.meta.url), 'utf8')) as {
    readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[]
  }
  const queries = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const))

  test.each(queries)('%s asks for what a worker serves: %s', async (_title, query) => {
    const served = await scrape()
    const asked = [...query.matchAll(/\b((?:stepback|temporal)_\w+)(\{[^}]*\})?/g)]
    expect(asked.length).toBeGreaterThan(0)
    for (const [, name, selector = ''] of asked) {
      const series = served.split('\n').filter((line) => line.startsWith(`${name}{`))
      expect(series, name).not.toEqual([])
      const labels = [...selector.matchAll(/(\w+)(?:=~|=)"([^"]*)"/g)]
      const isAsked = (line: string) =>
        labels.every(([, label, value]) => new RegExp(labelled(label!, value!)).test(line))
      expect(series.filter(isAsked), selector).not.toEqual([])
    }
    const grouped = [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels]) => labels!.split(', '))
    for (const label of grouped.filter((it) => it !== 'instance')) expect(served).toContain(`${label}="`)
  })
})

const noOther = { proven: 0, warm: 0, kept: 0, broken: 0 }

function labelled(label: string, value: string): string {
  return `[{,]${label}="(${value === '$target' ? 'shop' : value})"`
}

/** The sum of all series of a name with these labels; nothing where there is none. */
async function valueOf(name: string, labels: Readonly<Record<string, string>>): Promise<number | undefined> {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  const lines = (await scrape()).split('\n').filter((line) => line.startsWith(`${name}{`))
  const found = lines.filter((line) => wanted.every((it) => line.includes(it)))
  return found.length === 0 ? undefined : found.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

async function valuesOf(name: string, label: string): Promise<Record<string, number>> {
  const lines = (await scrape()).split('\n').filter((line) => line.startsWith(`${name}{`))
  const value = (line: string) => new RegExp(`${label}="([^"]*)"`).exec(line)![1]!
  return Object.fromEntries(lines.map((line) => [value(line), Number(line.split(' ').at(-1))]))
}
