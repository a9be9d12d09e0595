import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { fingerprint, hostKeyCheck, knownKeys } from '../../src/adapters/known-hosts.js'

const directory = mkdtempSync(join(tmpdir(), 'stepback-'))
afterAll(() => rmSync(directory, { recursive: true }))

const keyOf = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from(`ssh-ed25519${text}`)])
const [one, two] = [keyOf('one'), keyOf('two')]
const line = (names: string, key = one, type = 'ssh-ed25519') => `${names} ${type} ${key.toString('base64')} comment\n`
const matches = (names: string, host: string, port = 22) => knownKeys({ text: line(names), host, port }).length === 1

function check(text: string, host = 'aria.example', port = 22) {
  const file = join(directory, 'known_hosts')
  writeFileSync(file, text)
  return hostKeyCheck({ host, port, files: [file], target: 'shop' })
}

describe('a line of known_hosts names', () => {
  test('a host by its name, its pattern, and its port', () => {
    expect(matches('aria.example', 'ARIA.example')).toBe(true)
    expect(matches('other,aria.example', 'aria.example')).toBe(true)
    expect(matches('*.example', 'aria.example')).toBe(true)
    expect(matches('ari?.example', 'aria.example')).toBe(true)
    expect(matches('*.example,!aria.example', 'aria.example')).toBe(false)
    expect(matches('aria.example', 'aria.example', 2222)).toBe(false)
    expect(matches('[aria.example]:2222', 'aria.example', 2222)).toBe(true)
    expect(matches('[aria.example]:2222', 'aria.example')).toBe(false)
    expect(matches('aria.example', 'ariaxexample')).toBe(false)
  })

  test('an address of IPv6, bare at port 22 and in brackets at any other', () => {
    expect(matches('fe80::1', 'FE80::1')).toBe(true)
    expect(matches('[fe80::1]:2222', 'fe80::1', 2222)).toBe(true)
    expect(matches('[fe80::1]:2222', 'fe80::1')).toBe(false)
  })

  test('a host by its hash', () => {
    const salt = Buffer.alloc(20, 7)
    const hash = createHmac('sha1', salt).update('[aria.example]:2222').digest('base64')
    const hashed = `|1|${salt.toString('base64')}|${hash}`
    expect(matches(hashed, 'aria.example', 2222)).toBe(true)
    expect(matches(hashed, 'aria.example')).toBe(false)
  })

  test('nothing in a comment, an empty or a half line, or as an authority of certificates', () => {
    const text = `# aria.example ssh-ed25519 AAAA\n\naria.example ssh-ed25519\n@cert-authority ${line('*')}`
    expect(knownKeys({ text, host: 'aria.example', port: 22 })).toEqual([])
  })
})

describe('a host key', () => {
  test('is accepted when it is known, one of several', () => {
    const known = check(line('aria.example') + line('aria.example', two, 'ssh-rsa'))
    expect([known.verify(one), known.verify(two), known.verify(keyOf('three'))]).toEqual([true, true, false])
    expect(known.algorithms).toEqual({
      algorithms: { serverHostKey: ['ssh-ed25519', 'rsa-sha2-512', 'rsa-sha2-256'] },
    })
  })

  test('that is unknown is refused with its fingerprint and the command that makes it known', () => {
    const unknown = check('', 'aria.example', 2222)
    expect(unknown.verify(one)).toBe(false)
    expect(unknown.algorithms).toEqual({})
    const refusal = unknown.refusal(undefined)
    expect(refusal).toMatchObject({ type: 'Refused' })
    expect(refusal.message).toContain(fingerprint(one))
    expect(refusal.message).toContain("'[aria.example]:2222' is not known")
    expect(refusal.hint).toContain(`stepback doctor shop --accept-host-key ${fingerprint(one)}`)
    expect(refusal).toMatchObject({ offer: { name: '[aria.example]:2222', type: 'ssh-ed25519', key: one } })
  })

  test('that has changed is refused with both fingerprints', () => {
    const changed = check(line('aria.example'))
    expect(changed.verify(two)).toBe(false)
    const refusal = changed.refusal(undefined)
    expect(refusal.message).toMatch(/has changed/)
    expect(refusal.message).toContain(fingerprint(one))
    expect(refusal.message).toContain(fingerprint(two))
    expect(refusal.hint).toContain(`ssh-keygen -R 'aria.example'`)
  })

  test('that is revoked is refused, also where another line knows it', () => {
    const revoked = check(`${line('aria.example')}@revoked ${line('*')}`)
    expect(revoked.verify(one)).toBe(false)
    expect(revoked.refusal(undefined)).toMatchObject({ type: 'Refused', message: expect.stringContaining('revoked') })
  })

  test('is unknown where the file does not exist', () => {
    const none = hostKeyCheck({ host: 'aria.example', port: 22, files: [join(directory, 'none')] })
    expect(none.verify(one)).toBe(false)
  })
})
