// `npm run build`: packages, compiled sources, the files beside them, and the workflow bundle; quick when up to date.

import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installDependencies } from './dependencies.mjs'
import { bin, main, root, runStep } from './steps.mjs'

const sources = [
  'src',
  'sandbox',
  'bench',
  'chaos',
  'model',
  'test/support/sshd.ts',
  'scripts/build.mjs',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
]

export async function build() {
  await installDependencies()
  const stamp = join(root, 'dist', '.stamp')
  const now = fingerprint()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === now) return runStep('build', 'up to date')
  rmSync(stamp, { force: true })
  await runStep('files beside the sources', copyFiles)
  await runStep('compile', [bin('tsc'), '-p', 'tsconfig.build.json'])
  await runStep('workflow bundle', bundleWorkflows)
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, now)
}

function copyFiles() {
  removeOrphans()
  copy('src/host', (name) => name.endsWith('.sh'))
  rmSync(join(root, 'dist/sandbox/stack'), { recursive: true, force: true })
  copy('sandbox/stack', (name) => !name.includes('__pycache__'))
}

function copy(directory, wanted) {
  for (const file of filesBelow(directory)) {
    if (wanted(file)) cpSync(join(root, file), join(root, 'dist', file))
  }
}

/** What was compiled from a source that is gone would still be found by an import, or by a test of the package. */
function removeOrphans() {
  for (const file of ['src', 'sandbox', 'bench', 'chaos', 'model'].flatMap((it) => filesBelow(`dist/${it}`))) {
    const source = relative('dist', file).replace(/(\.d\.ts|\.js|\.js\.map)$/, '.ts')
    if (source.endsWith('.ts') && !existsSync(join(root, source))) rmSync(join(root, file))
  }
}

/** Made once here, so that every worker starts with the same code, and at once. */
async function bundleWorkflows() {
  const workflowsPath = join(root, 'dist/src/workflows/index.js')
  if (!existsSync(workflowsPath)) return 'no workflows'
  const { bundleWorkflowCode } = await import('@temporalio/worker')
  const quiet = { trace() {}, debug() {}, info() {}, log() {}, warn: console.warn, error: console.error }
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: quiet })
  writeFileSync(join(root, 'dist/workflow-bundle.js'), code)
  return `${Math.round(code.length / 1024)} KB`
}

function fingerprint() {
  const hash = createHash('sha256')
  for (const file of sources.flatMap(filesBelow)) {
    const { mtimeMs, size } = statSync(join(root, file))
    hash.update(`${file} ${mtimeMs} ${size}\n`)
  }
  return hash.digest('hex')
}

function filesBelow(path) {
  if (!existsSync(join(root, path))) return []
  if (!statSync(join(root, path)).isDirectory()) return [path]
  return readdirSync(join(root, path))
    .toSorted()
    .flatMap((name) => filesBelow(join(path, name)))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(build)
