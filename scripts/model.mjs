// `npm run model -- NAME…`: lease, jobs, ledger, debts and the exchange of databases, searched by Spin; all without a name.

import { join } from 'node:path'
import { build } from './build.mjs'
import { main, root, runCommand } from './steps.mjs'

await main(async () => {
  await build()
  await runCommand([process.execPath, join(root, 'dist/model/index.js'), ...process.argv.slice(2)])
})
