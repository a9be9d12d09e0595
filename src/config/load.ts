import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, resolve } from 'node:path'
import { z } from 'zod'
import { StepbackError } from '../plan/failure.js'
import { type Config, type DatabaseConfig, type Target, configSchema } from './schema.js'
import { readYaml } from './yaml.js'

/** Reads stepback.yaml; all that is wrong in it comes as one `InvalidConfiguration`, a line for each path. */
export function loadConfig(path: string): Config {
  const config = parseConfig(readConfigFile(path), path)
  return resolvePaths(config, dirname(resolve(path)))
}

/** The target of that name; `UnknownTarget` lists the known ones. */
export function findTarget(config: Config, name: string): Target {
  const target = Object.hasOwn(config.targets, name) ? config.targets[name] : undefined
  if (target) return { ...target, name }
  const known = Object.keys(config.targets).toSorted().join(', ')
  throw new StepbackError({ type: 'UnknownTarget', message: `target "${name}" is not configured; known: ${known}` })
}

export function parseConfig(text: string, path: string): Config {
  const read = readYaml(text)
  if (!read.ok) throw invalid(path, read.problems)
  const parsed = configSchema.safeParse(read.value)
  if (parsed.success) return parsed.data
  throw invalid(path, parsed.error.issues.flatMap(describeIssue))
}

/** One line for each thing that is wrong: where, then what was expected. */
export function describeIssue(issue: z.core.$ZodIssue): string[] {
  const where = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${[...where, key].join('/')}: unknown key`)
  }
  const [nested] = issue.code === 'invalid_key' ? issue.issues : []
  return [`${where.join('/') || '(whole)'}: ${(nested ?? issue).message.replace(/^Invalid (input|option): /, '')}`]
}

function readConfigFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new StepbackError({
      type: 'InvalidConfiguration',
      message: `configuration "${path}" cannot be read: ${(cause as Error).message}`,
      hint: 'name the file with --config.',
    })
  }
}

function invalid(path: string, problems: readonly string[]): StepbackError {
  return new StepbackError({
    type: 'InvalidConfiguration',
    message: [`configuration "${path}" is not valid`, ...problems.map((problem) => `  ${problem}`)].join('\n'),
    hint: 'mend these lines; docs/config.md describes every key.',
  })
}

/** Local paths are relative to the configuration, so that a run does not depend on where the worker was started. */
function resolvePaths(config: Config, base: string): Config {
  const local = (path: string) => {
    const expanded = path.replace(/^~(?=\/)/, homedir())
    return isAbsolute(expanded) ? expanded : resolve(base, expanded)
  }
  const targets = Object.entries(config.targets).map(([name, target]) => {
    const ssh = { ...target.ssh, ...localSsh(target.ssh, local) }
    const database = target.database && {
      database: { ...target.database, migrations: localModule(target.database.migrations, local) },
    }
    const checks = target.checks.map((check) => ({ ...check, directory: local(check.directory ?? '.') }))
    return [name, { ...target, ssh, checks, ...database }] as const
  })
  const temporal = { ...config.temporal, histories: local(config.temporal.histories) }
  return { ...config, temporal, targets: Object.fromEntries(targets) }
}

function localSsh({ identityFile, knownHosts, config }: Target['ssh'], local: (path: string) => string) {
  return {
    ...(identityFile ? { identityFile: local(identityFile) } : {}),
    ...(knownHosts ? { knownHosts: knownHosts.map(local) } : {}),
    ...(config ? { config: local(config) } : {}),
  }
}

function localModule(migrations: DatabaseConfig['migrations'], local: (path: string) => string) {
  const named = typeof migrations === 'object' || ['reference', 'none'].includes(migrations)
  return named ? migrations : local(migrations)
}
