import { existsSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { ownPackage } from '../package.js'

/** Where an editor finds the schema of a file: only where the package lies below it, as no other path means the same elsewhere. */
export function schemaFor(path: string): string | undefined {
  const schema = join(ownPackage().directory, 'docs', 'stepback.schema.json')
  const way = relative(dirname(resolve(path)), schema)
  return existsSync(schema) && !way.startsWith('..') ? way.split(sep).join('/') : undefined
}
