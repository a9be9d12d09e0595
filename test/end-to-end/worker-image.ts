// The worker in a container, as docker-compose.temporal.yml has it and docs/production.md says, on the engine and the
// servers of a sandbox. Only the image that it is built on is made here, since there may be no registry.

import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { baseImage } from '../../sandbox/install/image.js'
import { which } from '../../sandbox/install/apt.js'
import { type Sandbox } from '../../sandbox/index.js'
import { run } from '../../sandbox/run.js'
import { unpackPackage } from '../support/packed.js'

export interface ContainedWorker {
  /** Builds the image, starts the worker, and waits until its container is healthy. */
  readonly start: () => Promise<void>
  /** A command of stepback, in a container of its own; what it prints. */
  readonly stepback: (...words: string[]) => Promise<string>
  /** A command in the worker's container. */
  readonly inside: (...words: string[]) => Promise<string>
  readonly remove: () => Promise<void>
}

/** Lays out what `docs/production.md` lays out, with a configuration whose key and known hosts are the sandbox's. */
export function containedWorker(input: {
  readonly sandbox: Sandbox
  readonly root: string
  readonly env: NodeJS.ProcessEnv
  readonly project: string
  readonly namespace: string
  readonly config: string
  /** For `worker.env`. */
  readonly variables: Readonly<Record<string, string>>
}): ContainedWorker {
  const { sandbox, root, project } = input
  const source = join(root, 'package')
  const home = directory(root, 'stepback')
  const secrets = directory(root, 'secrets')
  const uid = process.getuid!() || 1000
  const secret = (from: string, name: string) => {
    cpSync(from, join(secrets, name))
    chmodSync(join(secrets, name), 0o600)
    chownSync(join(secrets, name), uid, uid)
  }
  const { identityFile } = sandbox.ssh
  const knownHosts = join(dirname(identityFile), 'known_hosts')
  secret(identityFile, 'ssh_key')
  secret(knownHosts, 'known_hosts')
  writeFileSync(join(secrets, 'temporal_db_password'), 'not used\n')
  const config = readFileSync(input.config, 'utf8')
    .replaceAll(identityFile, '/run/secrets/ssh_key')
    .replaceAll(knownHosts, '/run/secrets/known_hosts')
  writeFileSync(join(home, 'stepback.yaml'), config)
  const profile = { address: sandbox.temporal.address, namespace: input.namespace }
  const pairs = Object.entries(profile).map(([key, value]) => `${key} = "${value}"\n`)
  writeFileSync(join(home, 'temporal.toml'), `[profile.default]\n${pairs.join('')}`)
  const lines = Object.entries(input.variables).map(([key, value]) => `${key}='${value}'\n`)
  writeFileSync(join(home, 'worker.env'), lines.join(''))
  // The engine of the sandbox has no network but the host's, where its SSH server and Temporal are, too.
  const nodeImage = `${project}-node`
  const override = join(root, 'here.yml')
  const build = { network: 'host', args: { NODE_IMAGE: nodeImage } }
  writeFileSync(override, stringify({ services: { 'stepback-worker': { build, network_mode: 'host' } } }))

  const files = ['--file', join(source, 'docker-compose.temporal.yml'), '--file', override]
  const env = {
    ...input.env,
    STEPBACK_SOURCE: source,
    STEPBACK_HOME: home,
    STEPBACK_SECRETS: secrets,
    STEPBACK_RELEASES: directory(root, 'releases'),
    STEPBACK_UID: String(uid),
    STEPBACK_GID: String(uid),
  }
  const compose = async (...words: string[]) =>
    (await run(['docker', 'compose', '--project-name', project, ...files, ...words], { env })).stdout
  return {
    start: async () => {
      unpackPackage(source, root)
      await buildNodeImage(join(root, 'node'), nodeImage, env)
      await compose('up', '--detach', '--build', '--no-deps', '--wait', 'stepback-worker')
    },
    stepback: (...words) => compose('run', '--rm', '--no-deps', '--no-TTY', 'stepback-worker', ...words),
    inside: (...words) => compose('exec', '--no-TTY', 'stepback-worker', ...words),
    remove: async () => void (await compose('down', '--timeout', '20', '--rmi', 'all')),
  }
}

function directory(root: string, name: string): string {
  mkdirSync(join(root, name))
  return join(root, name)
}

/** Node as it is here, with the npm and the certificates that are here: what `node:<version>-slim` is elsewhere. */
async function buildNodeImage(context: string, tag: string, env: NodeJS.ProcessEnv): Promise<void> {
  mkdirSync(context, { recursive: true })
  cpSync(realpathSync(process.execPath), join(context, 'node'))
  cpSync(dirname(dirname(realpathSync((await which('npm'))!))), join(context, 'npm'), { recursive: true })
  const { NODE_EXTRA_CA_CERTS: extra } = process.env
  cpSync(extra ?? '/etc/ssl/certs/ca-certificates.crt', join(context, 'ca-certificates.crt'))
  const { stdout } = await run(['npm', 'config', 'get', 'registry'], { env })
  writeFileSync(join(context, 'npmrc'), `registry=${stdout.trim()}\ncafile=/etc/ssl/certs/ca-certificates.crt\n`)
  const lines = [
    `FROM ${baseImage}`,
    'COPY node /usr/local/bin/node',
    'COPY npm /usr/local/lib/node_modules/npm',
    'COPY npmrc /usr/local/etc/npmrc',
    'COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt',
    'RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm',
  ]
  writeFileSync(join(context, 'Dockerfile'), `${lines.join('\n')}\n`)
  await run(['docker', 'build', '--quiet', '--tag', tag, context], { env })
}
