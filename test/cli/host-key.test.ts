import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { HostPool } from '../../src/adapters/hosts.js'
import { hostKeyAnswer } from '../../src/cli/doctor/host-key.js'
import { findTarget, parseConfig } from '../../src/config/load.js'
import type { Target } from '../../src/config/schema.js'
import { startSshd } from '../support/sshd.js'
import type { Sshd } from '../support/sshd.js'
import { silentIo } from './support.js'

let sshd: Sshd
const pools: HostPool[] = []
beforeAll(async () => {
  sshd = await startSshd()
  writeFileSync(
    where('config'),
    `Host hop\n  HostKeyAlias hop\nHost shop\n  ProxyJump hop\nHost *\n  HostName 127.0.0.1
  Port ${sshd.port}\n  User ${sshd.options.user}\n  IdentityFile ${sshd.options.identityFile}\n`,
  )
})
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()))
  rmSync(where('met'), { recursive: true, force: true })
})
afterAll(() => sshd.stop())

const where = (name: string) => join(sshd.directory, name)
const known = () => where('met/known')
const fingerprintOf = (file: string) => execFileSync('ssh-keygen', ['-lf', file]).toString().split(' ')[1]!
const own = () => fingerprintOf(where('host_ed25519.pub'))
const other = () => fingerprintOf(where('identity.pub'))
const at = () => `[127.0.0.1]:${sshd.port}`

function target(host = '127.0.0.1'): Target {
  const config = parseConfig(
    `targets: { shop: { ssh: { host: ${host}, config: ${where('config')}, knownHosts: [${known()}] }, directory: /srv,
      backups: /srv/backups, compose: { project: shop, files: [a.yml] }, services: { application: [web] } } }`,
    'stepback.yaml',
  )
  return findTarget(config, 'shop')
}

async function meet(input: {
  accepted?: readonly string[]
  answer?: string
  host?: string
}): Promise<readonly string[]> {
  const io = silentIo()
  const asked: string[] = []
  const ask = async (question: string) => {
    asked.push(question)
    return input.answer!
  }
  const answers = { ...io, ...(input.answer === undefined ? {} : { ask }) }
  const pool = new HostPool()
  pools.push(pool)
  await pool.introduce(target(input.host), hostKeyAnswer({ io: answers, accepted: input.accepted, asks: true }))
  return [...asked, ...io.said]
}

/** A file of known hosts in which the server's name has this file's key. */
function write(publicKey: string, marker = ''): void {
  execFileSync('mkdir', ['-p', where('met')])
  writeFileSync(known(), `${marker}${at()} ${readFileSync(publicKey, 'utf8').trim()}`)
}

describe('the key of a host that is met for the first time', () => {
  test('is refused where nobody is there to ask, and the hint is the command that accepts it', async () => {
    await expect(meet({})).rejects.toMatchObject({
      type: 'Refused',
      hint: expect.stringContaining(`stepback doctor shop --accept-host-key ${own()}`),
    })
  })

  test('is written when its fingerprint was given, for the owner alone, and known from then on', async () => {
    expect(await meet({ accepted: [own()] })).toEqual([expect.stringContaining(`${at()} is known from now on`)])
    expect([statSync(where('met')).mode & 0o777, statSync(known()).mode & 0o777]).toEqual([0o700, 0o600])
    expect(execFileSync('ssh-keygen', ['-F', at(), '-f', known()]).toString()).toContain('ssh-ed25519')
    expect(await meet({})).toEqual([])
  })

  test('is refused when it is not exactly the given one', async () => {
    await expect(meet({ accepted: [other()] })).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringContaining(`is ${own()}, not ${other()}`),
    })
    await expect(meet({})).rejects.toMatchObject({ type: 'Refused' })
  })

  test('is shown at a terminal, and written only for a yes', async () => {
    await expect(meet({ answer: 'y' })).rejects.toMatchObject({ type: 'Refused' })
    await expect(meet({ answer: '' })).rejects.toMatchObject({ type: 'Refused' })
    const [question, said] = await meet({ answer: 'yes' })
    expect(question).toContain(own())
    expect(said).toContain('known from now on')
  })

  test('is written under a hashed name where the file hashes names, on a line of its own', async () => {
    write(where('identity.pub'))
    writeFileSync(known(), readFileSync(known(), 'utf8').replace(at(), 'elsewhere'))
    execFileSync('ssh-keygen', ['-q', '-H', '-f', known()], { stdio: 'ignore' })
    writeFileSync(known(), readFileSync(known(), 'utf8').trimEnd())
    await meet({ accepted: [own()] })
    expect(readFileSync(known(), 'utf8')).not.toContain('127.0.0.1')
    expect(readFileSync(known(), 'utf8').trimEnd().split('\n')).toHaveLength(2)
    expect(execFileSync('ssh-keygen', ['-F', at(), '-f', known()]).toString()).toContain('ssh-ed25519')
  })

  test('is accepted hop by hop', async () => {
    const said = await meet({ host: 'shop', accepted: [own()] })
    expect(said.map((line) => line.split(' ')[0])).toEqual(['hop', at()])
  })
})

describe('the key of a host', () => {
  test('that has changed is never replaced, whatever is accepted', async () => {
    write(where('identity.pub'))
    const before = readFileSync(known(), 'utf8')
    await expect(meet({ accepted: [own()] })).rejects.toThrow('has changed')
    await expect(meet({ answer: 'yes' })).rejects.toThrow('has changed')
    expect(readFileSync(known(), 'utf8')).toBe(before)
  })

  test('that is revoked is never accepted', async () => {
    write(where('host_ed25519.pub'), '@revoked ')
    await expect(meet({ accepted: [own()] })).rejects.toThrow('is marked as revoked')
    await expect(meet({ answer: 'yes' })).rejects.toThrow('is marked as revoked')
  })
})
