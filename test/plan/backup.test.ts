import { expect, test } from 'vitest'
import { planBackup } from '../../src/plan/backup.js'
import { namesOf } from '../../src/plan/retention.js'
import type { BackupRequest } from '../../src/plan/request.js'
import { afterDeploy, before210, manifest, stack } from '../support/plans.js'

const request = (changes: Partial<BackupRequest> = {}): BackupRequest => ({
  target: 'shop',
  what: 'restore-point',
  prove: true,
  dryRun: false,
  ...changes,
})
const small = { ...stack, retention: { keep: 1, counts: 'taken' } as const }

test('a restore point on demand is the first step of a deploy, and asks nobody', () => {
  const plan = planBackup(request(), afterDeploy(), [])
  expect(plan.steps.map(({ act }) => act.name)).toEqual(['takeRestorePoint'])
  expect(plan).toMatchObject({ kind: 'backup', version: '2.1.0', approval: { required: false }, already: false })
})

test('a prune names what goes, and never what latest means', () => {
  const [older, newer] = [manifest({ id: '20261001T000000Z-1.9.0' }), manifest({ id: '20261201T000000Z-2.1.0' })]
  const facts = afterDeploy({ stack: small, manifests: [newer, manifest(), older] })
  const unfinished = '20261101T000000Z-1.9.1'
  const plan = planBackup(
    request({ what: 'prune' }),
    facts,
    [newer, manifest(), older].flatMap((it) => namesOf(it.id)).concat(`env_${unfinished}`),
  )
  expect(plan.steps.map(({ act }) => act.args)).toEqual([
    {
      points: [
        { id: unfinished, services: [] },
        { id: older.id, services: older.images.map((it) => it.service) },
      ],
    },
  ])
  expect(plan.because).toBe(`retention keeps 1: ${unfinished}, ${older.id} go`)
  expect(facts.manifests.map((it) => it.id)).toContain(before210)
})

test('how small a dump is, is accepted by a proof with a reason that names it, and by no drill', () => {
  const doubtful = afterDeploy({ manifests: [manifest({ small: 'its dump of 1 bytes is suspiciously small' })] })
  const proof = (changes: Partial<BackupRequest>, facts = doubtful) =>
    planBackup(request({ what: 'prove', ...changes }), facts, []).steps[0]!.act
  const reason = 'the archive was emptied'
  expect(proof({ id: before210, reason })).toMatchObject({
    title: `prove ${before210}, and accept how small it is`,
    args: { accept: true },
  })
  for (const act of [proof({ id: before210 }), proof({ reason }), proof({ what: 'drill', reason })])
    expect(act.args).not.toHaveProperty('accept')
  expect(proof({ id: before210, reason }, afterDeploy()).args).not.toHaveProperty('accept')
})

test('a prune without anything to remove is done already', () => {
  expect(planBackup(request({ what: 'prune' }), afterDeploy(), [])).toMatchObject({ already: true, steps: [] })
})

test('a pin goes to one restore point, is given once, and its undo gives back what was there', () => {
  const pin = planBackup(
    request({ what: 'pin', id: before210, requestedBy: 'ann', reason: 'audit' }),
    afterDeploy(),
    [],
  )
  const pins = [{ by: 'ann', reason: 'audit' }]
  expect(pin.steps).toMatchObject([
    { act: { args: { id: before210, pins } }, undo: [{ args: { id: before210, pins: [] } }] },
  ])
  const pinned = afterDeploy({ manifests: [manifest({ pins })] })
  expect(planBackup(request({ what: 'pin', id: before210, requestedBy: 'ann' }), pinned, []).already).toBe(true)
  expect(planBackup(request({ what: 'unpin', id: before210 }), pinned, []).steps).toMatchObject([
    { act: { args: { pins: [] } }, undo: [{ args: { pins } }] },
  ])
})

test('a restore point that is not there is refused with those that are', () => {
  expect(() => planBackup(request({ what: 'pin', id: 'x' }), afterDeploy(), [])).toThrow(
    `target "shop" has no restore point "x"; there are: ${before210}`,
  )
})

const remembers = { ...stack, memories: { path: 'notes', keepMs: 30 * 86_400_000 } }

test('memories are archived, and archives that were kept for long enough go, whoever made them', () => {
  const facts = afterDeploy({ stack: remembers, at: '2026-12-24T03:15:00.123Z' })
  const shelf = ['memories_20261101.tar.gz', 'memories_20261123T031500Z.tar.gz', 'memories_old.tar.gz', 'db_1.sql']
  const plan = planBackup(request({ what: 'memories' }), facts, [...shelf, 'memories_20261201T031500Z.tar.gz'])
  expect(plan.steps.map(({ act }) => act.args)).toEqual([
    { path: 'notes', name: 'memories_20261224T031500Z.tar.gz' },
    { names: ['memories_20261101.tar.gz', 'memories_20261123T031500Z.tar.gz'] },
  ])
})

test('an archive comes back beside the live directory, by its name', () => {
  const facts = afterDeploy({ stack: remembers })
  const ask = (id: string) => planBackup(request({ what: 'restore-memories', id }), facts, ['memories_mine.tar.gz'])
  expect(ask('memories_mine').steps.map(({ act }) => act.args)).toEqual([
    { name: 'memories_mine.tar.gz', to: 'notes.memories_mine' },
  ])
  expect(() => ask('memories_none')).toThrow('no archive "memories_none.tar.gz"; there are: memories_mine.tar.gz')
  expect(() => ask('../memories_mine')).toThrow('no archive')
})

test('a target without memories refuses both', () => {
  const ask = () => planBackup(request({ what: 'memories' }), afterDeploy(), [])
  expect(ask).toThrow('its configuration names no memories')
})
