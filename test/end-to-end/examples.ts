// The examples as their files have them, on the engine and the SSH server of a sandbox: only hosts, paths, ports and
// images are the sandbox's own.

import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse, stringify } from 'yaml'
import { baseImage } from '../../sandbox/install/image.js'
import { packageRoot } from '../../sandbox/paths.js'
import { freePorts } from '../../sandbox/ports.js'
import { type Sandbox } from '../../sandbox/index.js'
import { run } from '../../sandbox/run.js'

export interface Example {
  /** The name of its only target. */
  readonly target: string
  /** On the host. */
  readonly directory: string
  readonly project: string
  readonly web: string
  /** A copy of its release under another version, with more files. */
  readonly release: (version: string, more?: Readonly<Record<string, string>>) => string
}

interface Configured {
  readonly compose: object
  readonly health: { readonly checks: readonly { readonly url?: string }[] }
  readonly version?: { readonly url: string }
  readonly database: object
}

/** Lays out both examples that have a release, starts them as their owners did, and returns their configuration. */
export async function startExamples(sandbox: Sandbox, root: string, env: NodeJS.ProcessEnv) {
  const { stdout } = await run(
    ['docker', 'ps', '--filter', 'label=com.docker.compose.service=aria-db', '--format', '{{.Image}}'],
    { env },
  )
  const image = stdout.split('\n')[0]!
  const notes = await layOut({ sandbox, root, image, name: 'web-app' })
  const tasks = await layOut({ sandbox, root, image, name: 'own-migrations' })
  const config = join(root, 'examples.yaml')
  const temporal = { address: sandbox.temporal.address, namespace: 'default', taskQueue: 'examples' }
  writeFileSync(config, stringify({ temporal, targets: { ...notes.targets, ...tasks.targets } }))
  for (const { example } of [notes, tasks]) await composed(example, env, 'up', '--detach', '--build')
  return { config, notes: notes.example, tasks: tasks.example }
}

export async function removeExample(example: Example, env: NodeJS.ProcessEnv): Promise<void> {
  await composed(example, env, 'down', '--volumes', '--timeout', '1')
}

async function composed({ directory, project }: Example, env: NodeJS.ProcessEnv, ...words: string[]): Promise<void> {
  await run(['docker', 'compose', '--project-name', project, '--project-directory', directory, ...words], { env })
}

async function layOut(input: {
  readonly sandbox: Sandbox
  readonly root: string
  readonly image: string
  readonly name: string
}): Promise<{ readonly example: Example; readonly targets: object }> {
  const { sandbox, root, name } = input
  const source = join(packageRoot(), 'examples', name)
  const directory = join(root, name)
  cpSync(join(source, 'release'), directory, { recursive: true })
  const [db, web] = (await freePorts(2)) as [number, number]
  // The sandbox's engine has no default network.
  const own = [
    'BUILD_NETWORK=none',
    `DB_IMAGE=${input.image}`,
    `BASE_IMAGE=${baseImage}`,
    `DB_PORT=${db}`,
    `WEB_PORT=${web}`,
  ]
  writeFileSync(
    join(directory, '.env'),
    [readFileSync(join(source, 'env.example'), 'utf8').trimEnd(), ...own, ''].join('\n'),
  )
  const read = parse(readFileSync(join(source, 'stepback.yaml'), 'utf8')) as { targets: Record<string, Configured> }
  const [[target, configured]] = Object.entries(read.targets) as [[string, Configured]]
  const project = `${target}-${web}`
  const { host, port, user, identityFile } = sandbox.ssh
  const here = JSON.parse(JSON.stringify(configured).replaceAll(':8000/', `:${web}/`)) as Configured
  const changed = {
    ...here,
    ssh: { host, port, user, identityFile, knownHosts: [join(dirname(identityFile), 'known_hosts')] },
    directory,
    backups: join(directory, 'backups'),
    compose: { ...here.compose, project },
    database: { ...here.database, port: db },
    watch: { window: '1s', interval: '1s', failures: 1 },
    disk: { freeBytes: 1_000_000 },
  }
  const release: Example['release'] = (version, more = {}) => {
    const to = join(root, 'releases', name, version)
    cpSync(join(source, 'release'), to, { recursive: true })
    for (const [path, text] of Object.entries({ VERSION: `${version}\n`, ...more })) {
      mkdirSync(dirname(join(to, path)), { recursive: true })
      writeFileSync(join(to, path), text)
    }
    return to
  }
  const example = { target, directory, project, web: `http://127.0.0.1:${web}`, release }
  return { example, targets: { [target]: changed } }
}
