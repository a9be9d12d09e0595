// The npm packages, from the lock file; skipped while they are at least as new as it.

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { root, runStep } from './steps.mjs'

export async function installDependencies() {
  const lock = join(root, 'package-lock.json')
  const installed = join(root, 'node_modules', '.package-lock.json')
  const fresh = existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs
  await runStep('npm packages', fresh ? 'up to date' : ['npm', 'ci', '--no-audit', '--no-fund'])
}
