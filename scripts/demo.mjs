// `npm run demo`: everything from an empty machine to a running sandbox, then the story that is told on it.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from './build.mjs'
import { main, root, runCommand } from './steps.mjs'

await main(async () => {
  await build()
  const { up } = await import(pathToFileURL(join(root, 'dist/sandbox/index.js')).href)
  const sandbox = await up({ root: join(root, '.sandbox'), progress: (line) => console.log(line) })
  const story = join(root, 'dist/sandbox/demo.js')
  if (existsSync(story)) await runCommand([process.execPath, story, ...process.argv.slice(2)])
  console.log(summary(sandbox))
})

function summary({ temporal, ssh, api, directory, config }) {
  return [
    '',
    `Temporal    ${temporal.address}, Web UI ${temporal.ui}`,
    `API         ${api}/api/status`,
    `host        ssh -p ${ssh.port} -i ${ssh.identityFile} ${ssh.user}@${ssh.host}`,
    `project     ${directory}`,
    `config      ${config}`,
    '',
    'take it down with: npx stepback sandbox down',
  ].join('\n')
}
