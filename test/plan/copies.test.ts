import { describe, expect, test } from 'vitest'
import { planBackup } from '../../src/plan/backup.js'
import { abandonedToDrop, putAsideToDrop, readyDatabase, stateNow, warmCopiesToDrop } from '../../src/plan/copies.js'
import type { Copy, Facts } from '../../src/plan/facts.js'
import type { LedgerEntry } from '../../src/plan/ledger.js'
import type { Manifest } from '../../src/plan/manifest.js'
import type { BackupRequest } from '../../src/plan/request.js'
import { chooseStrategy } from '../../src/plan/strategy.js'
import {
  afterDeploy,
  before210,
  candidate,
  database,
  deployPlan,
  deployRequest,
  facts,
  finished,
  m1,
  m3,
  manifest,
  records,
  release,
  rollbackPlan,
  rollbackRequest,
  stack,
  standing,
  warm,
} from '../support/plans.js'

const applied = [m1.name, m3.name]
const proving = { ...stack, proof: { ...stack.proof, when: 'background' } as const }
const kept = { name: 'shop__before_0000bbbb', oid: 16000 }
const safety = manifest({ id: '20261123T120000Z-2.1.0', migrations: null, state: 'kept', kept, version: '2.1.0' })

describe('what stands ready', () => {
  const see = (copies: readonly Copy[]) => readyDatabase(manifest({ warm }), database({ copies }))?.problem

  test('is a warm copy while nobody was in it', () => {
    expect(see([standing])).toBeNull()
    expect(readyDatabase(manifest(), database({ copies: [standing] }))).toBeNull()
    const state = (copies: readonly Copy[]) => stateNow(manifest({ warm, state: 'warm' }), database({ copies }))
    expect([state([standing]), state([])]).toEqual(['warm', 'proven'])
  })

  test.each([
    ['it is gone', [], 'the database "shop__warm_0000aaaa" is gone'],
    ['another has its name', [{ ...standing, oid: 1 }], 'the database "shop__warm_0000aaaa" is another one by now'],
    ['it is open', [{ ...standing, open: true }], 'somebody was in the warm copy "shop__warm_0000aaaa"'],
    ['somebody was in it', [{ ...standing, visits: '10 since ever' }], 'somebody was in the warm copy'],
  ])('is none where %s, and says so', (_why, copies, problem) => {
    expect(see(copies)).toContain(problem)
    const choice = chooseStrategy({
      asked: 'auto',
      facts: database({ applied, copies }),
      candidate: candidate({ manifest: manifest({ warm }) }),
      took: new Map(),
    })
    expect(choice).toMatchObject({
      strategy: 'restore',
      because: expect.stringContaining(`swap cannot be: ${problem}`),
    })
  })
})

describe('a rollback past an irreversible migration', () => {
  test('swaps a warm copy in: nothing is built, and the live database is kept as the way back', () => {
    const seen = afterDeploy({ database: database({ applied, copies: [standing] }) })
    const plan = rollbackPlan(undefined, seen, candidate({ manifest: manifest({ warm }) }))
    expect(plan).toMatchObject({ strategy: 'swap', mayGrowBy: 0 })
    const acts = plan.steps.map(({ act }) => act)
    expect(acts.map((it) => it.name)).not.toContain('restoreDatabase')
    expect(acts.find((it) => it.name === 'takeRestorePoint')!.args).toMatchObject({ database: 'kept' })
    expect(acts.find((it) => it.name === 'swapDatabase')!.args).toEqual({
      from: before210,
      mayLoseRows: null,
      ready: { name: warm.name, oid: warm.oid },
    })
  })

  test('is undone by swapping the kept database back, counted since the one that took its place', () => {
    const seen = afterDeploy({
      database: database({ applied: [m1.name], copies: [{ ...kept, open: false, visits: '1' }] }),
      manifests: [safety, manifest()],
    })
    const found = candidate({ manifest: safety, since: before210 })
    const plan = rollbackPlan(rollbackRequest({ to: safety.id }), seen, found)
    expect(plan).toMatchObject({ strategy: 'swap' })
    expect(plan.steps.find(({ act }) => act.name === 'swapDatabase')!.act.args).toEqual({
      from: safety.id,
      since: before210,
      mayLoseRows: null,
      ready: kept,
    })
  })

  test('cannot be undone where the kept database was dropped', () => {
    const seen = afterDeploy({ manifests: [safety, manifest()] })
    expect(() => rollbackPlan(rollbackRequest({ to: safety.id }), seen, candidate({ manifest: safety }))).toThrow(
      `swap: the database "${kept.name}" is gone`,
    )
  })

  test('that was undone already leaves the database as it is', () => {
    const seen = afterDeploy({ database: database({ oid: kept.oid, applied }), manifests: [safety] })
    const choice = chooseStrategy({
      asked: 'auto',
      facts: seen.database!,
      candidate: candidate({ manifest: safety }),
      took: new Map(),
    })
    expect(choice).toMatchObject({ strategy: null, because: 'the database that was live then is live again' })
  })

  test('asks before it restores a dump that nobody should rely on', () => {
    const doubt = 'it is as it is'
    const seen = afterDeploy({ database: database({ applied }) })
    const approval = (found: Parameters<typeof manifest>[0]) =>
      rollbackPlan(undefined, seen, candidate({ manifest: manifest(found) })).approval
    expect(approval({ doubt })).toMatchObject({ required: true, dataLoss: true, why: doubt })
    expect(approval({ doubt, state: 'proven' })).toMatchObject({ required: false })
    expect(approval({ small: doubt, state: 'proven' })).toMatchObject({ required: true, dataLoss: true, why: doubt })
  })
})

describe('a deploy', () => {
  const steps = (changes: Parameters<typeof deployRequest>[0] = {}, seen = facts({ stack: proving })) =>
    deployPlan(deployRequest(changes), seen).steps.filter(({ act }) => act.name === 'proveRestorePoint')

  test('proves its restore point beside its other steps', () => {
    expect(steps()).toMatchObject([
      {
        act: { args: { from: 'safety', keepCopy: true } },
        undo: [{ name: 'dropUnprovenCopy' }],
        background: true,
      },
    ])
  })

  test('proves it before its first change where nothing else could undo it, or always', () => {
    expect(steps({ migrateTo: m3.revision })[0]).not.toHaveProperty('background')
    const before = { ...stack, proof: { ...stack.proof, when: 'before' } as const }
    expect(steps({}, facts({ stack: before }))[0]).not.toHaveProperty('background')
    const image = { service: 'db', id: 'sha256:db', ref: 'postgres:16' }
    const ahead = { absentImages: [], recreation: { service: 'db', before: image, after: image, majors: null } }
    const anew = deployPlan(deployRequest(), facts({ stack: proving }), { ...release, ahead })
    expect(anew.steps.find(({ act }) => act.name === 'proveRestorePoint')).not.toHaveProperty('background')
  })

  test('proves nothing as a hotfix, where that is off, and without a database', () => {
    expect(steps({ hotfix: true, reason: 'fire' })).toEqual([])
    expect(steps({}, facts())).toEqual([])
    expect(steps({ migrateTo: 'none' }, facts({ stack: proving, database: null }))).toEqual([])
  })

  test('drops the copies for which its own leaves no room, as its last step', () => {
    const copy = (run: string, oid: number) => ({ ...warm, name: `shop__warm_${run}`, oid })
    const points = [copy('0000aaa1', 1), copy('0000aaa2', 2)].map((it, index) =>
      manifest({ id: `2026112${index + 1}T100000Z-2.0.0`, createdAt: '2026-11-23T10:00:00Z', warm: it }),
    )
    const copies = points.map((it) => ({ ...it.database!.warm!, open: false }))
    const seen = facts({ stack: proving, manifests: points, database: database({ copies }) })
    expect(deployPlan(undefined, seen).steps.at(-1)!.act).toMatchObject({
      name: 'dropCopies',
      args: { copies: [{ name: 'shop__warm_0000aaa1', oid: 1, of: points[0]!.id }] },
    })
  })
})

describe('copies that go', () => {
  const old = manifest({ id: '20261120T100000Z-2.0.0', createdAt: '2026-11-20T10:00:00Z', warm })
  const seen = (changes: Partial<Facts> = {}) =>
    facts({ manifests: [old], database: database({ copies: [standing] }), ...changes })

  test('are those that were kept long enough, and no longer needed by an open run', () => {
    expect(warmCopiesToDrop(seen(), { coming: 0, held: [] })).toMatchObject([{ name: warm.name, of: old.id }])
    expect(warmCopiesToDrop(seen(), { coming: 0, held: [old.id] })).toEqual([])
  })

  test('are those, too, that a run built and left, once its debt was skipped, and no database that was live', () => {
    const run = { workflowId: 'rollback-shop', runId: '01890000-0000-7000-8000-0000c0ffee00' }
    const plan: LedgerEntry = { kind: 'plan', run, plan: rollbackPlan() }
    const built = [
      { name: 'shop__new_c0ffee00', oid: 5, run8: 'c0ffee00' },
      { ...standing, run8: '0000aaaa' },
    ]
    const left = (...entries: LedgerEntry[]) =>
      abandonedToDrop(seen({ records: records(plan, ...entries), database: database({ built, copies: [standing] }) }))
    expect(left()).toEqual([])
    const closed = { kind: 'debt-closed', run, how: 'accepted' } as const
    expect(left(closed)).toEqual([{ name: 'shop__new_c0ffee00', oid: 5 }])
    const all = seen({ manifests: [], unreadable: [{ id: old.id, why: 'not JSON' }], database: database({ built }) })
    expect(abandonedToDrop(all)).toEqual([])
    const skipped = facts({ records: records(plan, closed), database: database({ built: built.slice(0, 1) }) })
    expect(deployPlan(undefined, skipped).steps.at(-1)!.act).toMatchObject({
      name: 'dropCopies',
      args: { copies: [{ name: 'shop__new_c0ffee00' }] },
    })
  })

  test('are those that an undo put aside, with the restore point of its deploy or as old as what a rollback replaces', () => {
    const run8 = old.run.runId.replaceAll('-', '').slice(-8)
    const former = [{ name: `shop__before_${run8}`, oid: 7, run8 }]
    const dropped = (keptMs: number, changes: Partial<Facts> = {}, going: readonly Manifest[] = []) =>
      putAsideToDrop(
        seen({ stack: { ...stack, proof: { ...stack.proof, keptMs } }, database: database({ former }), ...changes }),
        going,
        [],
      )
    const hour = 3_600_000
    expect(dropped(hour)).toEqual([{ name: former[0]!.name, oid: 7 }])
    expect(dropped(1_000 * hour)).toEqual([])
    expect(dropped(1_000 * hour, {}, [old])).toEqual([{ name: former[0]!.name, oid: 7 }])
    const kept = { ...old, kept: { name: former[0]!.name, oid: 7 } }
    const unreadable = [{ id: 'x', why: 'not JSON' }]
    const plan: LedgerEntry = { kind: 'plan', run: old.run, plan: rollbackPlan() }
    const others: Partial<Facts>[] = [
      { manifests: [kept] },
      { manifests: [] },
      { unreadable },
      { records: records(plan) },
    ]
    expect(others.map((it) => dropped(hour, it))).toEqual([[], [], [], []])
  })

  test('are none that are not there', () => {
    expect(warmCopiesToDrop(seen({ database: database() }), { coming: 0, held: [] })).toEqual([])
  })
})

describe('a backup', () => {
  const request = (changes: Partial<BackupRequest> = {}): BackupRequest => ({
    target: 'shop',
    what: 'restore-point',
    prove: true,
    dryRun: false,
    ...changes,
  })
  const names = (plan: ReturnType<typeof planBackup>) => plan.steps.map(({ act }) => act.name)

  test('proves what it takes, unless it is asked not to', () => {
    const seen = afterDeploy({ stack: proving })
    expect(names(planBackup(request(), seen, []))).toEqual(['takeRestorePoint', 'proveRestorePoint'])
    expect(names(planBackup(request({ prove: false }), seen, []))).toEqual(['takeRestorePoint'])
  })

  test('proves a restore point by its id, and drills the newest, whose copy stays what it is', () => {
    const seen = afterDeploy({ manifests: [manifest({ warm })], database: database({ copies: [standing] }) })
    const [step] = planBackup(request({ what: 'prove', id: before210 }), seen, []).steps
    expect(step!.act).toMatchObject({ name: 'proveRestorePoint', args: { from: before210, keepCopy: false } })
    const [drill] = planBackup(request({ what: 'drill' }), afterDeploy(), []).steps
    expect(drill!.act.args).toEqual({ from: before210, keepCopy: true })
  })

  test('refuses to prove what has no dump', () => {
    const seen = afterDeploy({ manifests: [safety] })
    expect(() => planBackup(request({ what: 'prove', id: safety.id }), seen, [])).toThrow('has no dump')
    expect(() => planBackup(request({ what: 'drill' }), seen, [])).toThrow('no restore point with a dump')
  })

  test('drops a database that was live once only when it was kept long enough, and holds its restore point till then', () => {
    const aged = (createdAt: string) =>
      afterDeploy({
        stack: { ...stack, retention: { keep: 1, counts: 'taken' } },
        records: records(finished({ kind: 'deploy', version: '2.1.0', restorePoint: before210, paths: [] })),
        manifests: [
          manifest({ id: '20261124T000000Z-2.1.0' }),
          manifest(),
          { ...safety, createdAt, id: '20261101T000000Z-2.1.0' },
        ],
        database: database({ copies: [{ ...kept, open: false, visits: '1' }] }),
      })
    expect(planBackup(request({ what: 'prune' }), aged('2026-11-23T12:00:00Z'), [])).toMatchObject({ already: true })
    const old = planBackup(request({ what: 'prune' }), aged('2026-11-01T00:00:00Z'), [])
    expect(names(old)).toEqual(['dropCopies', 'pruneRestorePoints'])
    expect(old.steps[0]!.act.args).toEqual({ copies: [{ ...kept, of: '20261101T000000Z-2.1.0' }] })
  })

  test('never drops a database that a run without an end took or goes back to, nor one of a pinned restore point', () => {
    const point = { ...safety, createdAt: '2026-11-01T00:00:00Z' }
    const seen = (changes: Partial<Facts>) =>
      afterDeploy({
        manifests: [point],
        database: database({ copies: [{ ...kept, open: false, visits: '1' }] }),
        ...changes,
      })
    const open = (refers: object): Facts['records'] => {
      const run = { workflowId: 'rollback-shop', runId: 'another' }
      return records({ kind: 'plan', run, plan: { ...rollbackPlan(), ...refers } })
    }
    const dropped = (changes: Partial<Facts>) =>
      planBackup(request({ what: 'prune' }), seen(changes), []).steps.filter(({ act }) => act.name === 'dropCopies')
    expect(dropped({ records: [] })).toHaveLength(1)
    expect(dropped({ records: open({ safety: point.id }) })).toEqual([])
    expect(dropped({ records: open({ restorePoint: point.id }) })).toEqual([])
    expect(dropped({ records: [], manifests: [{ ...point, pins: [{ by: 'ann' }] }] })).toEqual([])
  })
})
