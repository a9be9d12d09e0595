// `npm run docs`: writes the pages that are made from the sources.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from './build.mjs'
import { bin, main, root, runCommand } from './steps.mjs'

await main(async () => {
  await build()
  const load = (name) => import(pathToFileURL(join(root, 'dist/src/config', name)).href)
  const { configReference } = await load('reference.js')
  const { configJsonSchema } = await load('json-schema.js')
  const [page, schema] = ['docs/config.md', 'docs/stepback.schema.json'].map((path) => join(root, path))
  writeFileSync(page, configReference())
  writeFileSync(schema, JSON.stringify(configJsonSchema()))
  await runCommand([bin('prettier'), '--write', page, schema])
})
