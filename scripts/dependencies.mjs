// The npm packages, from the lock file; skipped while they are at least as new as it.

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { root, runStep } from './steps.mjs'

/**
 * Not `npm ci`: it refuses a lock file that lacks the programs of other platforms, which a registry that does not carry
 * them leaves out. `--no-save` takes the same versions from the lock file, and leaves that as it is.
 */
const install = [
  'npm',
  'install',
  '--no-save',
  '--no-audit',
  '--no-fund',
  '--no-update-notifier',
  '--loglevel',
  'error',
]

export async function installDependencies() {
  const lock = join(root, 'package-lock.json')
  const installed = join(root, 'node_modules', '.package-lock.json')
  const fresh = existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs
  await runStep('npm packages', fresh ? 'up to date' : install)
}
