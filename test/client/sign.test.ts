import { verify } from 'node:crypto'
import { expect, test } from 'vitest'
import { sign } from '../../src/client/sign.js'
import type { Progress } from '../../src/plan/progress.js'
import { keyPair } from '../support/people.js'

const digest = `sha256:${'3fa94c21'.repeat(8)}`
const { publicKey, privateKey } = keyPair()
const at = (signs?: string) =>
  ({ gate: { asks: 'approve', why: '', until: '', ...(signs ? { signs } : {}) } }) as unknown as Progress
const text = `stepback approve run-1 6f1c 1 ${digest}`

test('what is signed is the text of the gate and the name, and a key of openssl does it', () => {
  const signature = sign('run-1', { by: 'ann', digest: '3fa94c21' }, at(text), privateKey)
  expect(verify(null, Buffer.from(`${text} ann`), publicKey, Buffer.from(signature, 'base64'))).toBe(true)
})

test.each([
  ['where no plan is named', { by: 'ann' }, at(text), 'digest: missing; it says which plan is signed'],
  ['where the gate has another plan', { by: 'ann', digest: '00000000' }, at(text), `digest: this plan's is ${digest}`],
  [
    'where a worker shows the text of another run',
    { by: 'ann', digest },
    at(text.replace('run-1', 'run-2')),
    'a worker shows the text of another run',
  ],
  ['where nothing waits for a signature', { by: 'ann', digest }, at(), 'run "run-1" waits for no signature'],
])('nothing is signed %s', (_where, input, progress, message) => {
  expect(() => sign('run-1', input, progress, privateKey)).toThrow(message)
})

test('a key that is none is refused without a word of it', () => {
  const bad = privateKey.replace(/A/g, 'B').replace('PRIVATE', 'PRIVAT')
  expect(() => sign('run-1', { by: 'ann', digest }, at(text), bad)).toThrow(
    'the key is no Ed25519 private key in PEM without a passphrase\nhint: make one: openssl genpkey',
  )
})
