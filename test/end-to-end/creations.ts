// How often the engine made a container, by service: what is started twice shows there.

import { spawn } from 'node:child_process'
import { openSession } from '../../sandbox/index.js'

/** Listens to the engine until the work is done. */
export async function creationsDuring(root: string, work: () => Promise<void>): Promise<Record<string, number>> {
  const { env, paths } = (await openSession(root))!
  const filters = ['event=create', 'type=container', `label=com.docker.compose.project=${paths.project}`]
  const format = '{{index .Actor.Attributes "com.docker.compose.service"}}'
  const words = ['events', '--format', format, ...filters.flatMap((filter) => ['--filter', filter])]
  const listening = spawn('docker', words, { env, stdio: ['ignore', 'pipe', 'ignore'] })
  let heard = ''
  listening.stdout.on('data', (text: Buffer) => (heard += text.toString()))
  try {
    await work()
  } finally {
    listening.kill()
  }
  const services = heard.split('\n').filter((line) => line !== '')
  return Object.fromEntries(
    [...new Set(services)].toSorted().map((name) => [name, services.filter((it) => it === name).length]),
  )
}
