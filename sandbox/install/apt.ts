// Debian's packages: into the system where it is one and we may, else unpacked into the cache.

import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDirectory } from '../paths.js'
import { attempt, run } from '../run.js'

const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' }

/** Whether packages can be installed here: Debian or a relative of it, as root. */
export async function canInstall(): Promise<boolean> {
  return process.getuid?.() === 0 && (await has('apt-get'))
}

/** Whether a program is found on the PATH. */
export async function has(program: string): Promise<boolean> {
  return (await which(program)) !== undefined
}

export async function which(program: string): Promise<string | undefined> {
  const { code, stdout } = await attempt(['sh', '-c', 'PATH="$PATH:/usr/sbin:/sbin" command -v -- "$1"', 'sh', program])
  return code === 0 ? stdout.trim() : undefined
}

/** Installs packages; `otherwise` tells a person what to do where that is not possible. */
export async function installPackages(packages: readonly string[], otherwise: string): Promise<void> {
  if (!(await canInstall())) throw new Error(otherwise)
  const install = ['apt-get', 'install', '-y', '-q', '--no-install-recommends', ...packages]
  const first = await attempt(install, { env: environment })
  if (first.code === 0) return
  // lists that are missing or too old name files that are no longer there
  await run(['apt-get', 'update', '-q'], { env: environment })
  await run(install, { env: environment })
}

/** Downloads packages and unpacks them into a directory, the system's own packages untouched. */
export async function unpackPackages(input: {
  readonly packages: readonly string[]
  readonly into: string
  readonly options?: readonly string[]
}): Promise<void> {
  const downloads = join(input.into, 'downloads')
  mkdirSync(downloads, { recursive: true, mode: 0o755 })
  await run(['apt-get', ...(input.options ?? []), 'download', '-q', ...input.packages], {
    env: environment,
    cwd: downloads,
  })
  for (const file of readdirSync(downloads)) await run(['dpkg-deb', '-x', join(downloads, file), input.into])
}

/** Options that make apt read another release of Debian, with lists of its own; the mirror is the machine's. */
export async function foreignRelease(codename: string): Promise<{ options: string[]; sources: string }> {
  const home = join(cacheDirectory(), `apt-${codename}`)
  const sources = join(home, 'sources.list')
  const options = [
    ['Dir::Etc::sourcelist', sources],
    ['Dir::Etc::sourceparts', '/nonexistent'],
    ['Dir::State::lists', join(home, 'lists')],
    ['Dir::Cache', join(home, 'cache')],
    ['APT::Get::List-Cleanup', '0'],
    // the package lists alone: descriptions of applications are three times their size
    ['Acquire::IndexTargets::deb::DEP-11::DefaultEnabled', 'false'],
  ].flatMap(([key, value]) => ['-o', `${key}=${value}`])
  for (const part of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(home, part), { recursive: true })
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
  const signed = existsSync(keyring) ? `[signed-by=${keyring}] ` : ''
  writeFileSync(sources, `deb ${signed}${await debianMirror()} ${codename} main\n`)
  if (readdirSync(join(home, 'lists')).length < 3)
    await run(['apt-get', ...options, 'update', '-q'], { env: environment })
  return { options, sources }
}

async function debianMirror(): Promise<string> {
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)'
  const ask = () => run(['apt-get', 'indextargets', '--format', format, 'Created-By: Packages'], { env: environment })
  const find = (text: string) =>
    text.split('\n').find((line) => line.endsWith(' main Debian') && !line.includes('security'))
  // the origin is known only from lists that were read once
  const line = find((await ask()).stdout) ?? find((await updated(ask)).stdout)
  if (!line) throw new Error('no Debian mirror was found in the apt sources of this machine')
  return line.split(' ')[0]!
}

async function updated<T>(ask: () => Promise<T>): Promise<T> {
  await run(['apt-get', 'update', '-q'], { env: environment })
  return ask()
}
