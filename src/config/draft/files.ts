import { type Found, isSecret } from './found.js'

export interface DraftFiles {
  readonly managed: readonly string[]
  /** Directories that containers only read: settings, or something else. */
  readonly read: readonly string[]
  readonly protected: readonly string[]
  readonly secrets: readonly string[]
  readonly backups: string
}

/** What containers read goes back with a release; what they write, and secrets, nobody touches. */
export function draftFiles(found: Found): DraftFiles {
  const fixed = [...found.composeFiles, found.envFile, 'backups']
  const free = found.services
    .flatMap((it) => it.mounts)
    .filter(({ path }) => path !== '' && !fixed.some((it) => overlap(it, path)))
  const data = free.filter((it) => it.secret || (it.writable && !isSettings(it)))
  const guarded = data.map((it) => it.path).filter((path, _, all) => !all.some((it) => it !== path && isIn(path, it)))
  const managed = free.filter((it) => it.kind === 'file' && !guarded.some((path) => overlap(path, it.path)))
  const read = free.filter((it) => it.kind === 'directory' && !guarded.some((path) => overlap(path, it.path)))
  return {
    read: unique(read.map((it) => it.path)),
    managed: unique(managed.map((it) => it.path)),
    protected: unique(guarded),
    secrets: [...(found.environment ?? [])].filter(isSecret).map(([key]) => key),
    backups: found.writable ? `${found.directory}/backups` : `${found.home}/backups/${found.target}`,
  }
}

/** A file of settings is often mounted without a word about writing. */
function isSettings({ path, kind }: { readonly path: string; readonly kind: string }): boolean {
  return kind === 'file' && /\.(ya?ml|json|toml|conf|cfg|ini|properties|xml)$/.test(path)
}

function overlap(one: string, other: string): boolean {
  return isIn(one, other) || isIn(other, one)
}

function isIn(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}

function unique(paths: readonly string[]): string[] {
  return [...new Set(paths)].toSorted()
}
