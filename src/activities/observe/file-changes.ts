// How configured files differ from those that take their place: read, compared by their keys, and dropped.

import { readFile } from 'node:fs/promises'
import { command, quote } from '../../commands/shell.js'
import { parseEnvFile } from '../../config/env-file.js'
import { readYaml } from '../../config/yaml.js'
import { type KeyChanges, keyChanges, noKeys } from '../../plan/keys.js'
import type { FileChange } from '../../plan/plan.js'
import { type WayBack, isWhole } from '../../plan/way-back.js'
import type { Look } from './look.js'
import type { Replaced } from './resulting.js'

/** What is larger is not read into the worker. */
const readableBytes = 256 * 1024

/** A file as the way back would put it in place. The environment file may stay as it is, by its kept secrets. */
export async function changeOnWayBack(
  look: Look,
  way: WayBack,
  replaced: readonly Replaced[],
  path: string,
): Promise<FileChange | null> {
  const saved = way.files.find((file) => file.path === path)
  if (!saved) return { path, how: 'goes', ...noKeys }
  const live = await readLive(look, path)
  const how = live === null ? 'comes back' : 'changes'
  if (saved.kind !== undefined || saved.bytes >= readableBytes) return { path, how, ...noKeys }
  const name = `${look.target.backups}/${saved.name}`
  const held = isWhole(saved) ? command('cat', name) : command('tar', '-xzOf', name, `./${path}`)
  const then = await look.look(`${replaced.find((it) => it.path === path)?.print ?? held}\n`)
  if (path === look.target.compose.envFile && then === live) return null
  return { path, how, ...keysOf(look, path, live ?? '', then) }
}

/** A file as a release brings it, which lies at `file` beside the worker; nothing where it is there already. */
export async function changeByRelease(
  look: Look,
  { path, file, bytes }: { readonly path: string; readonly file: string; readonly bytes: number },
): Promise<FileChange | null> {
  const live = await readLive(look, path)
  const how = live === null ? 'comes' : 'changes'
  if (bytes >= readableBytes) return { path, how, ...noKeys }
  const brought = await readFile(file, 'utf8')
  return live === brought ? null : { path, how, ...keysOf(look, path, live ?? '', brought) }
}

/** Whether a path is one of these, or lies below one. */
export function isAmong(path: string, all: readonly string[]): boolean {
  return all.some((it) => path === it || path.startsWith(`${it}/`))
}

async function readLive(look: Look, path: string): Promise<string | null> {
  const { exitCode, stdout } = await look.try(`head -c ${readableBytes} ${quote(`${look.target.directory}/${path}`)}\n`)
  return exitCode === 0 ? stdout : null
}

function keysOf(look: Look, path: string, now: string, then: string): KeyChanges {
  const [before, after] = [now, then].map((text) => documentOf(look, path, text))
  return before === undefined || after === undefined ? noKeys : keyChanges(before, after)
}

/** Undefined for what has no keys, or cannot be read. */
function documentOf({ target }: Look, path: string, text: string): unknown {
  if (path === target.compose.envFile || path.endsWith('.env')) return Object.fromEntries(parseEnvFile(text))
  if (!/\.(ya?ml|json)$/.test(path)) return undefined
  const read = readYaml(text)
  return read.ok ? (read.value ?? {}) : undefined
}
