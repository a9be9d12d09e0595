// `npm run demo`: everything from an empty machine to the story that is told on the sandbox, which keeps running.

import { join } from 'node:path'
import { build } from './build.mjs'
import { main, root, runCommand } from './steps.mjs'

await main(async () => {
  await build()
  await runCommand([process.execPath, join(root, 'dist/sandbox/demo.js'), ...process.argv.slice(2)])
})
