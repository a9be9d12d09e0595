import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hostSettings } from '../../../src/adapters/ssh/config.js'
import { routeTo } from '../../../src/adapters/ssh/route.js'
import { SshConnection } from '../../../src/adapters/ssh.js'
import { startSshd } from '../../support/sshd.js'
import type { Sshd } from '../../support/sshd.js'

let sshd: Sshd
beforeAll(async () => {
  sshd = await startSshd()
  const key = readFileSync(where('host_ed25519.pub'), 'utf8')
  const strange = readFileSync(where('identity.pub'), 'utf8')
  writeFileSync(where('known'), `shop ${key}hop-one ${key}hop-two ${key}impostor ${strange}`)
  writeFileSync(where('config'), configText())
})
afterAll(() => sshd.stop())

const where = (name: string) => join(sshd.directory, name)
const target = (host: string, more: object = {}) => ({ name: 'shop', ssh: { host, config: where('config'), ...more } })
const logins = () => readFileSync(where('log'), 'utf8').split('Accepted publickey').length - 1

// One server plays every host: the names under which their keys are known tell them apart.
function configText(): string {
  return `
Host shop behind-one behind-two behind-impostor listed
  HostKeyAlias shop
Host hop-one
  HostKeyAlias hop-one
Host hop-two
  HostKeyAlias hop-two
Host impostor
  HostKeyAlias impostor

Host behind-one hop-two impostor
  ProxyJump hop-one
Host behind-two
  ProxyJump hop-two
Host behind-impostor
  ProxyJump impostor
Host listed
  ProxyJump hop-one,${userInfo().username}@hop-two:${sshd.port}
Host round
  ProxyJump round
Host commanded
  ProxyCommand nc %h %p

Host *
  HostName 127.0.0.1
  Port ${sshd.port}
  User ${userInfo().username}
  IdentityFile ${where('nowhere')}
  IdentityFile ${where('identity')}
  UserKnownHostsFile ${where('known')}
`
}

/** The server's process of the first login that lives: with one connection through a hop, the hop's. */
function oldestLogin(): number {
  const children = execFileSync('ps', ['-o', 'pid=', '--ppid', readFileSync(where('pid'), 'utf8').trim()])
  return Math.min(...children.toString().trim().split(/\s+/).map(Number))
}

async function visit(host: string): Promise<{ readonly where: string; readonly logins: number }> {
  const before = logins()
  const ssh = await SshConnection.open(await routeTo(target(host)))
  const { where: seen } = ssh
  expect((await ssh.exec({ command: 'echo there' })).stdout.toString()).toBe('there\n')
  await ssh.close()
  return { where: seen, logins: logins() - before }
}

describe('an alias of the SSH configuration', () => {
  test('leads to its host, port and user, with its keys', async () => {
    expect(await visit('shop')).toEqual({
      where: `shop (${userInfo().username}@127.0.0.1:${sshd.port})`,
      logins: 1,
    })
  })

  test('gives way to what stepback.yaml says', async () => {
    const route = await routeTo(
      target('shop', { port: 2222, user: 'deploy', identityFile: '/key', knownHosts: ['/known'] }),
    )
    expect(route).toMatchObject({
      alias: 'shop',
      host: '127.0.0.1',
      port: 2222,
      user: 'deploy',
      identityFile: '/key',
      knownHostsFiles: ['/known'],
    })
  })

  test('leads through one hop, through a hop of a hop, and through a list of them', async () => {
    expect((await visit('behind-one')).logins).toBe(2)
    expect((await visit('behind-two')).logins).toBe(3)
    const listed = await visit('listed')
    expect(listed.logins).toBe(3)
    expect(listed.where).toMatch(/^listed .* through hop-two .* through hop-one /)
  })

  test('is refused where the second hop shows another key than its own', async () => {
    const before = logins()
    await expect(visit('behind-impostor')).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringContaining("'impostor' has changed"),
    })
    expect(logins() - before).toBe(1)
  })

  test('ends with its hop', async () => {
    const ssh = await SshConnection.open(await routeTo(target('behind-one')))
    const running = ssh.exec({ command: 'sleep 60' })
    process.kill(oldestLogin())
    await expect(running).rejects.toMatchObject({ type: 'Unreachable' })
    expect(ssh.closed).toBe(true)
  })

  test('that jumps through itself, or is reached by a command, is refused', async () => {
    await expect(routeTo(target('round'))).rejects.toMatchObject({
      message: expect.stringContaining('more than 8 hops'),
    })
    await expect(routeTo(target('commanded'))).rejects.toMatchObject({
      type: 'InvalidConfiguration',
      message: expect.stringContaining("'commanded' is reached by a ProxyCommand"),
    })
  })

  test('cannot be looked up in a file that OpenSSH would not take', async () => {
    writeFileSync(where('broken'), 'Hots shop\n')
    for (const config of [where('broken'), where('no-file')]) {
      await expect(routeTo(target('shop', { config }))).rejects.toMatchObject({ type: 'InvalidConfiguration' })
    }
  })
})

describe.each([
  ['OpenSSH', 'ssh'],
  ['a worker without OpenSSH', '/nonexistent/ssh'],
])('the SSH configuration as %s reads it', (_, program) => {
  const read = (host: string, text: string) => {
    writeFileSync(where('read'), text)
    return hostSettings({ host, configFile: where('read') }, program)
  }

  test('gives all that a connection needs', async () => {
    const text = `Host shop
  HostName shop.test
  User deploy
  Port 2222
  IdentityFile "~/my keys/%r at %h"
  IdentityFile %d/.ssh/second
  IdentitiesOnly yes
  IdentityAgent none
  HostKeyAlias the-shop
  UserKnownHostsFile "/etc/a b/known" ~/.ssh/known
  ProxyJump a@hop:2022,[fe80::1]:23
`
    expect(await read('shop', text)).toMatchObject({
      host: 'shop.test',
      port: 2222,
      user: 'deploy',
      identityFiles: [join(homedir(), 'my keys/deploy at shop.test'), join(homedir(), '.ssh/second')],
      identitiesOnly: true,
      agentSocket: undefined,
      hostKeyAlias: 'the-shop',
      proxyJump: 'a@hop:2022,[fe80::1]:23',
    })
    expect((await read('shop', text)).knownHostsFiles.slice(0, 2)).toEqual([
      '/etc/a b/known',
      join(homedir(), '.ssh/known'),
    ])
  })

  test('has the usual answers for a host that it does not name', async () => {
    const settings = await read('[fe80::1]', 'Host shop\n  User deploy\n')
    expect(settings).toMatchObject({ host: 'fe80::1', port: 22, user: userInfo().username, proxyJump: undefined })
    expect(settings.identityFiles).toContain(join(homedir(), '.ssh/id_ed25519'))
    expect(settings.knownHostsFiles[0]).toBe(join(homedir(), '.ssh/known_hosts'))
  })
})

test('what only OpenSSH can read is refused where it is missing', async () => {
  for (const line of ['Include other', 'Match host shop\n  User deploy', 'Host shop\n  CanonicalizeHostname yes']) {
    writeFileSync(where('read'), `${line}\n`)
    const settings = hostSettings({ host: 'shop', configFile: where('read') }, '/nonexistent/ssh')
    await expect(settings).rejects.toMatchObject({ hint: expect.stringContaining('install OpenSSH') })
  }
})
