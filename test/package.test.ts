// The package as npm makes it, beside nothing but its dependencies.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { unpackPackage } from './support/packed.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'stepback-package-'))
const app = join(directory, 'app')
const installed = join(app, 'node_modules/stepback')
let files: readonly string[]

beforeAll(() => {
  files = unpackPackage(installed, directory)
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
})
afterAll(() => rmSync(directory, { recursive: true }))

test('holds what the worker, the client, the sandbox and a person need', () => {
  const needed = [
    'LICENSE README.md CHANGELOG.md package.json docker-compose.temporal.yml docker/Dockerfile docs/config.md examples/README.md',
    'docs/stepback.schema.json dist/workflow-bundle.js dist/src/cli/main.js dist/src/client.js dist/src/client.d.ts',
    'dist/src/host/lease.sh dist/sandbox/index.js dist/sandbox/stack/release/models.yaml',
  ]
  expect(files).toEqual(expect.arrayContaining(needed.join(' ').split(' ')))
})

test('holds nothing else: no sources, tests, benchmarks, maps or leftovers', () => {
  const parts =
    /^(LICENSE|README\.md|CHANGELOG\.md|package\.json|docker-compose\.temporal\.yml|docker\/|docs\/|examples\/|dist\/(src|sandbox)\/|dist\/workflow-bundle\.js$)/
  expect(files.filter((path) => !parts.test(path) || /\.map$|(?<!\.d)\.ts$|__pycache__|\.pyc$/.test(path))).toEqual([])
})

test('runs: its command line, the worker included, finds all that it needs', () => {
  const { bin } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  const stepback = (...words: string[]) =>
    execFileSync(process.execPath, [join(installed, bin.stepback), ...words], { cwd: app, encoding: 'utf8' })
  expect(stepback('--version').trim()).toMatch(/^\d+\.\d+\.\d+$/)
  expect(stepback('sandbox', 'up', '--help')).toContain('stepback sandbox up')
  const load = `await import(process.argv[1]); await import(process.argv[2])`
  const modules = ['dist/src/worker.js', 'dist/sandbox/index.js'].map((path) => join(installed, path))
  execFileSync(process.execPath, ['--input-type=module', '-e', load, ...modules], { cwd: app })
})

test('gives its types to whoever builds on the client', () => {
  writeFileSync(join(app, 'package.json'), '{ "type": "module" }')
  writeFileSync(
    join(app, 'program.ts'),
    `import { StepbackClient, type DeployInput, type Outcome } from 'stepback'
     const input: DeployInput = { target: 'shop', version: '2.1.0' }
     const client = await StepbackClient.connect()
     const outcome: Outcome = await client.result(await client.startDeploy(input))
     // @ts-expect-error a deploy needs a version
     await client.startDeploy({ target: 'shop' })
     console.log(outcome.outcome === 'done' ? outcome.result.phase : outcome.message)`,
  )
  const options = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--skipLibCheck',
    '--types',
    'node',
  ]
  execFileSync(join(root, 'node_modules/.bin/tsc'), [...options, 'program.ts'], { cwd: app, stdio: 'pipe' })
})

test('shows an editor the schema by a name that does not change', () => {
  const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  expect(existsSync(join(installed, exports['./stepback.schema.json']))).toBe(true)
})
