import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { examineMachine } from '../../src/cli/doctor/machine.js'
import { renderFindings } from '../../src/cli/doctor/render.js'
import { temporalFindings } from '../../src/cli/doctor/temporal.js'
import { runCommandLine } from '../../src/cli/program.js'
import { unreachable } from '../../src/client/connection.js'
import { StepbackClient } from '../../src/client.js'
import { plain, silentIo } from './support.js'

vi.spyOn(StepbackClient, 'connect').mockRejectedValue(unreachable('127.0.0.1:7233', new Error('refused')))
const directory = mkdtempSync(join(tmpdir(), 'stepback-doctor-'))
afterAll(() => rmSync(directory, { recursive: true }))

describe('the machine', () => {
  test.each([
    ['20.19.0', '20.19', true],
    ['20.18.3', '20.19', false],
    ['18.20.0', '20.19', false],
    ['24.1.0', '20.19', true],
  ])('Node %s where %s is needed', (own, needed, ok) => {
    expect(examineMachine(needed, own)[0]).toMatchObject({ check: 'node', ok })
  })

  test('needs a directory for temporary files', () => {
    expect(examineMachine('20', '20.19.0', join(directory, 'nosuch'))[1]).toMatchObject({
      ok: false,
      hint: expect.stringContaining('TMPDIR'),
    })
  })
})

describe('Temporal', () => {
  const facts = { version: '1.32.0', retentionMs: 30 * 86_400_000, missing: [] }
  const server = { address: 'there:7233', namespace: 'shop', taskQueue: 'stepback', means: [], facts, workers: 1 }

  test('is well with a namespace, its search attributes and a worker', () => {
    const found = temporalFindings(server)
    expect(found.every((it) => it.ok && it.hint === undefined)).toBe(true)
    expect(found.map((it) => it.check)).toEqual(['temporal', 'namespace', 'search attributes', 'worker'])
  })

  test('lacks a namespace, and the hint is the command that makes it', () => {
    const found = temporalFindings({ ...server, facts: { ...facts, retentionMs: null } })
    expect(found.at(-1)).toMatchObject({
      ok: false,
      hint: 'temporal operator namespace create --namespace shop --retention 30d --address there:7233',
    })
  })

  test('forgets runs early or lacks search attributes, which is said and is not bad', () => {
    const found = temporalFindings({
      ...server,
      facts: { ...facts, retentionMs: 86_400_000, missing: ['StepbackPhase'] },
    })
    expect(found.every((it) => it.ok)).toBe(true)
    expect(found[1]).toMatchObject({ hint: expect.stringContaining('namespace update --namespace shop') })
    expect(found[2]).toMatchObject({ hint: expect.stringContaining('--name StepbackPhase --type Keyword') })
  })

  test('has no worker', () => {
    expect(temporalFindings({ ...server, workers: 0 }).at(-1)).toMatchObject({ check: 'worker', ok: false })
  })
})

test('a configuration that is not valid is a finding with all its lines, beside the others', async () => {
  const path = join(directory, 'stepback.yaml')
  writeFileSync(path, 'temporal: { adress: x }\ntargets: {}\n')
  const io = silentIo()
  expect(await runCommandLine(['doctor', '--config', path], io)).toBe(2)
  expect(io.printed.map((line) => line.trim())).toEqual(
    expect.arrayContaining([expect.stringMatching(/^ok +node/), 'temporal/adress: unknown key']),
  )
  expect(io.printed.some((line) => /^ +bad +temporal .*does not answer/.test(line))).toBe(true)
})

test('no configuration at all leads to the command that writes one', async () => {
  const io = silentIo({ STEPBACK_CONFIG: join(directory, 'nosuch.yaml') })
  expect(await runCommandLine(['doctor', '--json'], io)).toBe(2)
  const { ok, checks } = JSON.parse(io.printed.join(''))
  expect(ok).toBe(false)
  expect(checks[0].findings.find((it: { check: string }) => it.check === 'configuration').ok).toBe(false)
})

test('a detail of several lines keeps them', () => {
  const findings = [{ check: 'configuration', ok: false, detail: 'is not valid\n  a: unknown key', hint: 'mend it' }]
  expect(renderFindings([{ target: null, findings }], plain)).toEqual([
    '  bad  configuration  is not valid',
    '         a: unknown key',
    '       hint: mend it',
  ])
})
