// A release's compiled migrations as one text, known by its hash: what is run today is what can be run when the release
// is gone from the worker's disk.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'

export interface MigrationCode {
  readonly sha256: string
  readonly text: string
}

export interface Bundle {
  /** A module, or `.` for every module of the directory. */
  readonly entry: string
  /** By their paths below the directory that holds them all. */
  readonly files: Readonly<Record<string, string>>
}

/** Compiled migrations are small; beyond this a directory was named that holds something else, too. */
export const codeLimitBytes = 4 * 1024 * 1024

/** Reads a module with all that it imports by path, or a directory of modules. */
export function bundleOf(path: string): MigrationCode {
  const directory = statSync(path).isDirectory()
  const found = withImports(directory ? filesIn(path) : [path])
  const root = [...found.keys()].map((file) => dirname(file)).reduce(commonDirectory, directory ? path : dirname(path))
  const files = [...found].map(([file, text]) => [inner(root, file), text] as const)
  const kind = JSON.stringify({ type: moduleType(path) })
  return codeOf({
    entry: directory ? inner(root, path) || '.' : inner(root, path),
    files: Object.fromEntries([...files, ['package.json', kind] as const].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  })
}

/** Throws where the text is not what its hash says: it is never run then. */
export function parseCode(code: MigrationCode): Bundle {
  if (sha256Of(code.text) !== code.sha256)
    throw new TypeError('its content is not the one of that checksum, so none of it was run')
  return JSON.parse(code.text) as Bundle
}

function codeOf(bundle: Bundle): MigrationCode {
  const text = `${JSON.stringify(bundle)}\n`
  const bytes = Buffer.byteLength(text)
  if (bytes > codeLimitBytes) throw new TypeError(`it has ${bytes} bytes with its imports, more than ${codeLimitBytes}`)
  return { sha256: sha256Of(text), text }
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function filesIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.name !== 'node_modules' && !/\.(map|d\.[cm]?ts)$/.test(entry.name))
    .flatMap((entry) => {
      const path = join(directory, entry.name)
      return entry.isDirectory() ? filesIn(path) : entry.isFile() ? [path] : []
    })
}

function withImports(begin: readonly string[]): Map<string, string> {
  const found = new Map<string, string>()
  const queue = [...begin]
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (found.has(file)) continue
    const text = readText(file)
    found.set(file, text)
    if (isModule(file)) queue.push(...importsOf(file, text))
  }
  return found
}

export function isModule(file: string): boolean {
  return /(?<!\.d)\.[cm]?[jt]s$/.test(file)
}

/** What is imported by a path; what cannot be found is told by the import itself. */
function importsOf(file: string, text: string): string[] {
  const named = [...text.matchAll(/(?:\bfrom|\bimport|\brequire)\s*\(?\s*['"](\.{1,2}\/[^'"\n]+)['"]/g)]
  return named.flatMap(([, path]) => {
    const base = join(dirname(file), path!)
    const endings = ['', '.js', '.cjs', '.mjs', '.json', '/index.js']
    const candidates = [...endings.map((ending) => `${base}${ending}`), base.replace(/\.js$/, '.ts')]
    return candidates.find((it) => existsSync(it) && statSync(it).isFile()) ?? []
  })
}

function readText(file: string): string {
  const bytes = readFileSync(file)
  if (bytes.length > codeLimitBytes)
    throw new TypeError(`"${file}" has ${bytes.length} bytes, more than ${codeLimitBytes}`)
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
}

/** What a bare `.js` is: by the nearest package.json, as Node reads it. */
function moduleType(path: string): string {
  for (let directory = path; ; directory = dirname(directory)) {
    const file = join(directory, 'package.json')
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { type?: string }).type ?? 'commonjs'
    if (directory === dirname(directory)) return 'commonjs'
  }
}

function commonDirectory(a: string, b: string): string {
  let common = a
  while (b !== common && !b.startsWith(common.endsWith(sep) ? common : common + sep)) common = dirname(common)
  return common
}

function inner(root: string, path: string): string {
  return relative(root, path).split(sep).join('/')
}
