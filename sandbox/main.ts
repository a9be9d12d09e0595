// Drives the sandbox without the command line of stepback: `node dist/sandbox/main.js up [--size BYTES]`.

import { parseArgs } from 'node:util'
import { breakIt, down, mend, status, up } from './index.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string' },
    kind: { type: 'string' },
    service: { type: 'string' },
    version: { type: 'string' },
  },
})
const progress = (line: string) => process.stderr.write(`${line}\n`)
const print = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)

const commands: Record<string, () => Promise<void>> = {
  up: async () => print(await up({ progress, ...(values.size && { size: Number(values.size) }) })),
  down: () => down({ progress }),
  status: async () => print(await status()),
  break: async () => {
    const { service, version } = values
    print(await breakIt({ kind: values.kind ?? '', ...(service && { service }), ...(version && { version }) }))
  },
  mend: () => mend(),
}

const command = commands[positionals[0] ?? '']
if (!command) {
  progress(`usage: main.js ${Object.keys(commands).join('|')}`)
  process.exit(2)
}
try {
  await command()
} catch (error) {
  progress(`error: ${(error as Error).message}`)
  process.exit(1)
}
