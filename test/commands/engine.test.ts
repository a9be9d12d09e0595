// What a job does while Docker's daemon is away; `docker` is a script that answers while a file is there.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { againWithEngine } from '../../src/commands/engine.js'

const docker = `#!/bin/sh
[ -e there ] || { : > missed; exit 1; }
case $1 in
version) exit 0 ;;
die) rm -f there; exit 1 ;;
wrong) exit 7 ;;
esac
`

describe.each(['dash', 'bash', 'busybox'])('in %s a job', (shell) => {
  let cwd: string

  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'stepback-engine-'))
    mkdirSync(join(cwd, 'bin'))
    writeFileSync(join(cwd, 'bin/docker'), docker, { mode: 0o755 })
    writeFileSync(join(cwd, 'there'), '')
  })
  afterEach(() => rmSync(cwd, { recursive: true, force: true }))

  const run = async (line: string, answersWithinSeconds = 30) => {
    const env = { ...process.env, PATH: `${cwd}/bin:${process.env['PATH']}` }
    const job = spawn(shell, shell === 'busybox' ? ['sh'] : [], { cwd, env })
    let said = ''
    job.stderr.on('data', (text: Buffer) => (said += text.toString()))
    job.stdin.end(againWithEngine(['echo begun >> log', line, 'echo done >> log'], { answersWithinSeconds }))
    const [status] = (await once(job, 'close')) as [number]
    return { status, said, log: readFileSync(join(cwd, 'log'), 'utf8').trim().split('\n') }
  }

  /** The daemon is back behind the first question that it did not answer. */
  const returns = async () => {
    while (!existsSync(join(cwd, 'missed'))) await sleep(5)
    rmSync(join(cwd, 'missed'))
    writeFileSync(join(cwd, 'there'), '')
  }

  test('that goes well is done once', async () => {
    expect(await run('docker tag')).toMatchObject({ status: 0, log: ['begun', 'done'] })
  })

  test('that fails while the daemon answers has failed', async () => {
    expect(await run('docker wrong')).toMatchObject({ status: 7, log: ['begun'] })
  })

  test('that met the daemon’s end is done again once that is back', async () => {
    const ended = run('[ -e died ] || { touch died; docker die; }')
    await returns()
    const { status, said, log } = await ended
    expect({ status, log }).toEqual({ status: 0, log: ['begun', 'begun', 'done'] })
    expect(said).toContain('stepback: the Docker daemon was away meanwhile')
  })

  test('whose daemon does not come back has failed', async () => {
    expect(await run('docker die', 1)).toMatchObject({ status: 1, log: ['begun'] })
  })

  test('that meets the daemon’s end each time has failed in the end', async () => {
    const ended = run('docker die')
    for (let times = 0; times < 2; times++) await returns()
    expect(await ended).toMatchObject({ status: 1, log: ['begun', 'begun', 'begun'] })
  })
})
