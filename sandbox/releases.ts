import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type SandboxPaths, stackFiles } from './paths.js'

interface Release {
  readonly version: string
  /** The revision that its code was written for: what a deploy of it brings the database to. */
  readonly revision: string
  /** Seconds after the start at which /api/health begins to fail. */
  readonly failsAfter?: number
  /** Whether it has the second layout of models.yaml and the file of skills that came with 2.1. */
  readonly second?: boolean
}

export const releases: readonly Release[] = [
  { version: '2.0.0', revision: 'a006_pheromone_scores' },
  { version: '2.1.0', revision: 'a007_add_engine_fields', second: true },
  { version: '2.1.1', revision: 'a007_add_engine_fields', second: true },
  { version: '2.2.0-broken', revision: 'a008_remove_openclaw', second: true, failsAfter: 10 },
]

export const firstRelease = releases[0]!

export function releaseDirectory(paths: SandboxPaths, version: string): string {
  return join(paths.releases, version)
}

/** Writes the directory of every release, all made from one source with the differences that each is there for. */
export function writeReleases(paths: SandboxPaths): void {
  for (const release of releases) {
    const directory = releaseDirectory(paths, release.version)
    if (existsSync(directory)) continue
    const unfinished = `${directory}.new`
    rmSync(unfinished, { recursive: true, force: true })
    mkdirSync(unfinished, { recursive: true })
    cpSync(join(stackFiles(), 'release'), unfinished, { recursive: true })
    adapt(unfinished, release)
    renameSync(unfinished, directory)
  }
}

function adapt(directory: string, release: Release): void {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  write('VERSION', `${release.version}\n`)
  write('release.json', `${JSON.stringify({ version: release.version, migrateTo: release.revision }, null, 2)}\n`)
  write('aria_skills/release.py', `FAILS_AFTER_SECONDS = ${release.failsAfter ?? 'None'}\n`)
  if (!release.second) return
  write('models.yaml', secondModels)
  write('aria_skills/catalogue.md', '# Skills\n\n- heartbeat: reports health to the guard\n- schedule: runs the jobs\n')
  const compose = join(directory, 'stacks/brain/docker-compose.yml')
  const environment = /( {6}SERVICE: aria-brain\n)/
  writeFileSync(compose, readFileSync(compose, 'utf8').replace(environment, "$1      ARIA_ENGINE_FIELDS: 'on'\n"))
}

const secondModels = `# The single source of model configuration.
layout: 2
default: qwen3:32b
models:
  - name: qwen3:32b
    provider: ollama
    context: 40960
  - name: qwen3:14b
    provider: ollama
    context: 40960
  - name: nomic-embed-text
    provider: ollama
    context: 8192
`
