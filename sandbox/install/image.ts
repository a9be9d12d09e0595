// The base image, made without an image registry: Debian 13 with PostgreSQL 17, pgvector and Python, as a tarball.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDirectory } from '../paths.js'
import { run } from '../run.js'
import { canInstall, foreignRelease, installPackages, which } from './apt.js'

const packages = ['postgresql-17', 'postgresql-17-pgvector', 'python3-minimal', 'python3-psycopg2']

/** Left out for size: documentation, foreign locales, and the compiler of queries, which the server runs without. */
const excluded = [
  '/usr/share/doc/*',
  '/usr/share/man/*',
  '/usr/share/info/*',
  '/usr/share/locale/*',
  '/usr/share/i18n/*',
  '/usr/lib/locale/??_*',
  '/usr/lib/locale/???_*',
  '/usr/lib/locale/locale-archive',
  '/usr/lib/*/libLLVM*',
  '/usr/lib/*/libz3*',
  '/usr/lib/postgresql/17/lib/bitcode/*',
  '/usr/lib/postgresql/17/lib/llvmjit*',
]

const recipe = createHash('sha256')
  .update(JSON.stringify({ packages, excluded, release: 'trixie' }))
  .digest('hex')

/** The image's name; another recipe gives another one. */
export const baseImage = `stepback-sandbox/base:${recipe.slice(0, 12)}`

/** The image's root file system; made once, about half a minute, and kept in the cache. */
export async function baseImageTarball(): Promise<string> {
  const tarball = join(cacheDirectory(), `base-${recipe.slice(0, 12)}.tar`)
  if (existsSync(tarball)) return tarball
  const need = 'the base image is made with mmdebstrap, which needs root on Debian'
  if (!(await canInstall())) throw new Error(need)
  if (!(await which('mmdebstrap'))) await installPackages(['mmdebstrap'], need)
  mkdirSync(cacheDirectory(), { recursive: true })
  for (const old of readdirSync(cacheDirectory()).filter((it) => /^base-.*\.tar/.test(it))) {
    rmSync(join(cacheDirectory(), old), { force: true })
  }
  const unfinished = `${tarball}.${process.pid}`
  await makeTarball(unfinished)
  renameSync(unfinished, tarball)
  return tarball
}

async function makeTarball(tarball: string): Promise<void> {
  const { sources } = await foreignRelease('trixie')
  // the package would make a cluster of its own, of 40 MB, that nobody uses
  const noCluster =
    'mkdir -p "$1/etc/postgresql-common" && echo "create_main_cluster = false" > "$1/etc/postgresql-common/createcluster.conf"'
  await run([
    'mmdebstrap',
    '--quiet',
    '--mode=root',
    '--variant=essential',
    '--format=tar',
    `--include=${packages.join(',')}`,
    ...excluded.map((path) => `--dpkgopt=path-exclude=${path}`),
    `--essential-hook=${noCluster}`,
    'trixie',
    tarball,
    sources,
  ])
}
