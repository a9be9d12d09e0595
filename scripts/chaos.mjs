// `npm run chaos -- --runs N --seed S`: runs to which things happen, and what must hold after each; see chaos/index.ts.

import { join } from 'node:path'
import { build } from './build.mjs'
import { main, root, runCommand } from './steps.mjs'

await main(async () => {
  await build()
  await runCommand([process.execPath, join(root, 'dist/chaos/index.js'), ...process.argv.slice(2)])
})
