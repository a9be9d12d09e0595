import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDirectory } from '../paths.js'
import { attempt } from '../run.js'
import { canInstall, foreignRelease, installPackages, unpackPackages, which } from './apt.js'

/** How the sandbox comes to its Docker Engine and to Compose. */
export interface DockerTools {
  /** A daemon that answers by itself is used as it is; else this one is started by the sandbox. */
  readonly dockerd: string | undefined
  /** Directories to put before the PATH. */
  readonly path: readonly string[]
  /** The Compose plugin, where the client has none by itself. */
  readonly compose: string | undefined
}

/** `own` keeps to the sandbox's own engine once there is one: another that answers later knows nothing of it. */
export async function dockerTools(own = false): Promise<DockerTools> {
  const engine = !own && (await engineAnswers()) ? theirs : await dockerEngine()
  const hasCompose = (await attempt(['docker', 'compose', 'version'])).code === 0
  return { ...engine, compose: hasCompose ? undefined : await composePlugin() }
}

type Engine = Omit<DockerTools, 'compose'>

const theirs: Engine = { dockerd: undefined, path: [] }

async function engineAnswers(): Promise<boolean> {
  return (await attempt(['docker', 'version', '--format', '{{.Server.Version}}'])).code === 0
}

const manual = [
  'no Docker Engine answers, and it cannot be installed from here: that needs root on Debian.',
  'hint: install Docker (Engine or Desktop), start it, and run this again; or run it as root.',
].join('\n')

async function dockerEngine(): Promise<Engine> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) throw new Error(manual)
  const known = await which('dockerd')
  if (known && (await which('iptables')) && (await which('containerd'))) return { dockerd: known, path: [] }
  const installed = await installPackages(['docker.io', 'iptables'], manual).then(
    () => which('dockerd'),
    () => undefined,
  )
  if (!installed) return unpackedEngine()
  // where there is an init system, the package has started its own engine
  return (await engineAnswers()) ? theirs : { dockerd: installed, path: [] }
}

/** Where docker.io conflicts with another vendor's packages: beside them, in the cache. */
async function unpackedEngine(): Promise<Engine> {
  const into = join(cacheDirectory(), 'docker.io')
  const dockerd = join(into, 'usr/sbin/dockerd')
  await installPackages(['iptables'], manual)
  if (!existsSync(dockerd)) await unpackPackages({ packages: ['docker.io', 'containerd', 'runc', 'tini'], into })
  return { dockerd, path: [join(into, 'usr/bin'), join(into, 'usr/sbin')] }
}

/** Debian 12 has only the old Compose; the one of Debian 13 is a single program that runs there, too. */
async function composePlugin(): Promise<string> {
  const home = join(cacheDirectory(), 'compose')
  const known = findPlugin(home)
  if (known) return known
  if (!(await canInstall())) throw new Error('"docker compose" does not work: install the Compose plugin of Docker')
  const unfinished = `${home}.${process.pid}`
  const { options } = await foreignRelease('trixie')
  await unpackPackages({ packages: ['docker-compose'], into: unfinished, options })
  rmSync(home, { recursive: true, force: true })
  renameSync(unfinished, home)
  const plugin = findPlugin(home)
  if (!plugin) throw new Error('the package docker-compose holds no "docker-compose" program')
  return plugin
}

function findPlugin(home: string): string | undefined {
  if (!existsSync(home)) return undefined
  const entries = readdirSync(home, { recursive: true, withFileTypes: true })
  const found = entries.find((it) => it.isFile() && it.name === 'docker-compose' && it.parentPath.includes('usr/'))
  return found && join(found.parentPath, found.name)
}
