// Requests, releases, restore points and hosts that are bad, as an operator with the temporal CLI meets them.

import { createHash } from 'node:crypto'
import { spawn } from 'node:child_process'
import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { parse, stringify } from 'yaml'
import { HostPool } from '../../src/adapters/hosts.js'
import { findTarget, loadConfig } from '../../src/config/load.js'
import type { Ended, Operator } from './operator.js'

/** Starts them all at once, and waits for how each ended. */
export async function meet(operator: Operator, bad: readonly Bad[], queue?: string): Promise<Ended[]> {
  return await Promise.all(
    bad.map(async ({ title, type, request }) => {
      const run = `refused-${queue ?? 'here'}-${title.replaceAll(' ', '-')}`
      await operator.start(type, run, request, queue)
      return await operator.end(run)
    }),
  )
}

export interface Bad {
  readonly title: string
  readonly type: 'deployWorkflow' | 'rollbackWorkflow'
  readonly request: object
  readonly outcome: string
  /** What the message must say. */
  readonly says: readonly string[]
}

/** Requests that are bad in themselves. */
export function badRequests(): Bad[] {
  const deploy = { target: 'aria', version: '9.9.9' }
  const bad = (title: string, request: object, outcome: string, ...says: string[]): Bad => ({
    title,
    type: 'version' in request ? 'deployWorkflow' : 'rollbackWorkflow',
    request,
    outcome,
    says,
  })
  return [
    bad('a wrong type', { ...deploy, redeploy: 'yes' }, 'InvalidRequest', 'redeploy: "yes"', 'expected boolean'),
    bad('a version for a shell', { ...deploy, version: 'a/b; id' }, 'InvalidRequest', 'version: "a/b; id"'),
    bad('an unknown revision', { ...deploy, migrateTo: 'a099' }, 'InvalidRequest', '"a099" is not known; known: a001'),
    bad(
      'an unknown revision to go back to',
      { target: 'aria', scope: 'database', to: 'a099' },
      'InvalidRequest',
      '"a099" is not known; known: a001',
    ),
    bad(
      'a service that is not there',
      { target: 'aria', scope: 'containers', services: ['nope'] },
      'Refused',
      'the compose file of now has no service "nope"',
      'mend --services',
    ),
    bad(
      'an unknown restore point',
      { target: 'aria', to: '$(id)\n-rf' },
      'Refused',
      'no restore point "$(id)',
      'there are: 2',
    ),
  ]
}

/** Releases that may not be deployed, laid out below `root`. */
export function badReleases(root: string, composeFile: string): Bad[] {
  const release = (title: string, arrange: (directory: string) => void, ...says: string[]): Bad => {
    const directory = join(root, title)
    mkdirSync(directory, { recursive: true })
    arrange(directory)
    const request = { target: 'aria', version: '9.9.9', release: directory }
    return { title, type: 'deployWorkflow', request, outcome: 'Refused', says: [directory, ...says] }
  }
  const missing = join(root, 'nowhere')
  return [
    {
      title: 'a release that is not there',
      type: 'deployWorkflow',
      request: { target: 'aria', version: '9.9.9', release: missing },
      outcome: 'Refused',
      says: [missing, 'ENOENT'],
    },
    {
      title: 'a release that is a file',
      type: 'deployWorkflow',
      request: { target: 'aria', version: '9.9.9', release: put(join(root, 'file'), 'x') },
      outcome: 'Refused',
      says: [join(root, 'file'), 'ENOTDIR'],
    },
    release('enters soul', (it) => put(join(it, 'soul/x'), 'x'), '"soul/x" lies in a protected path'),
    release('a link that leaves', (it) => symlinkSync('../../x', join(it, 'out')), 'leaves the project directory'),
    release(
      'a link into soul',
      (it) => symlinkSync('soul', join(it, 'in')),
      '"in" leads to "soul", which enters a protected path',
    ),
    release(
      'a file for a directory',
      (it) => put(join(it, 'aria_mind'), 'x'),
      'a directory is where a file should be: aria_mind',
    ),
    release('a huge file', (it) => huge(join(it, 'dump')), '"dump" has 300000000 bytes, more than release.fileBytes'),
    release(
      'a compose file that nobody can read',
      (it) => put(join(it, composeFile), 'services: ['),
      'cannot read the compose file',
    ),
  ]
}

/** Ways to damage a restore point in the backups directory: each says what is then wrong with it. */
export function damages(
  id: string,
): readonly { readonly file: string; readonly damage: (file: string) => void; readonly says: string }[] {
  const dump = `db_${id}.dump`
  const flip = (file: string) => {
    const bytes = readFileSync(file)
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(file, bytes)
  }
  const other = `${dump} has another checksum`
  return [
    { file: dump, damage: flip, says: other },
    { file: dump, damage: (file) => truncateSync(file, 1000), says: `${other} than the recorded one (1000 bytes)` },
    { file: dump, damage: (file) => truncateSync(file, 0), says: `${other} than the recorded one (0 bytes)` },
    { file: dump, damage: (file) => rmSync(file), says: `${dump} is missing` },
    { file: `config_${id}.tar.gz`, damage: flip, says: `config_${id}.tar.gz has another checksum` },
    {
      file: `manifest_${id}.json`,
      damage: (file) => truncateSync(file, 100),
      says: `manifest_${id}.json" cannot be read: not JSON`,
    },
    {
      file: `manifest_${id}.json`,
      damage: (file) =>
        writeFileSync(file, readFileSync(file, 'utf8').replace(/"state": "\w+"/, '"state": "of-later"')),
      says: `manifest_${id}.json" cannot be read: state: expected taken or`,
    },
  ]
}

/** Damages one file for as long as the work takes. */
export async function damaged<T>(file: string, damage: (file: string) => void, work: () => Promise<T>): Promise<T> {
  const whole = `${file}.whole`
  copyFileSync(file, whole)
  try {
    damage(file)
    return await work()
  } finally {
    renameSync(whole, file)
  }
}

/** Hosts that cannot be reached, or are not who they should be, and one that is too full; a worker of their own. */
export function badHosts(
  operator: Operator,
  root: string,
): { readonly queue: string; readonly bad: Bad[]; stop(): void } {
  const queue = 'bad-hosts'
  const config = parse(readFileSync(operator.sandbox.config, 'utf8'))
  const { aria } = config.targets
  const [known] = aria.ssh.knownHosts as [string]
  const knownHosts = (name: string, text: string) => [put(join(root, name), text)]
  const line = readFileSync(known, 'utf8')
  const elsewhere = (name: string, ssh: object) => ({
    ...aria,
    directory: `/nowhere/${name}`,
    backups: `/nowhere/${name}-backups`,
    compose: { ...aria.compose, project: name },
    ssh: { ...aria.ssh, ...ssh },
  })
  config.temporal.taskQueue = queue
  delete config.metrics // their port is the other worker's, and it would wait for it
  config.targets = {
    aria: { ...aria, disk: { freeBytes: 1e15 } },
    closed: elsewhere('closed', { port: 1 }),
    nameless: elsewhere('nameless', { host: 'nowhere.invalid' }),
    unknown: elsewhere('unknown', { knownHosts: knownHosts('none', '') }),
    changed: elsewhere('changed', {
      knownHosts: knownHosts(
        'other',
        line.replace(/(?<=AAAAC3NzaC1lZDI1NTE5AAAAI.{8})./, (it) => (it === 'A' ? 'B' : 'A')),
      ),
    }),
    revoked: elsewhere('revoked', { knownHosts: knownHosts('revoked', `${line}@revoked ${line}`) }),
  }
  const file = put(join(root, 'bad-hosts.yaml'), stringify(config))
  const [program, ...words] = operator.sandbox.processes.worker!.command
  const worker = spawn(
    program!,
    words.map((it) => (it === operator.sandbox.config ? file : it)),
    { stdio: 'ignore' },
  )
  const refused = (target: string, ...says: string[]): Bad => ({
    title: target,
    type: 'rollbackWorkflow',
    request: { target },
    outcome: 'Refused',
    says,
  })
  return {
    queue,
    bad: [
      refused('aria', 'disk:', 'needed'),
      refused('closed', 'cannot connect to', 'ECONNREFUSED'),
      refused('nameless', 'nowhere.invalid', 'ENOTFOUND'),
      refused('unknown', 'host key', 'is not known'),
      refused('changed', 'host key', 'changed'),
      refused('revoked', 'host key', 'revoked'),
    ],
    stop: () => worker.kill('SIGKILL'),
  }
}

/** All that a refused run must leave as it is; backups, lease and ledger lie in the project directory, too. */
export async function everything(operator: Operator): Promise<object> {
  const { config, directory, backups } = operator.sandbox
  const pool = new HostPool()
  try {
    const host = pool.host(findTarget(loadConfig(config), 'aria'))
    const { stdout } = await host.look({ script: "docker ps --all --no-trunc --format '{{.ID}} {{.State}}'\n" })
    const files = { ...tree(directory), ...tree(backups) }
    return { files, databases: await operator.databases(), rows: await operator.rows(), containers: stdout }
  } finally {
    await pool.close()
  }
}

function tree(root: string): Record<string, string> {
  const found = readdirSync(root, { recursive: true, encoding: 'utf8' })
  // The script of a look lies there as long as the look takes, and a refusal does not wait for the looks beside it.
  // The audit record says that somebody was refused.
  const names = found.filter((name) => !/staging\/\.t\.|\.stepback\/[^/]+\/audit\//.test(name))
  return Object.fromEntries(names.map((name) => [join(root, name), contentOf(join(root, name))]))
}

function contentOf(file: string): string {
  const found = lstatSync(file)
  if (found.isSymbolicLink()) return readlinkSync(file)
  if (found.isDirectory()) return 'directory'
  return `${found.mode.toString(8)} ${createHash('sha256').update(readFileSync(file)).digest('hex')}`
}

function put(file: string, text: string): string {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

/** Of its size, and without content. */
function huge(file: string): void {
  writeFileSync(file, '')
  truncateSync(file, 300_000_000)
}
