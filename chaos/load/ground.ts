// The hosts of a load: one real SSH server without rights of its own, and on it a directory and a stack for each target.

import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeDirectory } from '../../sandbox/remove.js'
import { type Sshd, startSshd } from '../../test/support/sshd.js'
import { dockerProgram } from './docker.js'

export const services = ['api', 'worker'] as const
export const files = { 'app/main.txt': 'version 2.0.0\n', 'app/new.txt': 'new\n' } as const

export interface Ground {
  readonly root: string
  readonly release: string
  /** Of the configuration. */
  readonly config: string
  readonly targets: readonly string[]
  backups(target: string): string
  project(target: string): string
  container(target: string, service: string): string
  remove(): Promise<void>
}

export async function makeGround(count: number): Promise<Ground> {
  const root = mkdtempSync(join(tmpdir(), 'stepback-load-'))
  const sshd = await startSshd({ path: `${root}/bin:/usr/local/bin:/usr/bin:/bin` })
  const remove = async () => {
    await sshd.stop()
    await removeDirectory(root)
  }
  return { ...lay(root, sshd, count), remove }
}

function lay(root: string, sshd: Sshd, count: number): Omit<Ground, 'remove'> {
  const at = (...parts: readonly string[]) => join(root, ...parts)
  const targets = Array.from({ length: count }, (_, index) => `t${index + 1}`)
  const ground = {
    root,
    release: at('release'),
    config: at('stepback.yaml'),
    targets,
    backups: (target: string) => at('backups', target),
    project: (target: string) => at('projects', target),
    container: (target: string, service: string) => at('state', target, service),
  }
  for (const directory of ['bin', 'state/images', 'release/app']) mkdirSync(at(directory), { recursive: true })
  writeFileSync(at('bin/docker'), dockerProgram, { mode: 0o755 })
  for (const [path, text] of Object.entries(files)) writeFileSync(at('release', path), text)
  for (const target of targets) layTarget(ground, at, target)
  writeFileSync(ground.config, configuration(sshd, ground))
  return ground
}

function layTarget(ground: Omit<Ground, 'remove'>, at: (...parts: readonly string[]) => string, target: string): void {
  const project = ground.project(target)
  for (const directory of [join(project, 'app'), ground.backups(target), at('state', target)])
    mkdirSync(directory, { recursive: true })
  const stack = { services: Object.fromEntries(services.map((it) => [it, { build: { context: '.' } }])) }
  writeFileSync(join(project, 'docker-compose.yml'), JSON.stringify(stack))
  writeFileSync(join(project, '.env'), 'KEY=own\n')
  writeFileSync(join(project, 'app/main.txt'), 'version 1.0.0\n')
  for (const service of services) {
    writeFileSync(ground.container(target, service), `${target}.${service} sha256:before yes\n`)
    writeFileSync(at('state/images', `${target}-${service}`), 'sha256:before\n')
  }
}

function configuration({ options }: Sshd, ground: Omit<Ground, 'remove'>): string {
  const { host, port, user, identityFile, knownHostsFiles } = options
  const target = (name: string) => ({
    ssh: { host, port, user, identityFile, knownHosts: knownHostsFiles },
    directory: ground.project(name),
    backups: ground.backups(name),
    compose: { project: name, files: ['docker-compose.yml'] },
    services: { application: [...services] },
    logs: { service: 'api' },
    health: { checks: [{ name: 'api', service: 'api', command: ['true'] }], timeout: '2m' },
    watch: { window: '5s' },
    emergency: { reserveBytes: 0 },
    disk: { freeBytes: 0 },
  })
  return JSON.stringify({ targets: Object.fromEntries(ground.targets.map((name) => [name, target(name)])) })
}
