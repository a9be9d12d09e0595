import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DockerTools } from './install/docker.js'
import type { SandboxPaths } from './paths.js'
import { type OwnProcess, findProcess, startProcess, stopProcess } from './processes.js'
import { attempt, run, waitFor } from './run.js'

/** Variables that lead a `docker` to the sandbox's engine and Compose; also those of its SSH sessions. */
export function dockerVariables(paths: SandboxPaths, tools: DockerTools): Record<string, string> {
  const path = [...tools.path, process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', '/usr/sbin:/sbin'].join(':')
  const host = tools.dockerd ? `unix://${socketPath(paths)}` : process.env['DOCKER_HOST']
  return {
    PATH: path,
    ...(host && { DOCKER_HOST: host }),
    ...(tools.compose && { DOCKER_CONFIG: join(paths.docker, 'config') }),
  }
}

/** Makes Compose known to the client, by a configuration directory of the sandbox's own. */
export function configureClient(paths: SandboxPaths, tools: DockerTools): void {
  if (!tools.compose) return
  const plugins = join(paths.docker, 'config', 'cli-plugins')
  const plugin = join(plugins, 'docker-compose')
  mkdirSync(plugins, { recursive: true })
  rmSync(plugin, { force: true })
  symlinkSync(tools.compose, plugin)
  writeFileSync(join(paths.docker, 'config', 'config.json'), '{}\n')
}

/** Brings up the sandbox's own engine; it leaves the machine's firewall, forwarding and default bridge alone. */
export async function startDockerd(
  paths: SandboxPaths,
  tools: DockerTools & { readonly dockerd: string },
  known: OwnProcess | undefined,
): Promise<OwnProcess> {
  const log = join(paths.logs, 'dockerd.log')
  const variables = dockerVariables(paths, tools)
  const env = { ...process.env, ...variables }
  const found = await findProcess(known)
  if (!found) prepare(paths)
  const started = found ?? (await startProcess({ command: dockerdCommand(paths, tools), log, env }))
  const ready = async () => (await attempt(['docker', 'version'], { env })).code === 0
  await waitFor(`dockerd (see ${log})`, ready, { timeoutMs: 30_000 })
  return started
}

/** An engine that was killed leaves its containers behind; only another one on its data can remove those. */
export async function reviveDockerd(paths: SandboxPaths, tools: DockerTools, known: OwnProcess): Promise<OwnProcess> {
  const { dockerd } = tools
  if (!dockerd) return known
  return startDockerd(paths, { ...tools, dockerd }, known).catch(() => known)
}

/** Ends the engine and removes all that it wrote, mounts first: a data root with mounts in it cannot be removed. */
export async function removeDockerd(paths: SandboxPaths, known: OwnProcess | undefined): Promise<void> {
  await stopProcess(known, 30_000)
  const mounts = () => mountsBelow([paths.docker, paths.run])
  for (const mount of mounts()) await attempt(['umount', '-l', mount])
  rmSync(paths.docker, { recursive: true, force: true })
  rmSync(paths.run, { recursive: true, force: true })
}

function dockerdCommand(paths: SandboxPaths, tools: DockerTools & { readonly dockerd: string }): string[] {
  // variables in the command, not around it: whoever starts it again has them, too
  const env = tools.path.length > 0 ? ['/usr/bin/env', `PATH=${dockerVariables(paths, tools)['PATH']}`] : []
  return [
    ...env,
    tools.dockerd,
    `--host=unix://${socketPath(paths)}`,
    `--data-root=${join(paths.docker, 'data')}`,
    `--exec-root=${join(paths.run, 'exec')}`,
    `--pidfile=${join(paths.run, 'dockerd.pid')}`,
    // published ports come through the userland proxy, so nothing of the host's network has to change
    '--iptables=false',
    '--ip6tables=false',
    '--ip-forward=false',
    '--ip-masq=false',
    '--bridge=none',
    // an engine that is killed and started again finds its containers running; without this it would stop them, and
    // then take them for stopped by hand
    '--live-restore',
    `--default-address-pool=base=${addressPool(paths)},size=24`,
    '--log-opt=max-size=1m',
    '--log-level=warn',
  ]
}

/** A private range of this sandbox's own: engines side by side do not know of each other's networks. */
function addressPool(paths: SandboxPaths): string {
  return `10.${64 + (Number.parseInt(paths.run.slice(-2), 16) % 128)}.0.0/16`
}

function socketPath(paths: SandboxPaths): string {
  return join(paths.run, 'docker.sock')
}

function prepare(paths: SandboxPaths): void {
  for (const directory of [paths.run, paths.docker, paths.logs]) mkdirSync(directory, { recursive: true })
  forgetKilledEngine(paths)
}

/** What an engine that was killed left behind would be taken for a running one, when its pid is in use again or still is. */
export function forgetKilledEngine(paths: SandboxPaths): void {
  rmSync(join(paths.run, 'dockerd.pid'), { force: true })
  rmSync(join(paths.run, 'exec', 'containerd', 'containerd.pid'), { force: true })
}

function mountsBelow(directories: readonly string[]): string[] {
  if (!existsSync('/proc/self/mounts')) return []
  const points = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
  return points.filter((point) => directories.some((it) => point.startsWith(`${it}/`))).toReversed()
}

/** Whether this engine holds an image of that name. */
export async function hasImage(image: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  return (await attempt(['docker', 'image', 'inspect', '--format', '{{.Id}}', image], { env })).code === 0
}

export async function importImage(tarball: string, image: string, env: NodeJS.ProcessEnv): Promise<void> {
  if (!(await hasImage(image, env))) await run(['docker', 'import', tarball, image], { env })
}
