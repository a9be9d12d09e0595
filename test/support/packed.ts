// The package as npm makes it, and as it would be installed.

import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Packs what is built, by way of a directory for the tarball; the paths of its files. */
export function unpackPackage(to: string, by: string): readonly string[] {
  const words = ['pack', '--ignore-scripts', '--json', '--pack-destination', by]
  const [packed] = JSON.parse(execFileSync('npm', words, { cwd: root, encoding: 'utf8', stdio: 'pipe' }))
  mkdirSync(to, { recursive: true })
  execFileSync('tar', ['-xzf', join(by, packed.filename), '-C', to, '--strip-components=1'])
  return packed.files.map(({ path }: { readonly path: string }) => path)
}
