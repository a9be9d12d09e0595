// Histories of finished runs as files: what is kept is what is read, and what a run's history tells without a server.

import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js'
import { afterAll, expect, test } from 'vitest'
import { Archive } from '../../src/client/archive.js'
import { Histories } from '../../src/client/histories.js'

const directory = mkdtempSync(join(tmpdir(), 'stepback-archive-'))
afterAll(() => rmSync(directory, { recursive: true }))

const recorded = (name: string) =>
  historyFromJSON(JSON.parse(readFileSync(new URL(`../replay/histories/${name}.json`, import.meta.url), 'utf8')))

test('a kept history tells the run without a server: who asked, its plan, its work, how it ended', async () => {
  const archive = new Archive(directory)
  const it = { run: 'rollback of shop/ü', runId: '0000-1' }
  expect(archive.has(it)).toBe(false)
  await archive.keep(it, recorded('deploy-undone'))
  expect(archive.has(it)).toBe(true)
  expect(await archive.list()).toEqual([it])
  const histories = new Histories(null, 'stepback', archive)
  const run = (await histories.newest(it.run))!
  expect(run).toMatchObject({ type: 'deployWorkflow', closedAs: 'Undone', result: { phase: 'undone' }, anchors: [] })
  expect(run.plan?.kind).toBe('deploy')
  expect(run.work.map((work) => [work.name, work.outcome])).toContainEqual(['migrateUp', 'failed'])
  expect(run.work.some((work) => work.title.startsWith('undo: '))).toBe(true)
  expect((await histories.of('shop')).histories).toHaveLength(1)
  expect((await histories.of('shop', new Set([it.runId]))).histories).toEqual([])
  expect(await histories.newest('another')).toBeUndefined()
})

test('is readable by its owner only, however long the id of its workflow is', async () => {
  const archive = new Archive(join(directory, 'new'))
  const it = { run: 'ü'.repeat(500), runId: '0000-2' }
  await archive.keep(it, recorded('deploy-done'))
  const [name] = await archive.list()
  expect(archive.has(it)).toBe(true)
  expect(name!.runId).toBe('0000-2')
  expect(statSync(archive.directory).mode & 0o777).toBe(0o700)
})
