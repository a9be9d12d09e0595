// What no key can say alone: names that must be unique, paths that must not lie in each other, one stack for one target.
// It runs beside the schema's own complaints, so whatever is there may be of any kind.

export interface Inconsistency {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** The keys of a target that contradict each other. */
export function targetInconsistencies(target: unknown): Inconsistency[] {
  return [
    ...repeated(target),
    ...ofTheDatabase(target),
    ...inProtected(target),
    ...ofBackups(target),
    ...ofIncidents(target),
    ...never(target),
    ...ofApproval(target),
  ]
}

/** Two targets that lead to one stack would change it under two leases. */
export function configInconsistencies(config: unknown): Inconsistency[] {
  const seen = new Map<string, string>()
  return Object.entries(object(at(config, 'targets'))).flatMap(([name, target]) => {
    const host = [at(target, 'ssh', 'host'), at(target, 'ssh', 'port')]
    const stack = [...host, at(target, 'compose', 'project')].map(String).join(' ')
    const other = seen.get(stack)
    if (other === undefined) seen.set(stack, name)
    const message = `should be another stack than target "${other}", on the same host`
    return other === undefined ? [] : [{ path: ['targets', name, 'compose', 'project'], message }]
  })
}

const namedLists = [['health', 'checks'], ['checks'], ['hooks'], ['guard', 'metrics']]
const plainLists = [
  ['compose', 'files'],
  ['compose', 'profiles'],
  ['services', 'application'],
  ['managed'],
  ['secrets'],
  ['approval', 'approvers'],
]

function repeated(target: unknown): Inconsistency[] {
  const named = namedLists.map((path) => ({ path, words: list(at(target, ...path)).map((it) => at(it, 'name')) }))
  const plain = plainLists.map((path) => ({ path, words: list(at(target, ...path)) }))
  return [...named, ...plain].flatMap(({ path, words }) =>
    words.flatMap((word, index) =>
      typeof word === 'string' && words.indexOf(word) < index
        ? [{ path: [...path, index], message: `"${word}" is there twice` }]
        : [],
    ),
  )
}

/** It has to run while the database goes back, so it cannot be among those that are stopped for that. */
function ofTheDatabase(target: unknown): Inconsistency[] {
  const service = at(target, 'database', 'service')
  const index = list(at(target, 'services', 'application')).indexOf(service)
  if (service === undefined || index < 0) return []
  return [{ path: ['services', 'application', index], message: 'should not be the service of the database' }]
}

function inProtected(target: unknown): Inconsistency[] {
  const guarded = strings(list(at(target, 'protected')))
  const written = [
    ...list(at(target, 'compose', 'files')).map((path, index) => ({ key: ['compose', 'files', index], path })),
    ...list(at(target, 'managed')).map((path, index) => ({ key: ['managed', index], path })),
    { key: ['compose', 'envFile'], path: at(target, 'compose', 'envFile') },
    { key: ['deployLog'], path: at(target, 'deployLog') },
    { key: ['incidents'], path: at(target, 'incidents') },
    { key: ['backups'], path: within(at(target, 'backups'), at(target, 'directory')) },
  ]
  return written.flatMap(({ key, path }) => {
    const by = guarded.find((it) => typeof path === 'string' && (isIn(path, it) || isIn(it, path)))
    return by === undefined ? [] : [{ path: key, message: `should not overlap the protected path "${by}"` }]
  })
}

function ofBackups(target: unknown): Inconsistency[] {
  const [backups, directory] = [at(target, 'backups'), at(target, 'directory')]
  if (typeof backups !== 'string' || typeof directory !== 'string') return []
  if (isIn(directory, backups)) return [{ path: ['backups'], message: 'should not hold the project directory' }]
  const own = within(backups, directory)
  const managed = strings(list(at(target, 'managed'))).find((it) => own !== undefined && isIn(own, it))
  return managed === undefined
    ? []
    : [{ path: ['backups'], message: `should not lie in "${managed}", which itself goes back` }]
}

/** Notes are of the moment: what goes back must not take them along, nor be compared by them. */
function ofIncidents(target: unknown): Inconsistency[] {
  const notes = at(target, 'incidents')
  const [backups, directory] = [at(target, 'backups'), at(target, 'directory')]
  const own = within(backups, directory)
  const others = [...strings(list(at(target, 'managed'))), ...(own === undefined ? [] : [own])]
  const by = others.find((it) => typeof notes === 'string' && (isIn(notes, it) || isIn(it, notes)))
  return by === undefined
    ? []
    : [{ path: ['incidents'], message: `should not overlap "${by}", which has files of its own` }]
}

/** What could never succeed, and would be noticed only by a deploy that is undone. */
function never(target: unknown): Inconsistency[] {
  const envFile = at(target, 'compose', 'envFile')
  const files = list(at(target, 'compose', 'files'))
  if (envFile === undefined || !files.includes(envFile)) return []
  return [{ path: ['compose', 'envFile'], message: 'should not be one of the compose files' }]
}

/** A gate that needs more people than may open it. */
function ofApproval(target: unknown): Inconsistency[] {
  const whole = object(at(target, 'approval'))
  const scopes = Object.entries(object(at(whole, 'scopes')))
  const rules = [
    { path: ['approval'], rule: whole },
    ...scopes.map(([scope, own]) => ({ path: ['approval', 'scopes', scope], rule: { ...whole, ...object(own) } })),
  ]
  return rules.flatMap(({ path, rule: { approvers, approvals } }) =>
    Array.isArray(approvers) && typeof approvals === 'number' && approvals > approvers.length
      ? [{ path: [...path, 'approvals'], message: `should not be more than the ${approvers.length} approvers` }]
      : [],
  )
}

/** A path below a directory as seen from there. */
function within(path: unknown, directory: unknown): string | undefined {
  if (typeof path !== 'string' || typeof directory !== 'string' || !path.startsWith(`${directory}/`)) return undefined
  return path.slice(directory.length + 1)
}

function isIn(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => object(inner)[key], value)
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function strings(values: readonly unknown[]): string[] {
  return values.filter((value) => typeof value === 'string')
}
