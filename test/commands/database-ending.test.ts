import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { endingOf } from '../../src/commands/database/ending.js'

const bin = mkdtempSync(join(tmpdir(), 'stepback-ending-'))
afterAll(() => rmSync(bin, { recursive: true, force: true }))

const access = { exec: ['docker', 'exec', '-i', 'db1'], psqlUser: 'aria', container: 'db1' }

/** How it ends where Docker's `ps` prints this, and what is said in the container answers that. */
function ended(ps: string, exec: string): number | null {
  writeFileSync(join(bin, 'docker'), `#!/bin/sh\ncase $1 in ps) ${ps} ;; exec) ${exec} ;; esac\n`, { mode: 0o755 })
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` }
  return spawnSync('sh', ['-c', endingOf(access, 'stepback:aria:7:job')], { env }).status
}

test('a job is over when no session of it is left, or when the container of its sessions is gone', () => {
  expect(ended('echo db1', 'echo 0')).toBe(0)
  expect(ended('true', 'echo "No such container" >&2; exit 1')).toBe(0)
})

test('a job is not over while a session is left, or where nobody can tell', () => {
  expect(ended('echo db1', 'echo 1')).not.toBe(0)
  expect(ended('echo db1', 'exit 1')).not.toBe(0)
  expect(ended('exit 1', 'exit 1')).not.toBe(0)
})
