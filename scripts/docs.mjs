// `npm run docs`: writes the pages that are made from the sources.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from './build.mjs'
import { bin, main, root, runCommand } from './steps.mjs'

await main(async () => {
  await build()
  const { configReference } = await import(pathToFileURL(join(root, 'dist/src/config/reference.js')).href)
  const page = join(root, 'docs/config.md')
  writeFileSync(page, configReference())
  await runCommand([bin('prettier'), '--write', page])
})
