import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { type Progress, timed } from '../progress.js'
import { installPackages, which } from './apt.js'
import { chromium } from './browser.js'
import { type DockerTools, dockerTools } from './docker.js'
import { baseImageTarball } from './image.js'
import { temporalCli, temporalTestServer } from './temporal.js'

export interface Tools {
  readonly temporal: string
  readonly docker: DockerTools
  readonly sshd: string
  readonly sshKeygen: string
  readonly baseTarball: string
}

/** Gets what a sandbox needs, taking first what is there; says what to install where it cannot do so itself. */
export async function install(progress: Progress, ownEngine = false): Promise<Tools> {
  const temporal = await timed(progress, 'Temporal CLI', noting(temporalCli))
  const docker = await timed(progress, 'Docker Engine and Compose', async (detail) => {
    const tools = await dockerTools(ownEngine)
    detail(tools.dockerd ?? 'the engine that answers')
    return tools
  })
  const { sshd, sshKeygen } = await timed(progress, 'SSH server', sshServer)
  const baseTarball = await timed(progress, 'base image', noting(baseImageTarball))
  return { temporal, docker, sshd, sshKeygen, baseTarball }
}

/**
 * What the tests need: all of a sandbox, since several come up at once, and other shells, a PostgreSQL of their own,
 * the server that skips time, and a browser.
 */
export async function installForTests(progress: Progress): Promise<{ temporal: string; testServer: string }> {
  const { temporal } = await install(progress)
  const testServer = await timed(progress, 'Temporal test server', noting(temporalTestServer))
  await timed(progress, 'PostgreSQL server', async () => {
    if (!(await hasPostgres()))
      await installPackages(['postgresql'], 'install the PostgreSQL server: tests start their own')
  })
  for (const program of ['dash', 'busybox']) {
    await timed(progress, program, async () => {
      if (!(await which(program))) await installPackages([program], `install "${program}": some tests run with it`)
    })
  }
  await timed(progress, 'Chromium', noting(chromium))
  return { temporal, testServer }
}

/** Debian keeps the server's programs off the PATH, one directory a version. */
async function hasPostgres(): Promise<boolean> {
  const packaged = '/usr/lib/postgresql'
  const versions = existsSync(packaged) ? readdirSync(packaged) : []
  return versions.some((it) => existsSync(`${packaged}/${it}/bin/initdb`)) || (await which('initdb')) !== undefined
}

async function sshServer(): Promise<{ sshd: string; sshKeygen: string }> {
  const manual = 'an SSH server is missing: install OpenSSH (sshd and ssh-keygen)'
  if (!(await which('sshd')) || !(await which('ssh-keygen'))) {
    await installPackages(['openssh-server', 'openssh-client'], manual)
  }
  const [sshd, sshKeygen] = [await which('sshd'), await which('ssh-keygen')]
  if (!sshd || !sshKeygen) throw new Error(manual)
  // as root sshd insists on this empty directory, which only an init system makes
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  return { sshd, sshKeygen }
}

function noting(find: () => Promise<string>) {
  return async (detail: (text: string) => void) => {
    const found = await find()
    detail(found)
    return found
  }
}
