// How files change, told by their keys: read over a real SSH server, with values that must not be told.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { changeByRelease, changeOnWayBack } from '../../src/activities/observe/file-changes.js'
import { Look } from '../../src/activities/observe/look.js'
import { compose } from '../../src/composition.js'
import { configSchema } from '../../src/config/schema.js'
import { planNotes } from '../../src/plan/plan.js'
import type { WayBack } from '../../src/plan/way-back.js'
import { deployPlan } from '../support/plans.js'
import { type Sshd, startSshd } from '../support/sshd.js'

let sshd: Sshd
let look: Look
let close: () => Promise<void>
const root = mkdtempSync(join(tmpdir(), 'stepback-changes-'))
const directory = join(root, "it's live")
const backups = join(root, 'backups')

beforeAll(async () => {
  sshd = await startSshd()
  for (const path of [directory, backups, join(root, 'release')]) mkdirSync(path)
  const { host, port, user, identityFile, knownHostsFiles: knownHosts } = sshd.options
  const shop = {
    ssh: { host, port, user, identityFile, knownHosts, config: '/dev/null' },
    directory,
    backups,
    compose: { project: 'shop', files: ['docker-compose.yml'] },
    services: { application: ['api'] },
  }
  const config = configSchema.parse({ targets: { shop } })
  const composition = compose({ config, namespace: 'default' })
  close = composition.close
  look = await Look.at(composition.deps, 'shop')
})
afterAll(async () => {
  await close?.()
  await sshd?.stop()
  rmSync(root, { recursive: true, force: true })
})

const secret = 'hunter2-hunter2'

async function byRelease(path: string, live: string | null, brought: string) {
  const file = join(root, 'release', path)
  rmSync(join(directory, path), { force: true })
  if (live !== null) writeFileSync(join(directory, path), live)
  writeFileSync(file, brought)
  return await changeByRelease(look, { path, file, bytes: brought.length })
}

test('a file of settings is told by its keys, and no value is', async () => {
  const live = `services: { api: { image: a, environment: { TOKEN: ${secret} } }, old: {} }\n`
  const brought = `services: { api: { image: b, environment: { TOKEN: other-${secret} } }, new: {} }\n`
  const change = await byRelease('docker-compose.yml', live, brought)
  expect(change).toEqual({
    path: 'docker-compose.yml',
    how: 'changes',
    added: ['services.new'],
    removed: ['services.old'],
    changed: ['services.api.image', 'services.api.environment.TOKEN'],
  })
  const notes = planNotes({ ...deployPlan(), configuration: [change!] })
  expect(notes).toContain(
    'docker-compose.yml changes: +services.new, -services.old, ~services.api.image, ~services.api.environment.TOKEN',
  )
  expect(JSON.stringify([change, notes])).not.toContain(secret)
})

test('one that is new comes, one that is the same is not told, and text without keys is only named', async () => {
  expect(await byRelease('models.json', null, '{"a": 1}')).toMatchObject({ how: 'comes', added: ['a'] })
  expect(await byRelease('models.json', '{"a": 1}', '{"a": 1}')).toBeNull()
  const named = { added: [], removed: [], changed: [] }
  expect(await byRelease('motd.txt', secret, `${secret}!`)).toEqual({ path: 'motd.txt', how: 'changes', ...named })
  expect(await byRelease('broken.yml', 'a: [', 'a: {')).toEqual({ path: 'broken.yml', how: 'changes', ...named })
})

test('on the way back a file changes, comes back, or goes', async () => {
  const saved = (path: string, text: string, kind?: 'link') => {
    writeFileSync(join(backups, `config_${path}`), text)
    return { name: `config_${path}`, path, sha256: '', bytes: text.length, mode: '0644', ...(kind ? { kind } : {}) }
  }
  writeFileSync(join(directory, 'models.yaml'), `a: { key: ${secret} }\nb: 1\n`)
  symlinkSync('models.yaml', join(directory, 'link.yaml'))
  const files = [
    saved('models.yaml', 'a: { key: old }\n'),
    saved('gone.yaml', 'x: 1\n'),
    saved('link.yaml', '', 'link'),
  ]
  const way = { files, absent: ['new.yaml'], sources: [] } as unknown as WayBack
  const back = (path: string) => changeOnWayBack(look, way, [], path)
  expect(await back('models.yaml')).toMatchObject({ how: 'changes', removed: ['b'], changed: ['a.key'] })
  expect(await back('gone.yaml')).toMatchObject({ how: 'comes back', added: ['x'] })
  expect(await back('link.yaml')).toMatchObject({ how: 'changes', added: [], changed: [] })
  expect(await back('new.yaml')).toMatchObject({ how: 'goes' })
})
