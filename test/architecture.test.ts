// Which way the arrows go, held by reading every import.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { basename, dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, inject, test } from 'vitest'

interface Import {
  readonly from: string
  /** A path under src, or the name of a package. */
  readonly to: string
  readonly typeOnly: boolean
}

const root = fileURLToPath(new URL('..', import.meta.url))
const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replaceAll('\\', '/'))
  .toSorted()
const imports = files.flatMap(importsOf)

describe('arrows go one way', () => {
  test('plan imports nothing but itself', () => {
    expect(offending('plan', () => false)).toEqual([])
  })

  test('commands know plan, and nothing that acts', () => {
    expect(offending('commands', ({ to }) => isIn(to, 'plan') || (isNode(to) && !acts(to)))).toEqual([])
  })

  test('config knows plan, and reads files', () => {
    expect(offending('config', ({ to }) => isIn(to, 'plan') || isNode(to) || to === 'zod' || to === 'yaml')).toEqual([])
  })

  test('migrations know only TypeORM', () => {
    expect(offending('migrations', ({ to }) => to === 'typeorm')).toEqual([])
  })

  test('workflows import the two packages that are made for them, plan, and types of activities', () => {
    const packages = ['@temporalio/workflow', '@temporalio/common']
    const allowed = ({ to, typeOnly }: Import) =>
      packages.includes(to) || isIn(to, 'plan') || (isIn(to, 'activities') && typeOnly)
    expect(offending('workflows', allowed)).toEqual([])
  })

  test('activities never reach up: no workflow, no client, no command line, no composition', () => {
    const allowed = ({ to }: Import) =>
      !isSource(to) || ['plan', 'commands', 'config'].some((part) => isIn(to, part)) || isIn(to, 'adapters')
    expect(offending('activities', allowed)).toEqual([])
  })

  test('adapters know of the rest only types, but for failures, durations, credentials, pure commands, and the migrations that come with the package', () => {
    const values = ['plan/failure.ts', 'plan/duration.ts', 'plan/credentials.ts', 'migrations/index.ts']
    const allowed = ({ to, typeOnly }: Import) =>
      !isSource(to) ||
      values.includes(to) ||
      isIn(to, 'commands') ||
      (typeOnly && !['cli', 'workflows', 'activities'].some((part) => isIn(to, part)))
    expect(offending('adapters', allowed)).toEqual([])
  })

  test('the command line never reaches into workflows or adapters, but for types', () => {
    expect(
      imports.filter(
        (it) => isIn(it.from, 'cli') && (isIn(it.to, 'workflows') || isIn(it.to, 'adapters')) && !it.typeOnly,
      ),
    ).toEqual([])
  })

  test('nobody but the worker and the client knows the workflows', () => {
    const users = imports
      .filter((it) => isIn(it.to, 'workflows') && !isIn(it.from, 'workflows') && !it.typeOnly)
      .map((it) => it.from)
    expect(users.filter((file) => !/^(worker|client)(\.ts|\/)/.test(file))).toEqual([])
  })
})

test('the page says which part uses which', () => {
  const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `(\w+)` +\| [^|]+\|([^|]*)\|$/gm)]
  const said = rows.map(([, part, uses]) => [part, [...uses!.matchAll(/`(\w+)`/g)].map(([, it]) => it)])
  const parts = readdirSync(join(root, 'src'), { withFileTypes: true }).flatMap((it) =>
    it.isDirectory() ? it.name : [],
  )
  const used = (part: string) =>
    imports.filter((it) => isIn(it.from, part) && isSource(it.to) && !it.typeOnly).map(({ to }) => to.split('/')[0]!)
  const uses = parts.map((part) => [part, parts.filter((it) => it !== part && used(part).includes(it))] as const)
  expect(Object.fromEntries(said)).toEqual(Object.fromEntries(uses))
})

test('each library is imported below one part only', () => {
  const homes = {
    ssh2: ['adapters'],
    'ssh-config': ['adapters'],
    pg: ['adapters'],
    pino: ['adapters'],
    commander: ['cli'],
    yaml: ['config'],
    zod: ['config'],
  }
  const strays = imports.filter(({ from, to }) => {
    const home = homes[to as keyof typeof homes]
    return home !== undefined && !home.some((part) => isIn(from, part))
  })
  expect(strays).toEqual([])
})

test('no file imports itself in a circle', () => {
  expect(circles()).toEqual([])
})

test('a thing lives where its noun lives: there is no drawer for the rest', () => {
  expect(files.filter((file) => /(^|\/)(utils?|helpers|common|types|shared|misc)(\.ts|\/)/.test(file))).toEqual([])
})

test('no code knows the name of the reference stack but the migrations; examples of the command line may', () => {
  const knows = files.filter((file) => !isIn(file, 'migrations') && /\baria\b/i.test(withoutExamples(read(file))))
  expect(knows).toEqual([])
})

test('every import of a file leads to one that is there', () => {
  expect(imports.filter(({ to }) => isSource(to) && !existsSync(join(root, 'src', to)))).toEqual([])
})

describe('the bundle of the workflows', () => {
  const modules = [
    ...readFileSync(inject('workflowBundlePath'), 'utf8').matchAll(
      /["'](?:\.\/|\.\.\/)*([^"'\n]*?\.(?:ts|js|mjs|cjs))["']/g,
    ),
  ].map((match) => match[1]!)

  test('holds the workflows and the plan', () => {
    // Built before, it is of JavaScript.
    expect(modules.some((module) => /src\/workflows\/run\.[jt]s$/.test(module))).toBe(true)
    expect(modules.some((module) => /src\/plan\/gate\.[jt]s$/.test(module))).toBe(true)
  })

  test.each(['zod', 'pino', 'ssh2', 'typeorm', 'pg', 'yaml'])('holds no %s', (name) => {
    expect(modules.filter((module) => module.includes(`node_modules/${name}/`))).toEqual([])
  })

  test.each(['activities', 'adapters', 'commands', 'config', 'cli'])('holds nothing of %s', (part) => {
    expect(modules.filter((module) => module.includes(`src/${part}/`))).toEqual([])
  })
})

/** Imports of a part that lead out of it, and that are not allowed. */
function offending(part: string, allowed: (it: Import) => boolean): Import[] {
  return imports.filter((it) => isIn(it.from, part) && !isIn(it.to, part) && !allowed(it))
}

function isIn(file: string, part: string): boolean {
  return file.startsWith(`${part}/`) || file === `${part}.ts`
}

function isSource(to: string): boolean {
  return to.endsWith('.ts')
}

function isNode(to: string): boolean {
  return to.startsWith('node:')
}

function acts(to: string): boolean {
  return /^node:(fs|child_process|net|tls|http|https|dns|worker_threads|timers)/.test(to)
}

function importsOf(file: string): Import[] {
  const text = withoutComments(read(file))
  const named = [...text.matchAll(/^(?:import|export)\s+(type\s)?(?:[^;'"]*?\sfrom\s+)?'([^']+)'/gm)]
  const dynamic = [...text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)].map(
    (match) => [match[0], undefined, match[1]] as const,
  )
  return [...named, ...dynamic].map(([, type, to]) => ({
    from: file,
    to: resolved(file, to!),
    typeOnly: type !== undefined,
  }))
}

function resolved(file: string, to: string): string {
  if (!to.startsWith('.')) return to
  return posix.normalize(posix.join(dirname(file), to)).replace(/\.js$/, '.ts')
}

/** Value imports only: types are gone when the code runs. */
function circles(): string[] {
  const targets = grouped(imports.filter((it) => !it.typeOnly && isSource(it.to)))
  const done = new Set<string>()
  const found: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) return void found.push([...path.slice(path.indexOf(file)), file].join(' -> '))
    if (done.has(file)) return
    for (const { to } of targets.get(file) ?? []) visit(to, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  return found
}

function grouped(all: readonly Import[]): Map<string, Import[]> {
  const groups = new Map<string, Import[]>()
  for (const it of all) groups.set(it.from, [...(groups.get(it.from) ?? []), it])
  return groups
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
}

/** Command lines that are shown as examples begin with the program's name. */
function withoutExamples(text: string): string {
  return withoutComments(text).replaceAll(/(['"`])stepback (?:(?!\1)[\s\S])*\1/g, "''")
}

function read(file: string): string {
  return readFileSync(join(root, 'src', file), 'utf8')
}

test('the reading of imports finds what there is', () => {
  expect(imports.length).toBeGreaterThan(200)
  expect(imports).toContainEqual({ from: 'workflows/activities.ts', to: 'activities/index.ts', typeOnly: true })
  expect(imports).toContainEqual({ from: 'workflows/walk.ts', to: 'workflows/perform.ts', typeOnly: false })
  expect(files.map((file) => basename(file))).toContain('index.ts')
})
