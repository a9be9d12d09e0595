import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { SshConnection } from '../../../src/adapters/ssh.js'
import type { SshOptions } from '../../../src/adapters/ssh.js'
import { find, startSshd } from '../../support/sshd.js'
import type { Sshd } from '../../support/sshd.js'

const variable = 'STEPBACK_TEST_PASSPHRASE'
let sshd: Sshd
beforeAll(async () => {
  sshd = await startSshd()
  writeFileSync(where('locked'), readFileSync(where('identity')), { mode: 0o600 })
  writeFileSync(where('locked.pub'), readFileSync(where('identity.pub')))
  keygen('-p', '-a', '1', '-N', 'open sesame', '-P', '', '-f', where('locked'))
  keygen('-t', 'ed25519', '-N', '', '-f', where('stranger'))
})
afterEach(() => delete process.env[variable])
afterAll(() => sshd.stop())

const where = (name: string) => join(sshd.directory, name)
const keygen = (...words: string[]) => execFileSync(find('ssh-keygen', 'openssh-client'), ['-q', ...words])

async function logIn(options: Partial<SshOptions>): Promise<void> {
  const { identityFile: _, ...without } = sshd.options
  await (await SshConnection.open({ ...without, ...options })).close()
}

describe('a key with a passphrase', () => {
  const locked = () => ({ identityFile: where('locked'), passphrase: { env: variable } })

  test('is opened by the variable that is named', async () => {
    process.env[variable] = 'open sesame'
    await logIn(locked())
  })

  test('whose variable is not set, or wrong, is one error that names both and not the value', async () => {
    const refusal = { type: 'InvalidConfiguration', message: expect.stringContaining(`variable ${variable}`) }
    await expect(logIn(locked())).rejects.toMatchObject(refusal)
    process.env[variable] = 'not this'
    await expect(logIn(locked())).rejects.toMatchObject(refusal)
    await expect(logIn(locked())).rejects.toThrow(where('locked'))
    await expect(logIn(locked())).rejects.not.toThrow('not this')
  })

  test('for which none is configured is refused, too, where there is no agent', async () => {
    await expect(logIn({ identityFile: where('locked') })).rejects.toMatchObject({
      type: 'InvalidConfiguration',
      hint: expect.stringContaining('ssh.passphrase'),
    })
  })
})

describe('several keys', () => {
  test('are tried in order, those that are not there skipped', async () => {
    await logIn({ identityFiles: [where('nowhere'), where('stranger'), where('identity')] })
  })

  test('none of which is there are refused before anything is sent', async () => {
    await expect(logIn({ identityFiles: [where('nowhere')] })).rejects.toMatchObject({ type: 'InvalidConfiguration' })
    await expect(logIn({ identityFile: where('nowhere') })).rejects.toMatchObject({ type: 'InvalidConfiguration' })
  })
})

describe('an agent', () => {
  test('is asked where no key file can be used, and only for the wanted key where it holds many', async () => {
    const agentSocket = where('agent')
    const agent = spawn(find('ssh-agent', 'openssh-client'), ['-D', '-a', agentSocket], { stdio: 'ignore' })
    try {
      await expect.poll(() => existsSync(agentSocket)).toBe(true)
      const add = (file: string) =>
        execFileSync('ssh-add', ['-q', file], { env: { ...process.env, SSH_AUTH_SOCK: agentSocket }, stdio: 'ignore' })
      // More than sshd allows to be tried (MaxAuthTries 6), before the one that it knows.
      for (const index of [1, 2, 3, 4, 5, 6, 7]) {
        keygen('-t', 'ed25519', '-N', '', '-f', where(`other${index}`))
        add(where(`other${index}`))
      }
      add(where('identity'))
      await expect(logIn({ agentSocket })).rejects.toMatchObject({ type: 'Unreachable' })
      await logIn({ agentSocket, identityFile: where('locked') })
      await logIn({ agentSocket, identityFiles: [where('identity.pub')], identitiesOnly: true })
      await logIn({ agentSocket, identityFiles: [where('stranger'), where('locked')] })
    } finally {
      agent.kill()
    }
  })

  test('that is not there is named', async () => {
    await expect(logIn({ agentSocket: where('none') })).rejects.toMatchObject({
      type: 'Unreachable',
      message: expect.stringContaining('agent'),
    })
  })
})
