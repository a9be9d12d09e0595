// `npm run bench -- NAME…`: measurements side by side, on a sandbox of their own; all where none is named.

import { join } from 'node:path'
import { build } from './build.mjs'
import { main, root, runCommand } from './steps.mjs'

await main(async () => {
  await build()
  await runCommand([process.execPath, join(root, 'dist/bench/index.js'), ...process.argv.slice(2)])
})
