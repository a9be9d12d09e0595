import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cacheDirectory } from '../paths.js'
import { run } from '../run.js'

/** A virtual environment with these packages, as their users have them; kept in the cache for the next time. */
export async function pythonEnvironment(name: string, packages: readonly string[]): Promise<string> {
  const directory = join(cacheDirectory(), name)
  const stamp = join(directory, 'stepback-packages')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === packages.join(' ')) return directory
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(dirname(directory), { recursive: true })
  await run(['python3', '-m', 'venv', directory])
  await run([join(directory, 'bin', 'python3'), '-m', 'pip', 'install', '--quiet', ...packages])
  // last, and whole at once: its presence says that the rest is there
  writeFileSync(`${stamp}.unfinished`, packages.join(' '))
  renameSync(`${stamp}.unfinished`, stamp)
  return directory
}
