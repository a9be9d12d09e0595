// A target as it is seen from outside: by files, by Docker, by PostgreSQL, and by what its services answer.

export interface Seen {
  /** Each file's mode and checksum, by its path in the project directory; logs and backups are not among them. */
  readonly files: Readonly<Record<string, string>>
  /** The same of what nobody may touch. */
  readonly soul: Readonly<Record<string, string>>
  /** The image that each service's container runs, by its id. */
  readonly images: Readonly<Record<string, string>>
  /** The image behind the reference that each container was made from: another one, and the next start changes it. */
  readonly references: Readonly<Record<string, string>>
  /** How each service's container is, such as `running (healthy)`. */
  readonly services: Readonly<Record<string, string>>
  /** A hash of the schema as `pg_dump` writes it. */
  readonly schema: string
  /** Names of the applied migrations, in their order. */
  readonly migrations: readonly string[]
  /** How many rows each table has and their hash, as the first release knows them and without those of the writer. */
  readonly tables: Readonly<Record<string, string>>
  /** Which database bears the application's name. */
  readonly oid: string
  /** What the application says that it is. */
  readonly version: string
  /** Checks that fail when they are asked from here. */
  readonly failing: readonly string[]
  /** Numbers of the writer's rows. */
  readonly rows: readonly number[]
}

/** A state that a run may leave behind; what is not said is not compared. */
export interface Wish extends Partial<Pick<Seen, 'files' | 'images' | 'references' | 'schema' | 'migrations'>> {
  readonly name: string
  readonly tables?: Seen['tables']
  readonly version?: string
  /** Services that do not run; every other one has to be healthy. */
  readonly stopped?: readonly string[]
  /** Rows that were acknowledged before may not be missing where another database bears the name; ms since 1970. */
  readonly takenAt: number
  /** No row may be missing, whatever database it is. */
  readonly keepsRows?: true
}

/** What is not as wished, a line each. `byHand`: files of which somebody's own text may be found, by its checksum. */
export function differences(seen: Seen, wish: Wish, byHand: Readonly<Record<string, string>> = {}): string[] {
  return [
    ...differing('file', withoutByHand(seen.files, wish.files, byHand), wish.files),
    // Where nobody can know the ids beforehand, what runs is at least what the next start would run.
    ...differing('image of', seen.images, wish.images ?? seen.references),
    ...differing('reference of', seen.references, wish.references),
    ...differing('table', seen.tables, wish.tables),
    ...(wish.schema === undefined || wish.schema === seen.schema ? [] : ['the schema is another one']),
    ...(wish.migrations === undefined || same(wish.migrations, seen.migrations)
      ? []
      : [`migrations are ${seen.migrations.at(-1)} (${seen.migrations.length}), not ${wish.migrations.at(-1)}`]),
    ...(wish.version === undefined || wish.version === seen.version
      ? []
      : [`the application says ${seen.version}, not ${wish.version}`]),
    ...running(seen, wish.stopped ?? []),
  ]
}

function differing(
  what: string,
  seen: Readonly<Record<string, string>>,
  wished: Readonly<Record<string, string>> | undefined,
): string[] {
  if (!wished) return []
  const names = [...new Set([...Object.keys(seen), ...Object.keys(wished)])].toSorted()
  return names
    .filter((name) => seen[name] !== wished[name])
    .map((name) => `${what} ${name} is ${short(seen[name])}, not ${short(wished[name])}`)
}

function short(value: string | undefined): string {
  return value === undefined ? 'missing' : value.slice(0, 24)
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.join('\n') === other.join('\n')
}

/** Whoever changes a file by hand may be overwritten, or not: both are right. */
function withoutByHand(
  seen: Seen['files'],
  wished: Seen['files'] = {},
  byHand: Readonly<Record<string, string>>,
): Seen['files'] {
  const entries = Object.entries(seen).map(([path, text]) => [path, byHand[path] === text ? wished[path] : text])
  return Object.fromEntries(entries.filter(([, text]) => text !== undefined)) as Seen['files']
}

function running(seen: Seen, stopped: readonly string[]): string[] {
  const wrong = Object.entries(seen.services).filter(([service, state]) =>
    stopped.includes(service) ? state.startsWith('running') : !/^running( \(healthy\))?$/.test(state),
  )
  const failing = stopped.length > 0 ? [] : seen.failing
  return [...wrong.map(([service, state]) => `${service} is ${state}`), ...failing.map((it) => `check ${it} fails`)]
}
