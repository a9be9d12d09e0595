import { execFile, execFileSync } from 'node:child_process'
import { readFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { psql } from '../../src/commands/database/programs.js'
import { againAfterRestart, untilAccepting } from '../../src/commands/database/restart.js'
import { script } from '../../src/commands/shell.js'
import { startPostgres, type TestPostgres } from '../support/postgres.js'

let server: TestPostgres
let directory: string
beforeAll(async () => {
  server = await startPostgres()
  directory = mkdtempSync(join(tmpdir(), 'stepback-restart-'))
})
afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

const access = () => ({ exec: server.exec('a job'), psqlUser: 'postgres' })
const tries = (name: string) => readFileSync(join(directory, name), 'utf8').trim().split('\n').length

/** A script that notes its beginning, and then does `work`, which may fail. */
function job(name: string, ...work: string[]): string {
  return impatientJob(undefined, name, ...work)
}

function impatientJob(patience: Parameters<typeof againAfterRestart>[2], name: string, ...work: string[]): string {
  const text = script(`echo begun >>'${join(directory, name)}'`, ...work)
  return againAfterRestart(access(), { script: text, ending: '' }, patience).script
}

test('work that a restart of the server interrupted is done again, from its beginning', async () => {
  const sleeps = `${psql(access(), 'postgres')} -c 'select pg_sleep(case when count(*) = 1 then 60 else 0 end) from begun'`
  await server.query('postgres', 'create table begun ()')
  const note = `${psql(access(), 'postgres')} -c 'insert into begun default values'`
  const running = promisify(execFile)('sh', ['-c', job('restarted', note, sleeps, 'echo well')])
  const asleep = `select pid from pg_stat_activity where application_name = 'a job' and query like '%pg_sleep(%'`
  await expect.poll(() => server.query('postgres', asleep)).toHaveLength(1)
  const [session] = await server.query<{ pid: number }>('postgres', asleep)
  // A server that loses a session's process ends all others, and starts anew.
  process.kill(session!.pid, 'SIGKILL')
  expect((await running).stdout.trim()).toBe('well')
  expect(tries('restarted')).toBe(2)
})

test('a server that recovers is waited for longer than one that does not answer', async () => {
  const sleeps = `${psql(access(), 'postgres')} -c 'select pg_sleep(case when count(*) = 0 then 60 else 0 end) from crashed'`
  await server.query('postgres', 'create table crashed ()')
  const work = impatientJob({ answersWithinSeconds: 1, recoversWithinSeconds: 60 }, 'recovered', sleeps, 'echo well')
  const running = promisify(execFile)('sh', ['-c', work])
  const asleep = `select from pg_stat_activity where application_name = 'a job' and query like '%from crashed%'`
  await expect.poll(() => server.query('postgres', asleep)).toHaveLength(1)
  await server.query('postgres', 'insert into crashed default values')
  await server.recovering(() => sleep(4_000))
  expect((await running).stdout.trim()).toBe('well')
  expect(tries('recovered')).toBe(2)
})

test('a server that was just started is waited for while it recovers, and not for long where nobody answers', async () => {
  const patience = { answersWithinSeconds: 1, recoversWithinSeconds: 60 }
  const wait = (...port: string[]) =>
    promisify(execFile)('sh', [
      '-c',
      untilAccepting([...server.exec(), ...port, 'pg_isready -q'].join(' '), 'db', patience),
    ])
  let waiting: ReturnType<typeof wait> | undefined
  await server.recovering(async () => {
    waiting = wait()
    await sleep(4_000)
  })
  await waiting
  await expect(wait('PGPORT=1')).rejects.toThrow('stepback: the database of service db accepts no connections')
})

test('work that fails by itself is not done again, and keeps its exit status', () => {
  const failing = job('failing', `${psql(access(), 'postgres')} -c 'select 1/0'`, 'exit 65')
  expect(() => execFileSync('sh', ['-c', failing], { stdio: 'pipe' })).toThrow('division by zero')
  expect(() => execFileSync('sh', ['-c', job('refused', 'exit 65')], { stdio: 'pipe' })).toThrow(
    expect.objectContaining({ status: 65 }),
  )
  expect([tries('failing'), tries('refused')]).toEqual([1, 1])
})
